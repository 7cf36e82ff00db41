"""The steps of training the second stage, together or one at a time; the heads and the embedder after it.

In:  folders of labelled CSV, the base, a folder of work, the folder to write.
Out: the model folder. `fit`, `joint` and `alike` are programs of their own: they need torch, which is no dependency of
keqing, and may run on another machine with work/ and nlp/second copied there.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from keqing.errors import UsageError
from nlp.second.tasks import ALIKE, JOINT

OWN = "own.npz"  # what bench/golden/teach.py leaves
TOLD = "told.npz"  # what bench/events_teach.py leaves
Step = Literal["prepare", "fit", "finish", "stack", "all"]


def steps(
    data: Sequence[Path], base: Path, work: Path, out: Path, without: Sequence[str], step: Step
) -> None:
    """Run a step, or all.

    Raises:
        UsageError: a file of the step before is missing, torch is, or the program failed.
    """
    if step in ("prepare", "all"):
        from nlp.second.prepare import prepare

        prepare(data, base, work, without)
    if step in ("fit", "all"):
        _program("fit", "--rows", work / "rows.npz", "--base", work / "base.npz", "--out", work,
                 "--work", work / "fit")  # fmt: skip
    if step in ("finish", "all"):
        from nlp.second.finish import finish

        finish(data, base, work, out)


def embedder(base: Path, work: Path, out: Path) -> None:
    """Teach the base which posts are about one happening, and write the embedder.

    Raises:
        UsageError: the base's files are not in its folder, no told.npz in `work`, no torch, or the
            program failed.
    """
    from nlp.second.finish import finish_embedder

    _taught(work / TOLD, "events_teach", work)
    _program("alike", "--rows", work / "rows.npz", "--base", work / "base.npz",
             "--told", work / TOLD, "--out", work / ALIKE)  # fmt: skip
    finish_embedder(base, work, out)


def heads(base: Path, work: Path, out: Path) -> None:
    """Teach the student that `fit` left in `work` the project's own posts, and write the encoder of the heads.

    Raises:
        UsageError: no own.npz in `work`, no torch, or the program failed.
    """
    from nlp.second.finish import finish_heads

    _taught(work / OWN, "golden.teach", work)
    _program("joint", "--rows", work / "rows.npz", "--answers", work / "answers.npz",
             "--own", work / OWN, "--student", work, "--out", work / JOINT)  # fmt: skip
    finish_heads(base, work, out)


def _taught(path: Path, bench: str, work: Path) -> None:
    if not path.is_file():
        raise UsageError(f"{path} is not there; run python -m bench.{bench} --work {work}")


def _program(name: str, *arguments: str | Path) -> None:
    """Run a program of this package that needs torch."""
    if find_spec("torch") is None:
        raise UsageError(f"keqing train needs torch for {name}: pip install torch, or run "
                         f"python -m nlp.second.{name} on a machine that has it")  # fmt: skip
    command = [sys.executable, "-m", f"nlp.second.{name}", *map(str, arguments)]
    done = subprocess.run(command, check=False)  # noqa: S603  # our own program
    if done.returncode:
        raise UsageError(f"nlp.second.{name} ended with {done.returncode}; its log says why")

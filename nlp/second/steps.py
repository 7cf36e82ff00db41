"""The three steps of training the second stage, together or one at a time.

In:  folders of labelled CSV, the base, a folder of work, the folder to write.
Out: the model folder. `fit` runs as a program of its own: it needs torch, which is no dependency of
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
        _fit(work)
    if step in ("finish", "all"):
        from nlp.second.finish import finish

        finish(data, base, work, out)


def embedder(data: Sequence[Path], base: Path, work: Path, out: Path) -> None:
    """Make the embedder; `work` is prepared first unless an earlier training has.

    Raises:
        UsageError: the base's files are not in its folder.
    """
    from nlp.second.finish import finish_embedder
    from nlp.second.prepare import prepare

    if not (work / "base.npz").is_file():
        prepare(data, base, work)
    finish_embedder(base, work, out)


def _fit(work: Path) -> None:
    if find_spec("torch") is None:
        raise UsageError("train --stage second --step fit needs torch: pip install torch, or run "
                         f"python -m nlp.second.fit on a machine that has it, on {work}")  # fmt: skip
    command = [sys.executable, "-m", "nlp.second.fit", "--rows", work / "rows.npz",
               "--base", work / "base.npz", "--out", work, "--work", work / "fit"]  # fmt: skip
    done = subprocess.run(list(map(str, command)), check=False)  # noqa: S603  # our own program
    if done.returncode:
        raise UsageError(f"nlp.second.fit ended with {done.returncode}; its log says why")

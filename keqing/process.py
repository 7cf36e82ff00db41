"""Run one verb of the command line in a process of its own.

In:  the verb's arguments, a time limit. Out: its report (the last stdout line), or the error class
that its exit code and report name. A stage's memory and a crawl's reactor die with the process, and the
process ends when the one that started it is gone, killed or not: nobody would read its report, and its
lease would keep the next one waiting.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from keqing import errors
from keqing.errors import DoneInPart, KeqingError

GRACE_S = 10.0
CUT_GRACE_S = 2.0  # somebody waits at a terminal
DONE_IN_PART = 3
BY_CODE: Mapping[int, type[KeqingError]] = {2: errors.UsageError, 4: errors.BadConfig}
LAST_CHARS = 600
STARTED_BY = "KEQING_STARTED_BY_FD"  # the read end of a pipe that only its starter holds open


def run_verb(
    arguments: Sequence[str], timeout_s: float, env: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Report of `keqing <arguments> --json`.

    A part-done verb (exit 3) gives its report with `part` set to true.

    Raises:
        KeqingError: of the class that the verb's report names, or by its exit code.
        DoneInPart: it ran longer than `timeout_s` and was ended; what it had done is kept.
    """
    command = [sys.executable, "-m", "keqing", *arguments, "--json"]
    with (
        _held_open() as fd,
        subprocess.Popen(  # noqa: S603  # our own interpreter and module
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
            pass_fds=(fd,),
            env={**os.environ, **(env or {}), STARTED_BY: str(fd)},
        ) as child,
    ):
        try:
            out, err = child.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            end(child)
            raise DoneInPart(
                f"keqing {' '.join(arguments)}: ended after {timeout_s:.0f} s; run it again"
            ) from None
        except BaseException:  # a signal: the verb has a session of its own and would live on
            end(child, CUT_GRACE_S)
            raise
    return _outcome(arguments, child.returncode, out, err)


def end_with_starter() -> None:
    """In a process that `run_verb` started: TERM to oneself once the starter is gone."""
    if (fd := os.environ.pop(STARTED_BY, None)) is None:
        return

    def watch() -> None:
        os.read(int(fd), 1)  # nobody writes: it returns when the other end is closed
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="starter", daemon=True).start()


@contextmanager
def _held_open() -> Iterator[int]:
    """The read end of a pipe whose other end closes with this block, or with this process."""
    read, write = os.pipe()
    try:
        yield read
    finally:
        os.close(write)
        os.close(read)


def end(child: subprocess.Popen[Any], grace_s: float = GRACE_S) -> None:
    """TERM to the child's whole session, KILL after the grace time."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, sign)
        except ProcessLookupError:
            break
        try:
            child.wait(grace_s)
        except subprocess.TimeoutExpired:
            continue
        if not group_alive(child.pid):
            break
    child.wait()


def group_alive(pgid: int) -> bool:
    """Whether any process of a group is left."""
    try:
        os.killpg(pgid, 0)
    except ProcessLookupError:
        return False
    return True


def _outcome(arguments: Sequence[str], code: int, out: str, err: str) -> dict[str, Any]:
    report = _last_report(out)
    if code == 0 and report is not None:
        return report
    if code == DONE_IN_PART and report is not None and "message" not in report:
        return report | {"part": True}
    named = getattr(errors, str((report or {}).get("error", "")), None)
    kind = named if isinstance(named, type) and issubclass(named, KeqingError) else None
    said = (report or {}).get("message") or err.strip()[-LAST_CHARS:] or f"exit code {code}"
    raise (kind or BY_CODE.get(code, KeqingError))(f"keqing {' '.join(arguments)}: {said}")


def _last_report(out: str) -> dict[str, Any] | None:
    lines = out.strip().splitlines()
    try:
        value = json.loads(lines[-1]) if lines else None
    except json.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None

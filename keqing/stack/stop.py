"""Ctrl-C and TERM: they are remembered, and they end at once what may be ended.

In:  SIGINT and SIGTERM. Out: an event for those who wait; for work that is safe to be killed at any
moment (the stages are), an exception in its midst, so that its own `finally` gives back what it holds.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Interrupted(BaseException):
    """A signal ended the work; no `except Exception` keeps it."""


class Stop:
    """One per process; `asked` is set by the first signal and stays set."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._may_cut = False

    def listen(self) -> None:
        """Take both signals; to be called in the main thread."""
        for sign in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sign, lambda *_: self._signalled())

    def unless_asked(self, work: Callable[[], T]) -> T | None:
        """What the work gives; None if a stop was asked for, before it or in its midst."""
        try:
            self._may_cut = True
            return None if self.asked.is_set() else work()
        except Interrupted:
            return None
        finally:
            self._may_cut = False

    def _signalled(self) -> None:
        self.asked.set()
        if self._may_cut:
            self._may_cut = False  # once: a second Ctrl-C must not cut the clearing up
            raise Interrupted

"""Ctrl-C and TERM: they are remembered, and they end at once what may be ended.

In:  SIGINT and SIGTERM. Out: an event for those who wait; for work that is safe to be killed at any
moment (the stages are), an exception in its midst, so that its own `finally` gives back what it holds.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from keqing.logs import get_logger

T = TypeVar("T")
SIGNALS = (signal.SIGINT, signal.SIGTERM)
SHOWN = 300  # characters of an error that came with a signal
log = get_logger(__name__)


class Interrupted(BaseException):
    """A signal ended the work; no `except Exception` keeps it."""


class Stop:
    """One per process; `asked` is set by the first signal and stays set."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._may_cut = False

    def listen(self) -> None:
        """Take both signals; to be called in the main thread."""
        for sign in SIGNALS:
            signal.signal(sign, lambda *_: self._signalled())

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take both for a while; one that is ignored, as a shell has it for background jobs, stays so."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {sign: signal.getsignal(sign) for sign in SIGNALS}
        mine = [sign for sign in SIGNALS if before[sign] is not signal.SIG_IGN]
        for sign in mine:
            signal.signal(sign, lambda *_: self._signalled())
        try:
            yield
        finally:
            for sign in mine:
                signal.signal(sign, before[sign])

    def unless_asked(self, work: Callable[[], T]) -> T | None:
        """What the work gives; None if a stop was asked for, before it or in its midst."""
        try:
            self._may_cut = True
            return None if self.asked.is_set() else work()
        except Interrupted:
            return None
        except Exception as error:
            # An extension that is cut while it loads makes an ImportError of it, as pybind11 does.
            if not self.asked.is_set():
                raise
            log.warning("ended by a signal", error=f"{type(error).__name__}: {error}"[:SHOWN])
            return None
        finally:
            self._may_cut = False

    def _signalled(self) -> None:
        self.asked.set()
        if self._may_cut:
            self._may_cut = False  # once: a second Ctrl-C must not cut the clearing up
            raise Interrupted

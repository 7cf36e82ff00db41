"""How often somebody may try to sign in: slower after failures, never locked out.

In:  an account, an address, a moment. Out: seconds to wait, 0 when the try may go on.
A lock-out would shut staff out in a crisis; a growing pause stops guessing as well.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

FREE_TRIES = 5
LONGEST_PAUSE_S = 300
TRIES_PER_MINUTE = 20
MOST_ENTRIES = 10_000


@dataclass
class Throttle:
    """Failures in memory of this process; a restart forgives."""

    _failures: dict[tuple[str, str], tuple[int, datetime]] = field(default_factory=dict)
    _tries: dict[str, deque[datetime]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def wait_s(self, name: str, address: str, now: datetime) -> int:
        """Seconds until this try is allowed; 0 counts it as made."""
        with self._lock:
            tries = self._tries.setdefault(address, deque())
            while tries and now - tries[0] >= timedelta(minutes=1):
                tries.popleft()
            if len(tries) >= TRIES_PER_MINUTE:
                return math.ceil(60 - (now - tries[0]).total_seconds())
            n, last = self._failures.get((name, address), (0, now))
            pause = min(LONGEST_PAUSE_S, 2 ** min(n - FREE_TRIES, 12)) if n >= FREE_TRIES else 0
            left = math.ceil(pause - (now - last).total_seconds())
            if left > 0:
                return left
            tries.append(now)
            return 0

    def failed(self, name: str, address: str, now: datetime) -> None:
        """A wrong password."""
        with self._lock:
            n, _ = self._failures.get((name, address), (0, now))
            self._failures[name, address] = n + 1, now
            for table in (self._failures, self._tries):
                while len(table) > MOST_ENTRIES:
                    table.pop(next(iter(table)))  # type: ignore[call-overload]

    def passed(self, name: str, address: str) -> None:
        """The right password: failures of this account and address are forgotten."""
        with self._lock:
            self._failures.pop((name, address), None)

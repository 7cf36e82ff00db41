"""A SQLite file is switched to its write-ahead log, with patience.

In:  how to execute a statement on a new connection. Out: the file is in WAL mode. While another connection
writes to a file that is not yet in WAL mode, SQLite refuses the switch at once, whatever the busy timeout
is; of two programs that open a new file together one would fail.
"""

from __future__ import annotations

import time
from collections.abc import Callable

PAUSE_S = 0.02


def switch_to_wal(execute: Callable[[str], object], wait_s: float) -> None:
    """Switch the connection's file; one that is in WAL mode stays as it is.

    Raises:
        Exception: the driver's own error, after `wait_s` seconds or when it is another than a lock.
    """
    end = time.monotonic() + wait_s
    while True:
        try:
            execute("PRAGMA journal_mode=WAL")
            return
        except Exception as error:  # the driver is the caller's
            if "locked" not in str(error) or time.monotonic() > end:
                raise
        time.sleep(PAUSE_S)

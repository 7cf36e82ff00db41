"""Memory of questions: what one question frees stays with the process for the next.

In:  nothing. Out: a setting of glibc's allocator; nothing happens where there is another. By itself it
gives some megabytes that are freed back to the system, and the next question gets them page by page,
which on a virtual machine costs more than the counting they are for.
"""

from __future__ import annotations

import ctypes

KEPT = 32 << 20  # bytes at the top of the heap that stay; larger pieces are given back as ever
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # names of malloc.h


def keep() -> None:
    """Keep up to KEPT freed bytes a heap."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    for name in (TRIM_THRESHOLD, MMAP_THRESHOLD):
        mallopt(name, KEPT)

"""How much memory a crawl holds now; Scrapy's own measure is the most that its process ever held.

In:  a running crawl. Out: it is ended over MEMUSAGE_LIMIT_MB. On Linux a process inherits the peak of the
one that started it: a crawl that was started from a large one ended before its first page.
"""

from __future__ import annotations

import os
from pathlib import Path

from scrapy.extensions.memusage import MemoryUsage

STATM = Path("/proc/self/statm")  # Linux; second number: pages in memory


class CurrentMemory(MemoryUsage):  # type: ignore[misc]
    """The extension with the present size instead of the peak, where the system tells it."""

    def get_virtual_size(self) -> int:
        """Bytes in memory."""
        try:
            pages = int(STATM.read_text().split()[1])
        except (OSError, ValueError, IndexError):
            return int(super().get_virtual_size())
        return pages * os.sysconf("SC_PAGE_SIZE")

"""When a site is busy or away: as long as it asks, or as long as we think right, then again.

In:  answers and failures of requests. Out: the same requests later, or Throttled.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.exceptions import IgnoreRequest

MAX_WAIT_S = 900.0
MAX_THROTTLED = 3
RETRIED = (408, 429, 500, 502, 503, 504, 522, 524)


class Throttled(IgnoreRequest):  # type: ignore[misc]
    """The site asks to stay away; `wait_s` is how long, if it says."""

    def __init__(self, wait_s: float | None) -> None:
        super().__init__(f"throttled, asked to wait {wait_s} s")
        self.wait_s = wait_s


class PatientRetry(RetryMiddleware):  # type: ignore[misc]
    """Pauses before a retry; with one request at a time the whole host rests meanwhile.

    Scrapy retries at once, so that a server away for 20 s costs pages.
    """

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        pauses = settings.getlist("KEQING_RETRY_PAUSES_S")
        self._pauses = [float(pause) for pause in pauses]
        self.max_retry_times = len(self._pauses)
        self.retry_http_codes = set(RETRIED)
        self.give_up_log_level = "INFO"
        self._throttled = 0

    async def process_response(self, request: Any, response: Any, spider: Any = None) -> Any:
        """Wait as the site asks or as long as we think right, then try again."""
        if response.status not in self.retry_http_codes or request.meta.get("dont_retry"):
            return response
        header = (response.headers.get("Retry-After") or b"").decode("latin-1")
        wait = wait_of(header, datetime.now(UTC)) if header else None
        if response.status == 429:
            self._throttled += 1
        if self._throttled >= MAX_THROTTLED or (wait or 0.0) > MAX_WAIT_S:
            raise Throttled(wait)
        again = self._retry(request, str(response.status))
        if again is None:
            return response
        await asyncio.sleep(self._pause(again) if wait is None else wait)
        return again

    async def process_exception(
        self, request: Any, exception: Exception, spider: Any = None
    ) -> Any:
        """The same for time-outs and refused connections."""
        if not isinstance(exception, self.exceptions_to_retry) or request.meta.get("dont_retry"):
            return None
        again = self._retry(request, exception)
        if again is not None:
            await asyncio.sleep(self._pause(again))
        return again

    def _pause(self, again: Any) -> float:
        return self._pauses[min(int(again.meta["retry_times"]), len(self._pauses)) - 1]


def wait_of(header: str, now: datetime) -> float | None:
    """Seconds of a Retry-After header (number or HTTP date), None if it says nothing."""
    if header.strip().isdigit():
        return float(header)
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds())

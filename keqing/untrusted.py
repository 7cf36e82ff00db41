"""Words and addresses from the web that are shown to people.

In:  crawled text, crawled addresses. Out: text that shows what it holds, addresses that may be linked.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)


def clean(text: str) -> str:
    """The text without marks that hide or turn other text; same length."""
    return HIDDEN.sub("\ufffd", text)


def safe_url(url: str | None) -> str | None:
    """The address if it is http or https with a host, else None."""
    if url is None or HIDDEN.search(url):
        return None
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    return url if good else None

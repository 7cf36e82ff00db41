"""One utterance of the city, and who its people are.

In:  nothing. Out: Said, the fixed authors, their names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

OFFICIAL, MEDIA, BIG = 1001, 1002, 1003
CITIZENS = range(1004, 1041)
NAMES = "小鱼干 阿布 橘子汽水 老周 夏天的风 一只柚子 半夏 云吞 南风 麦穗 阿七 木木 青团 石头 可乐".split()


@dataclass
class Said:
    """One utterance of any site."""

    at: datetime
    author: int
    text: str
    id: int = 0
    likes: int = 0
    reposts: int = 0
    comments: list[Said] = field(default_factory=list)
    repost_of: Said | None = None
    title: str = ""
    board: int = 0
    rating: int = 0
    flags: tuple[str, ...] = ()
    event: str = ""  # the truth: which happening it and its comments are about; "" for daily talk


def name_of(author: int) -> str:
    """Screen name of an author."""
    fixed = {OFFICIAL: "木槿壶", MEDIA: "清河晚报", BIG: "青屿身边事"}
    return fixed.get(author, f"{NAMES[author % len(NAMES)]}{author}")

"""Source cards (信源卡): what a source is, how politely and how often it is visited."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from keqing.settings.part import Part


class Terms(Part):
    """The source register that a reviewer reads."""

    robots: str = "unchecked"
    checked: date | None = None
    note: str = ""
    contact: str = ""


class Pace(Part):
    """How politely."""

    min_delay_s: float = Field(2.0, ge=0)
    max_requests_per_run: int = Field(300, gt=0)
    max_pages_per_target: int = Field(20, gt=0)
    retry_pauses_s: tuple[float, ...] = Field((5.0, 15.0, 45.0), min_length=1)


class Schedule(Part):
    """Minutes between two visits of a target, by its priority."""

    high: int = 10
    normal: int = 60
    low: int = 720


class Expected(Part):
    """What a healthy source looks like; the run checks itself against it."""

    quiet_hours_max: float = 12.0


class SourceCard(Part):
    """信源卡. The file's stem is the source's only name."""

    name: str
    title: str
    publisher: str = ""
    spider: Literal["weibo", "forum", "review", "feed", "discourse"]
    platform: str
    base_url: str
    zone: str = "Asia/Shanghai"
    channel: Literal["public", "social", "portal"] = "public"
    access: Literal["public"] = "public"
    ignored_fields: tuple[str, ...] = ()
    keep_raw: bool = True
    comments: bool = True
    terms: Terms = Terms()
    pace: Pace = Pace()
    schedule: Schedule = Schedule()
    expected: Expected = Expected()

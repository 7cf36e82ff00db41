"""The contracts between the stages: Post, Mention, Incident, Notification.

In:  values built at a border (page, file, search hit).
Out: frozen pydantic models that refuse unknown fields. Times are aware and in UTC.
"""

from __future__ import annotations

from keqing.records.base import (
    Probability,
    Record,
    Utc,
    utc_text,
)
from keqing.records.incidents import (
    Evidence,
    Incident,
    Level,
    Notification,
    Part,
)
from keqing.records.mentions import (
    AspectHit,
    BrandHit,
    Corrected,
    InfluencePart,
    Mention,
    Polarity,
    Rejection,
    SeverityHit,
    Sign,
    Speaker,
    Versions,
)
from keqing.records.posts import (
    Author,
    Channel,
    Engagement,
    Kind,
    Post,
    Precision,
)

__all__ = [
    "AspectHit",
    "Author",
    "BrandHit",
    "Channel",
    "Corrected",
    "Engagement",
    "Evidence",
    "Incident",
    "InfluencePart",
    "Kind",
    "Level",
    "Mention",
    "Notification",
    "Part",
    "Polarity",
    "Post",
    "Precision",
    "Probability",
    "Record",
    "Rejection",
    "SeverityHit",
    "Sign",
    "Speaker",
    "Utc",
    "Versions",
    "utc_text",
]

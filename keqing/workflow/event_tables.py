"""Tables of events: what nlp.events remembers from batch to batch. Times are Unix seconds."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, LargeBinary, String, Table, Text

from keqing.workflow.db import METADATA

EVENTS = Table(
    "nlp_events",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("brand", String(128), nullable=False),
    Column("name", Text, nullable=False),
    Column("first_story", String(512), nullable=False),
    Column("first_at_s", BigInteger, nullable=False),
    Column("last_at_s", BigInteger, nullable=False),
    Column("scored_at_s", BigInteger, nullable=False),
    Column("stories", Integer, nullable=False),
    Index("nlp_events_active", "brand", "last_at_s"),
)
STARS = Table(  # what a new story is compared with: terms and weights, maybe a vector
    "nlp_event_stars",
    METADATA,
    Column("event", String(32), primary_key=True),
    Column("story", String(512), primary_key=True),
    Column("post_id", String(512), nullable=False),
    Column("terms", Text, nullable=False),
    Column("vector", LargeBinary),
    Column("joined", Integer, nullable=False),
)
MEMBERS = Table(
    "nlp_event_stories",
    METADATA,
    Column("brand", String(128), primary_key=True),
    Column("story", String(512), primary_key=True),
    Column("event", String(32), nullable=False, index=True),
    Column("star", String(512), nullable=False),  # the star's story that it joined by
    Column("similarity", Float, nullable=False),  # 1 - novelty: 0 opened the event
)
THREADS = Table(
    "nlp_event_threads",
    METADATA,
    Column("brand", String(128), primary_key=True),
    Column("thread", String(512), primary_key=True),
    Column("event", String(32), nullable=False, index=True),
)
LIKENESS = Table(  # pairs that looked alike at the last tick; merged when they do again
    "nlp_event_likeness",
    METADATA,
    Column("elder", String(32), primary_key=True),
    Column("younger", String(32), primary_key=True),
)
HISTORY = Table(
    "nlp_event_history",
    METADATA,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column(
        "kind", String(8), nullable=False
    ),  # merge: other is now event; split: other came from it
    Column("event", String(32), nullable=False, index=True),
    Column("other", String(32), nullable=False, index=True),
    Column("at_s", BigInteger, nullable=False),
)
NAMES = Table(  # names that staff gave; without one an event is called by its words
    "nlp_event_names",
    METADATA,
    Column("event", String(32), primary_key=True),
    Column("name", Text, nullable=False),
)

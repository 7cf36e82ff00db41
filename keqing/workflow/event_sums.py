"""What the events of a brand are compared by: sums of embeddings, how heated each is, the brand's mean.

In:  a transaction; call it inside the one that records the batch. Out: sums of events, the state of
brands. The vector of each story stays while its event may go on, so that a part can be taken out of a
sum: by a split, or because its post was erased. Sums are float32 bytes, vectors signed bytes; times
are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    delete,
    select,
)

from keqing.workflow.db import METADATA, Tx
from keqing.workflow.event_tables import MEMBERS
from keqing.workflow.many import among, parts

SUMS = Table(
    "nlp_event_sums",
    METADATA,
    Column("event", String(32), primary_key=True),
    Column("total", LargeBinary, nullable=False),
    Column("told", Integer, nullable=False),
    Column("negative", Float, nullable=False),
    Column("pulse", Float, nullable=False),
    Column("pulse_at_s", BigInteger, nullable=False),
)
BRANDS = Table(
    "nlp_event_brands",
    METADATA,
    Column("brand", String(128), primary_key=True),
    Column("total", LargeBinary, nullable=False),
    Column("weight", Float, nullable=False),
    Column("pulse", Float, nullable=False),
    Column("pulse_at_s", BigInteger, nullable=False),
    Column("first_at_s", BigInteger, nullable=False),
)
VECTORS = Table(
    "nlp_event_vectors",
    METADATA,
    Column("brand", String(128), primary_key=True),
    Column("story", String(512), primary_key=True),
    Column("post_id", String(512), nullable=False, index=True),
    Column("scored_at_s", BigInteger, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    Index("nlp_event_vectors_age", "scored_at_s"),
)


@dataclass(frozen=True)
class Sum:
    """An event's stories together.

    `total` is the sum of the unit vectors of `told` stories, `negative` of all stories' probabilities;
    `pulse` counts its posts, each worth less with every hour, as of `pulse_at_s`.
    """

    total: bytes
    told: int
    negative: float
    pulse: float
    pulse_at_s: int


@dataclass(frozen=True)
class Standing:
    """What is usual for a brand: its weighted sum of vectors, and how much is told of it."""

    total: bytes
    weight: float
    pulse: float
    pulse_at_s: int
    first_at_s: int


@dataclass(frozen=True)
class Vector:
    """The embedding of a story's first post about a brand."""

    brand: str
    story: str
    post_id: str
    vector: bytes


def sums(tx: Tx, events: Collection[str]) -> dict[str, Sum]:
    """Sums of the events that have one."""
    found: dict[str, Sum] = {}
    for part in parts(sorted(events)):
        for row in tx.execute(select(SUMS).where(among(tx, SUMS.c.event, part))):
            found[row.event] = Sum(row.total, row.told, row.negative, row.pulse, row.pulse_at_s)
    return found


def standings(tx: Tx, brands: Collection[str]) -> dict[str, Standing]:
    """State of the brands that were spoken of before."""
    found: dict[str, Standing] = {}
    for row in tx.execute(select(BRANDS).where(among(tx, BRANDS.c.brand, sorted(brands)))):
        found[row.brand] = Standing(
            row.total, row.weight, row.pulse, row.pulse_at_s, row.first_at_s
        )
    return found


def save(tx: Tx, found: Mapping[str, Sum], brands: Mapping[str, Standing]) -> None:
    """Write changed and new sums and brands."""
    forget(tx, found)
    if found:
        tx.execute(SUMS.insert(), [{"event": id_, **vars(one)} for id_, one in found.items()])
    if brands:
        tx.execute(delete(BRANDS).where(among(tx, BRANDS.c.brand, sorted(brands))))
        tx.execute(BRANDS.insert(), [{"brand": key, **vars(one)} for key, one in brands.items()])


def forget(tx: Tx, events: Collection[str]) -> None:
    """Remove the sums of events that live no more."""
    for part in parts(sorted(events)):
        tx.execute(delete(SUMS).where(among(tx, SUMS.c.event, part)))


def add_vectors(tx: Tx, vectors: Sequence[Vector], now_s: int, keep_s: int) -> None:
    """Write the vectors of new stories, and let those go that no event needs after `keep_s`."""
    tx.execute(delete(VECTORS).where(VECTORS.c.scored_at_s < now_s - keep_s))
    if vectors:
        tx.execute(VECTORS.insert(), [vars(one) | {"scored_at_s": now_s} for one in vectors])


def of_stories(tx: Tx, brand: str, stories: Collection[str]) -> dict[str, bytes]:
    """Vectors of a brand's stories that have one."""
    found: dict[str, bytes] = {}
    for part in parts(sorted(stories)):
        mine = (VECTORS.c.brand == brand) & among(tx, VECTORS.c.story, part)
        found |= {row.story: row.vector for row in tx.execute(select(VECTORS).where(mine))}
    return found


def forget_posts(tx: Tx, post_ids: Collection[str]) -> int:
    """Take the vectors of erased posts out of the sums that hold them; a brand's mean keeps its trace."""
    held: dict[str, list[bytes]] = {}
    joined = VECTORS.join(
        MEMBERS, (MEMBERS.c.brand == VECTORS.c.brand) & (MEMBERS.c.story == VECTORS.c.story)
    )
    for part in parts(sorted(post_ids)):
        erased = among(tx, VECTORS.c.post_id, part)
        query = select(MEMBERS.c.event, VECTORS.c.vector).select_from(joined).where(erased)
        for row in tx.execute(query):
            held.setdefault(row.event, []).append(row.vector)
        tx.execute(delete(VECTORS).where(erased))
    for event, found in sums(tx, held).items():
        left = without(found, held[event])
        forget(tx, [event])
        if left.told:
            save(tx, {event: left}, {})
    return sum(map(len, held.values()))


def without(found: Sum, vectors: Sequence[bytes]) -> Sum:
    """A sum less the unit vectors of some of its stories; of none left nothing is left."""
    total, told = np.frombuffer(found.total, np.float32).copy(), found.told - len(vectors)
    for vector in vectors:
        total -= unit(vector)
    total *= told > 0  # what rounding left is no vector
    return replace(found, total=total.tobytes(), told=max(told, 0))


def unit(vector: bytes) -> NDArray[np.float32]:
    """Signed bytes as a vector of length 1."""
    whole = np.frombuffer(vector, np.int8).astype(np.float32)
    answer: NDArray[np.float32] = whole / max(float(np.linalg.norm(whole)), 1e-9)
    return answer

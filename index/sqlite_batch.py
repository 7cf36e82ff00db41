"""Mentions as the embedded engine compares them with what stands in it.

In:  Mentions. Out: batches of distinct ids, each post with its content as bytes and a digest of all that
may differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec
from xxhash import xxh3_64_digest, xxh3_64_intdigest

from index.body import packed_of
from index.document import COUNTERS
from keqing.records import Mention

Moving = tuple[Any, ...]  # collected_at in microseconds, counters as in the table `seen`
CHUNK = 500
_MICRO = 1_000_000
_counted = itemgetter(*COUNTERS[:4])
_encode = msgspec.msgpack.Encoder().encode


class Item(NamedTuple):
    """A Mention that does not stand in the index just as it comes."""

    mention: Mention
    body: bytes
    state: bytes

    def sig(self) -> bytes:
        """Changes when the content or the vector does."""
        return xxh3_64_digest(self.body + (self.mention.vector or "").encode())


class Batch(NamedTuple):
    """Mentions with what is compared of them.

    Digests have 64 bits: each is compared with one other, that of the snapshot before.
    """

    mentions: Sequence[Mention]
    bodies: list[bytes]
    told: list[Any]  # id and state of each in turn; a state changes when anything but the run does

    def ids(self) -> list[str]:
        """Their ids."""
        return self.told[::2]

    def part(self, begin: int, end: int) -> Batch:
        """Some of them."""
        return Batch(
            self.mentions[begin:end], self.bodies[begin:end], self.told[2 * begin : 2 * end]
        )

    def item(self, n: int) -> Item:
        """One of them."""
        return Item(self.mentions[n], self.bodies[n], self.told[2 * n + 1])


def batches(mentions: Sequence[Mention]) -> Iterator[Batch]:
    """At most CHUNK Mentions each; in none an id stands twice: the second sees what became of the first."""
    for at in range(0, len(mentions), CHUNK):
        batch = _batch(mentions[at : at + CHUNK])
        begin, seen, ids = 0, set[str](), batch.ids()
        if len(set(ids)) < len(ids):
            for n, id_ in enumerate(ids):
                if id_ in seen:
                    yield batch.part(begin, n)
                    begin, seen = n, set()
                seen.add(id_)
        yield batch.part(begin, len(ids)) if begin else batch


def _batch(mentions: Sequence[Mention]) -> Batch:
    """All of a Mention at once: a second walk would find its values out of the processor's reach."""
    bodies: list[bytes] = []
    told: list[Any] = []
    for mention in mentions:
        said = mention.__dict__
        post, vector = said["post"].__dict__, said["vector"]
        author, seen = post["author"].__dict__, post["engagement"].__dict__
        body = packed_of(said, post, author)
        moves = (post["collected_at"], post["rating"], author["followers"],
                 seen["likes"], seen["comments"], seen["reposts"], seen["views"])  # fmt: skip
        try:
            whole = body + _encode(moves)
        except OverflowError:  # a number that is refused later, with its reason
            whole = body + repr(moves).encode()
        bodies.append(body)
        told += post["id"], xxh3_64_digest(whole if vector is None else whole + vector.encode())
    return Batch(mentions, bodies, told)


def moving_of(mention: Mention) -> Moving:
    """What moves of a post without it being another one."""
    post = mention.post
    at = round(post.collected_at.timestamp() * _MICRO)
    return (at, *_counted(post.engagement.__dict__), post.rating, post.author.followers)


def address(url: str | None) -> int | None:
    """32 bits that stand for an address: enough to look at no document in vain, but a few."""
    return None if url is None else xxh3_64_intdigest(url.encode()) % (1 << 32) - (1 << 31)

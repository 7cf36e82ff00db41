"""The demo city as posts with the happenings that they are about, for bench.events.

In:  a seed, a number of days. Out: what was said until 12 hours after the city's crisis began, threads
posted as the crawlers land them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from demo.world import Said, build
from keqing.records import Author, Post

T0 = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Labelled:
    """A post and the happening that it is really about ("" = daily talk)."""

    post: Post
    truth: str

    @property
    def at(self) -> datetime:
        """When it was said."""
        return self.post.published_at or self.post.first_seen_at


def city(seed: int, days: int) -> list[Labelled]:
    """What was said in the city until 12 hours after T0, oldest first."""
    world, end = build(seed, T0), T0 + timedelta(hours=12)
    said: list[Labelled] = []
    for platform, roots in (
        ("weibo", world.weibo), ("discuz:qingyu", world.threads),
        ("shop:mujin", world.reviews), ("feed:qingyu", world.articles),
    ):  # fmt: skip
        for root in roots:
            said += _thread(platform, root)
    said = [one for one in said if end - timedelta(days=days) <= one.at <= end]
    return sorted(said, key=lambda one: (one.at, one.post.id))


def _thread(platform: str, root: Said) -> Iterator[Labelled]:
    own = f"{platform}:{root.id}"
    repost = f"{platform}:{root.repost_of.id}" if root.repost_of else None
    yield Labelled(_post(own, platform, root, own, repost), root.event)
    for reply in root.comments:
        id_ = f"{platform}:comment/{reply.id}"
        yield Labelled(_post(id_, platform, reply, own, None), root.event)


def _post(id_: str, platform: str, said: Said, thread: str, repost: str | None) -> Post:
    return Post(
        id=id_, platform=platform, source=platform, author=Author(id=f"k1:{said.author}"),
        text=said.text, title=said.title or None, thread_id=thread, repost_of=repost,
        published_at=said.at, first_seen_at=said.at, collected_at=said.at, run_id="bench",
    )  # fmt: skip

"""A demo city whose clock, walls and robots a test sets; it remembers what was asked of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from demo.city import Answer, City
from demo.talk import CLOSED, SYSTEM
from demo.traps import DELETED, VANISHED
from keqing.landing import Landing
from keqing.records import Post

PLAN = """
[brands.mujinhu]
name = "木槿壶"
aliases = ["木槿壶"]
[watch]
target = [
{targets}
]
"""
KINDS = {
    "demo-weibo": ("timeline", ["1001", "1002", "1003", "1005"]),
    "demo-forum": ("board", ["2", "3"]),
    "demo-shop": ("product", ["P1", "P2", "P3"]),
    "demo-news": ("feed", ["rss.xml", "atom.xml"]),
    "demo-talk": ("category", ["latest"]),
}
Fault = Callable[[str, str], Answer | None]


class Town(City):
    """The city as of a clock that stands still; `fault` may answer in its place."""

    def __init__(self, t0: datetime | None = None) -> None:
        self.t0 = t0 or datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=180)
        self.now = self.t0 + timedelta(minutes=180)
        self.asked: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.fault: Fault = lambda site, target: None
        super().__init__(7, self.t0, lambda: self.now)

    def answer(self, site: str, target: str, headers: Mapping[str, str] | None = None) -> Answer:
        """What the city says, unless the test wants otherwise."""
        self.asked.append((site, target))
        self.headers.append(dict(headers or {}))
        return self.fault(site, target) or super().answer(site, target, headers)

    def ids(self, source: str) -> set[str]:
        """Every post of a source that its watched pages show now."""
        world, now = self.world, self.now
        if source == "demo-weibo":
            mine = [
                p
                for p in world.weibo
                if str(p.author) in KINDS[source][1] and p.at <= now and DELETED not in p.flags
            ]
            shown = [*mine, *(p.repost_of for p in mine if p.repost_of is not None)]
            first = [r for p in mine for r in p.comments if r.at <= now]
            replies = [*first, *(a for r in first for a in r.comments if a.at <= now)]
            return {f"weibo:{p.id}" for p in shown} | {f"weibo:comment/{r.id}" for r in replies}
        if source == "demo-forum":
            hidden = {"noperm", VANISHED}
            threads = [t for t in world.threads if t.at <= now and not hidden & set(t.flags)]
            first = {f"discuz:qingyu:{t.id * 1000}" for t in threads}
            return first | {
                f"discuz:qingyu:{c.id}" for t in threads for c in t.comments if c.at <= now
            }
        if source == "demo-shop":
            return {f"shop:mujin:R{r.id}" for r in world.reviews if r.at <= now}
        if source == "demo-talk":
            topics = [t for t in world.topics if t.at <= now and t.id != CLOSED]
            counts = {t.id: 1 + sum(c.at <= now for c in t.comments) for t in topics}
            return {
                f"discourse:qingyu:{t * 1000 + n}"
                for t, count in counts.items()
                for n in range(1, count + 1)
                if n != SYSTEM
            }
        said = [a for a in world.articles if a.at <= now][-40:]
        return {f"feed:qingyu:article-{a.id}" for a in said}


def root_of(town: Town, root: Path, demo_sources: tuple[str, ...] = tuple(KINDS)) -> Path:
    """A folder with a plan that watches the town."""
    (root / "var").mkdir(parents=True, exist_ok=True)
    rows = [
        f'{{ source = "{s}", kind = "{KINDS[s][0]}", key = "{key}" }},'
        for s in demo_sources
        for key in KINDS[s][1]
    ]
    (root / "keqing.toml").write_text(PLAN.format(targets="\n".join(rows)), encoding="utf-8")
    (root / "var" / "city.json").write_text(json.dumps({"sites": town.sites}), encoding="utf-8")
    return root


def start_crawl(root: Path, source: str, *more: str) -> subprocess.Popen[str]:
    """A crawl in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "keqing",
        "crawl",
        source,
        "--root",
        str(root),
        "--json",
        *more,
    ]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )


def crawl(root: Path, source: str, *more: str) -> tuple[int, dict[str, object]]:
    """Exit code and report of one crawl."""
    child = start_crawl(root, source, *more)
    out, err = child.communicate(timeout=120)
    if not out.strip():
        raise RuntimeError(err)
    return child.returncode, json.loads(out.strip().splitlines()[-1])


def landed(root: Path, source: str) -> list[Post]:
    """All posts that landed of a source, in order."""
    landing = Landing(root / "var" / "landing")
    return [post for file in landing.files(source) for post in landing.read(file)]

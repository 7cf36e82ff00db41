"""Influence against followers alone: `python -m bench.influence`.

In:  ../shared/data/alerts/weibo-cascades-dev (followers, verified_type and reposts of 1,683 posts).
Out: Spearman's rank correlation with reposts, of followers alone and of our influence. The authors'
earlier posts are not in the set, so the echo is left out; ties are shared ranks. 1 when ours is lower.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from keqing.records import Author, Post
from nlp.authors import Said, role
from nlp.influence import influence

DATA = Path(__file__).resolve().parents[2] / "shared/data/alerts/weibo-cascades-dev/cascades.csv"
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def correlations(path: Path = DATA) -> tuple[int, float, float]:
    """Posts with known followers, Spearman of followers, Spearman of influence."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["followers"]]
    reposts = [float(row["reposts"]) for row in rows]
    followers = [float(row["followers"]) for row in rows]
    ours = [_influence(int(row["followers"]), row["verified_type"]) for row in rows]
    return len(rows), spearman(followers, reposts), spearman(ours, reposts)


def spearman(one: Sequence[float], two: Sequence[float]) -> float:
    """Pearson's correlation of average ranks."""
    return float(np.corrcoef(_ranks(one), _ranks(two))[0, 1])


def _influence(followers: int, kind: str) -> float:
    checked = int(kind) if kind else None
    author = Author(
        id="k1:x",
        followers=followers,
        verified=checked is not None and checked >= 0,
        verified_type=checked,
    )
    post = Post(
        id="weibo:1", platform="weibo", source="weibo", author=author, run_id="bench",
        first_seen_at=NOW, collected_at=NOW,
    )  # fmt: skip
    judged = role(post, Said(), {}, lived_before=False, suspected=False)
    return influence(followers, [], judged.role).value


def _ranks(values: Sequence[float]) -> np.ndarray:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[place])


def main() -> int:
    """Print both."""
    if not DATA.is_file():
        print(f"{DATA} is missing: nothing to compare with.")
        return 1
    posts, followers, ours = correlations()
    print(f"{posts} posts; Spearman with reposts: followers alone {followers:.3f}, ours {ours:.3f}")
    return int(ours < followers)


if __name__ == "__main__":
    raise SystemExit(main())

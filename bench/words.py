"""Words and themes on open data: `python -m bench.words [--part new|rising|themes] [--seed N]`.

In:  ../shared/data: segmentation (gold words of Weibo posts), topics (two years of hot-search titles;
titles with their class). Out: (new) recall and precision of the first 500 proposals against gold
words that jieba's dictionary lacks; (rising) the share of a day's 20 hottest new titles whose key
term is among the day's 20 strongest rises, beside a plain z-score; (themes) normalised mutual
information of clusters with the classes, beside k-means on TF-IDF. Nothing learns from these files.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from bench.stories import first_stage
from nlp.bursts import SHRINK, Burst, Telling, bursts
from nlp.newwords import FEWEST, RUN, candidates
from nlp.segment import Segmenter, in_dictionary, make_segmenter, stop_words

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
PROPOSALS = 500
HOTTEST, TOP = 20, 20
BEFORE_DAYS = 28
LEAST = (4, 5)  # stories of a rise: what no list can go beyond
SEEDS = (1, 2, 3)
SETS = ("topic_thucnews", "topic_tnews")


def main() -> int:
    """Print the figures; 1 where the data is not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("new", "rising", "themes"))
    parser.add_argument("--seed", type=int, default=20261126, help="draws the days")
    parser.add_argument("--days", type=int, default=40)
    parser.add_argument("--split", choices=("dev", "train"), default="dev", help="of the titles")
    args = parser.parse_args()
    if not SHARED.exists():
        print("../shared/data is not here: nothing to measure on")
        return 1
    if args.part in (None, "new"):
        new_words(SHARED / "segmentation" / "nlpcc2016_weibo_train.seg.gz")
    if args.part in (None, "rising"):
        rising(SHARED / "topics" / "weibo_hotsearch_2024H2_2026H1.csv.gz", args.seed, args.days)
    if args.part in (None, "themes"):
        for name in SETS:
            clustering(SHARED / "topics" / f"{name}_{args.split}.csv.gz")
    return 0


def new_words(path: Path) -> tuple[float, float]:
    """Recall and precision of the first proposals; precision is against every gold word."""
    segmenter = _segmenter()
    with gzip.open(path, "rt", encoding="utf-8") as file:
        cut = [line.split() for line in file]
    known = in_dictionary(segmenter)
    gold = Counter(word for words in cut for word in words)
    lacking = {
        w for w, n in gold.items()
        if n >= FEWEST and len(w) > 1 and RUN.fullmatch(w) and w not in known
    }  # fmt: skip
    found = candidates(["".join(words) for words in cut], known, segmenter.cut)[:PROPOSALS]
    hits = {one.word for one in found}
    recall = len(hits & lacking) / len(lacking)
    precision = len(hits & gold.keys()) / max(1, len(hits))
    print(
        f"new words: {len(cut):,} posts, {len(lacking)} gold words that the dictionary lacks; "
        f"of them {recall:.3f} among the first {len(hits)}, of which {precision:.3f} are gold words, "
        f"{len(hits & lacking) / max(1, len(hits)):.3f} such that occur {FEWEST} times"
    )
    return recall, precision


def rising(path: Path, seed: int, days: int) -> tuple[float, float]:
    """Shares of the hottest new titles that a rise tells: log-likelihood ratio, plain z."""
    by_day: dict[str, dict[str, float]] = defaultdict(dict)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            by_day[row["date"]][row["title"]] = float(row["hot"] or 0)
    dates, segmenter, stop = sorted(by_day), _segmenter(), stop_words()
    words: dict[str, frozenset[str]] = {}
    told, reach = {"ratio": 0, "z": 0}, dict.fromkeys(LEAST, 0)
    hottest = 0
    for n in sorted(Random(seed).sample(range(BEFORE_DAYS, len(dates)), days)):
        past = dates[n - BEFORE_DAYS : n]
        for title in {t for day in (*past, dates[n]) for t in by_day[day]} - words.keys():
            words[title] = frozenset(w for w in segmenter.tokens(title)
                                     if len(w) > 1 and w not in stop)  # fmt: skip
        before = [Telling(t, words[t]) for day in past for t in by_day[day]]
        today = by_day[dates[n]]
        now = [Telling(t, words[t]) for t in today]
        seen = {title for day in past for title in by_day[day]}
        new = sorted((t for t in today if t not in seen), key=lambda t: (-today[t], t))[:HOTTEST]
        hottest += len(new)
        for way, terms in (("ratio", bursts(now, before, TOP)), ("z", plain_z(now, before))):
            risen = {one.term for one in terms}
            told[way] += sum(bool(words[title] & risen) for title in new)
        for least in LEAST:
            any_rise = risen_words(now, before, least)
            reach[least] += sum(bool(words[title] & any_rise) for title in new)
    ratio, z = told["ratio"] / hottest, told["z"] / hottest
    print(
        f"rising terms: {days} days drawn by {seed}, {hottest} hottest new titles; {ratio:.3f} hold one "
        f"of the day's {TOP} rises, by plain z {z:.3f} ({ratio / max(z, 1e-9):.2f} times)"
    )
    for least, count in reach.items():
        print(f"  {count / hottest:.3f} hold any word that rises and that {least} titles tell")
    return ratio, z


def risen_words(now: Sequence[Telling], before: Sequence[Telling], least: int) -> set[str]:
    """All words that stand in a larger share of today's titles than before, and in `least` of them."""
    today = Counter(word for one in now for word in one.words)
    past = Counter(word for one in before for word in one.words)
    n, m = len(now) + 2 * SHRINK, len(before) + 2 * SHRINK
    return {w for w, k in today.items() if k >= least and (k + SHRINK) / n > (past[w] + SHRINK) / m}


def plain_z(now: Sequence[Telling], before: Sequence[Telling]) -> list[Burst]:
    """Terms by (today - daily mean) / √(daily mean + 1), without least counts."""
    today = Counter(word for one in now for word in one.words)
    past = Counter(word for one in before for word in one.words)
    scored = [
        Burst(w, n, past[w], (n - past[w] / BEFORE_DAYS) / math.sqrt(past[w] / BEFORE_DAYS + 1))
        for w, n in today.items()
    ]
    return sorted(scored, key=lambda one: (-one.score, one.term))[:TOP]


def clustering(path: Path, rows: int = 5000) -> float:
    """Mean information over seeds, of as many clusters as there are classes."""
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics import normalized_mutual_info_score as information

    from nlp.clusters import clusters, space
    from nlp.embed import Embedder

    titles = list(_titles(path))[:rows]
    classes = [label for _, label in titles]
    texts, k = [text for text, _ in titles], len(set(classes))
    place = space(Embedder().vectors(texts))
    ours = [information(classes, clusters(place, k, seed)) for seed in SEEDS]
    cut = _segmenter().tokens
    plain = TfidfVectorizer(analyzer=cut, min_df=2, sublinear_tf=True).fit_transform(texts)
    theirs = [
        information(classes, KMeans(k, n_init=1, random_state=seed).fit_predict(plain))
        for seed in SEEDS
    ]
    mean = sum(ours) / len(SEEDS)
    print(
        f"themes: {path.name}, {len(texts):,} titles, k = {k}: information {mean:.3f} "
        f"({min(ours):.3f} to {max(ours):.3f} over {len(SEEDS)} seeds), "
        f"TF-IDF {sum(theirs) / len(SEEDS):.3f}"
    )
    return mean


def _titles(path: Path) -> Iterator[tuple[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["text"], row["label"]


def _segmenter() -> Segmenter:
    return make_segmenter(first_stage())


if __name__ == "__main__":
    raise SystemExit(main())

"""False alarms among reviews, and polarity, without and with the heads: `python -m bench.golden.reviews`.

In:  hotel, takeaway and shopping reviews and three-class Weibo posts of ../shared/data/sentiment (dev), as
if each named a brand of ours: its name goes before the text. Out: reviews per 1,000 that reach what an
alarm asks though they assert no danger (each was read once: tests/nlp/labels/severity_dev.tsv), how many
that do assert one reach it, reviews per 1,000 with a danger that is shown; share whose polarity is
right, is the opposite; for the three-class sets macro-F1 and the share of neutral posts that turn negative.
"""

from __future__ import annotations

import csv
import gzip

import xxhash

from bench.golden.judge import NOTED, SURE
from bench.golden.rows import ROOT, settings
from nlp.said import Reading
from nlp.understand import Reader

DATA = ROOT.parent / "shared" / "data" / "sentiment"
SETS = ("hotel", "takeaway", "shopping")
NAMED = "岩屿，"
WEIBO = ("smp_usual", "smp_virus", "nlpcc2013", "covid_weibo")
SIGNS = {"neg": "negative", "neu": "neutral", "pos": "positive"}
OPPOSITE = {"negative": "positive", "positive": "negative"}
LABELS = ROOT / "tests" / "nlp" / "labels" / "severity_dev.tsv"
Figures = tuple[float, int, float, float, float]


def main() -> int:
    """Print the table; 1 where the data are absent."""
    if not DATA.is_dir():
        print(f"{DATA} is absent")
        return 1
    readers = {"lists": Reader(settings(), weigh=False), "heads": Reader(settings())}
    print(
        f"{'':18} {'reviews':>7} {'false':>6} {'right':>6} {'shown':>6} {'right':>6} {'opposite':>8}"
    )
    for name in SETS:
        texts, labels = _texts(f"bin_{name}")
        for which, reader in readers.items():
            found = _figures(texts, reader.read(texts, [""] * len(texts)), labels)
            cells = "{:6.1f} {:6} {:6.1f} {:6.3f} {:8.3f}".format(*found)
            print(f"{name:10} {which:7} {len(texts):>7} {cells}", flush=True)
    print(f"\n{'':18} {'posts':>7} {'macro':>6} {'neutral read as negative':>25}")
    for name in WEIBO:
        texts, labels = _texts(f"tri_{name}")
        for which, reader in readers.items():
            macro, turned = _weibo(reader.read(texts, [""] * len(texts)), labels)
            print(f"{name:10} {which:7} {len(texts):>7} {macro:6.3f} {turned:25.3f}", flush=True)
    return 0


def _weibo(said: list[Reading], labels: list[str]) -> tuple[float, float]:
    from sklearn.metrics import f1_score

    felt = [str(one.polarity) for one in said]
    neutral = [p for p, label in zip(felt, labels, strict=True) if label == "neutral"]
    return float(f1_score(labels, felt, average="macro")), neutral.count("negative") / len(neutral)


def _texts(name: str) -> tuple[list[str], list[str]]:
    with gzip.open(DATA / f"{name}_dev.csv.gz", "rt", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["text"].strip()]
    return [NAMED + row["text"] for row in rows], [SIGNS[row["label"]] for row in rows]


def _figures(texts: list[str], said: list[Reading], labels: list[str]) -> Figures:
    asserted = _asserted()
    surest = [max((hit.confidence for hit in one.severity), default=0.0) for one in said]
    felt = [str(one.polarity) for one in said]
    pairs = list(zip(felt, labels, strict=True))
    loud = [_digest(text) in asserted for text, p in zip(texts, surest, strict=True) if p >= SURE]
    return (
        1000 * loud.count(False) / len(said),
        loud.count(True),
        1000 * sum(p >= NOTED for p in surest) / len(said),
        sum(a == b for a, b in pairs) / len(said),
        sum(a == OPPOSITE[b] for a, b in pairs) / len(said),
    )


def _digest(text: str) -> str:
    return xxhash.xxh64_hexdigest(text.removeprefix(NAMED).encode())


def _asserted() -> frozenset[str]:
    """Hashes of the reviews that assert a danger."""
    lines = (line.split("\t") for line in LABELS.read_text(encoding="utf-8").splitlines())
    return frozenset(cells[1] for cells in lines if cells[-1] == "asserted")


if __name__ == "__main__":
    raise SystemExit(main())

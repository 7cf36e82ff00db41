"""False alarms among reviews, and their polarity, without and with the heads: `python -m bench.golden.reviews`.

In:  hotel, takeaway and shopping reviews of ../shared/data/sentiment (dev), as if each named a brand of
ours: its name goes before the text. Out: reviews per 1,000 that reach what an alarm asks though they
assert no danger (each was read once: tests/nlp/labels/severity_dev.tsv), how many that do assert one
reach it, reviews per 1,000 with a danger that is shown; share whose polarity is right, is the opposite.
"""

from __future__ import annotations

import csv
import gzip

import xxhash

from bench.golden.judge import NOTED, SURE
from bench.golden.rows import ROOT, settings
from nlp.understand import Reader, Reading

DATA = ROOT.parent / "shared" / "data" / "sentiment"
SETS = ("hotel", "takeaway", "shopping")
NAMED = "岩屿，"
SIGNS = {"neg": "negative", "pos": "positive"}
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
        texts, labels = _reviews(name)
        for which, reader in readers.items():
            found = _figures(texts, reader.read(texts, [""] * len(texts)), labels)
            cells = "{:6.1f} {:6} {:6.1f} {:6.3f} {:8.3f}".format(*found)
            print(f"{name:10} {which:7} {len(texts):>7} {cells}", flush=True)
    return 0


def _reviews(name: str) -> tuple[list[str], list[str]]:
    with gzip.open(DATA / f"bin_{name}_dev.csv.gz", "rt", encoding="utf-8") as file:
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

"""How well the rules read posts they were not made on: `python -m bench.golden [--round N] [--first-stage | --lists]`.

In:  bench/golden/*.tsv. Out: precision, recall, F1 over all classes and macro-F1 of each field, on the
half that rules may be mended on and on the half that only counts. `--errors` lists what was read
wrong, of the first half alone; `--classes` prints each class.
"""

from __future__ import annotations

import argparse

from bench.golden.judge import Counts, Judged, Score, judge
from bench.golden.rows import JUDGE, TUNE

HEAD = f"{'rows':>3} {'right':>5} {'P':>5} {'R':>5} {'F1':>5} {'macro':>5}"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--round", type=int, action="append")
    parser.add_argument("--first-stage", action="store_true")
    parser.add_argument("--lists", action="store_true", help="without the heads")
    parser.add_argument("--errors", nargs="?", const="")
    parser.add_argument("--classes", action="store_true")
    args = parser.parse_args()
    rounds = frozenset(args.round) if args.round else None
    judged = judge(not args.first_stage, rounds, not args.lists)
    if args.errors is not None:
        _list(judged, args.errors)
    _table(judged, args.classes)
    return 0


def _list(judged: Judged, name: str) -> None:
    for error in judged.errors:
        if error.row.half == TUNE and name in error.field:
            print(
                f"{error.field.strip()}\t{error.wanted or '-'} ≠ {error.found or '-'}\t{error.text}"
            )


def _table(judged: Judged, classes: bool) -> None:
    print(f"{'':24}" + "".join(f"{half:>7}: {HEAD}" for half in (TUNE, JUDGE)))
    for name in dict.fromkeys(name for _, name in judged.scores):
        halves = [judged.scores[half, name] for half in (TUNE, JUDGE)]
        print(f"{name:24}" + "".join(map(_cells, halves)))
        each = sorted({one for score in halves for one in score.classes})
        for one in each if classes and len(each) > 1 else ():
            print(f"    {one:20}" + "".join(_class(score.classes[one]) for score in halves))


def _cells(score: Score) -> str:
    """Rows, share of rows that are wholly right, then precision, recall, F1, macro-F1."""
    whole = score.whole
    return (
        f"{score.rows:>12} {score.exact / max(1, score.rows):5.2f} "
        f"{whole.precision:5.2f} {whole.recall:5.2f} {whole.f1:5.2f} {score.macro:5.2f}"
    )


def _class(one: Counts) -> str:
    there = one.right + one.missed
    return f"{there:>12} {'':5} {one.precision:5.2f} {one.recall:5.2f} {one.f1:5.2f} {'':5}"


if __name__ == "__main__":
    raise SystemExit(main())

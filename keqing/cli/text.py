"""Verbs on files of one's own: detect, train, evaluate. They land nothing."""

from __future__ import annotations

import argparse
from pathlib import Path

from keqing.cli.context import AddVerb


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this file."""
    detect = add("detect", _detect, "a count series → alerts", "keqing detect --series a.csv")
    detect.add_argument("--series", type=Path, required=True, help="CSV: timestamp,value")
    detect.add_argument("--out", type=Path, help="CSV of timestamp,anomaly_score; else JSON lines")
    train = add("train", _train, "fit the first stage", "keqing train --data DIR --out DIR")
    train.add_argument("--data", type=Path, action="append", required=True)
    train.add_argument("--out", type=Path, required=True)
    train.add_argument("--seed", type=int, default=7)
    judge = add("evaluate", _evaluate, "figures on labelled sets", "keqing evaluate --data DIR")
    judge.add_argument("--model", type=Path, default=None)
    judge.add_argument("--data", type=Path, action="append", required=True)
    judge.add_argument("--split", default="dev")


def _detect(args: argparse.Namespace) -> int:
    from alerts.series import detect_series, json_lines, read_series, write_scores

    rows = detect_series(read_series(args.series))
    if args.out:
        write_scores(rows, args.out)
        return 0
    for line in json_lines(rows):
        print(line)
    return 0


def _train(args: argparse.Namespace) -> int:
    from nlp.train import train

    train(args.data, args.out, args.seed)
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    from nlp.evaluate import evaluate
    from nlp.linear import SHIPPED

    print(f"{'set':<20} {'rows':>6} {'accuracy':>8} {'macro-F1':>8} {'ECE':>6}")
    for row in evaluate(args.model or SHIPPED, args.data, args.split):
        print(
            f"{row.name:<20} {row.rows:>6} {row.accuracy:>8.3f} {row.macro_f1:>8.3f} {row.ece:>6.3f}"
        )
    return 0

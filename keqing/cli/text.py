"""Verbs on files of one's own: parse, detect, train, evaluate. They land nothing."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path

from keqing.cli.context import AddVerb
from keqing.errors import UsageError


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this file."""
    parse = add("parse", _parse, "a saved page → its rows", "keqing parse rss_atom feed.xml")
    parse.add_argument("kind", nargs="?", help="kind of page; --list names them")
    parse.add_argument("file", type=Path, nargs="?")
    parse.add_argument("--fetched-at", type=datetime.fromisoformat, help="ISO time of the fetch")
    parse.add_argument("--zone", help="IANA zone of the site")
    parse.add_argument("--list", action="store_true", help="name the kinds")
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


def _parse(args: argparse.Namespace) -> int:
    from crawlers.parse import KINDS, parse_file

    if args.list:
        print("\n".join(sorted(KINDS)))
        return 0
    if args.kind is None or args.file is None:
        raise UsageError("parse needs KIND and FILE; keqing parse --list names the kinds")
    rows, parsed = parse_file(args.kind, args.file, args.fetched_at, args.zone)
    for row in rows:
        print(json.dumps(row, ensure_ascii=False))
    for reason, count in sorted(parsed.skipped.items()):
        print(f"skipped {reason}: {count}", file=sys.stderr)
    for sentence in (*parsed.bad, *(f"unknown field {name}" for name in parsed.unknown_fields)):
        print(sentence, file=sys.stderr)
    return 3 if parsed.bad else 0


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

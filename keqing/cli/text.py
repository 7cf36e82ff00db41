"""Verbs on files of one's own: parse, detect, train, evaluate. They land nothing."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path

from keqing.cli.line import AddVerb
from keqing.errors import UsageError


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this file."""
    parse = add(
        "parse", _parse, "a saved page → its raw rows", "keqing parse discuz_viewthread_html a.html"
    )
    parse.add_argument("kind", nargs="?", help="kind of page; --list names them")
    parse.add_argument("file", type=Path, nargs="?")
    parse.add_argument("--fetched-at", type=datetime.fromisoformat)
    parse.add_argument("--zone")
    parse.add_argument("--list", action="store_true")
    train = add(
        "train", _train, "fit the first stage", "keqing train --data DIR --out nlp/models/linear"
    )
    train.add_argument("--data", type=Path, action="append", required=True)
    train.add_argument("--out", type=Path, required=True)
    train.add_argument("--seed", type=int, default=7)


def _parse(args: argparse.Namespace) -> int:
    from crawlers.parse import KINDS, parse_file

    if args.list:
        print("\n".join(sorted(KINDS)))
        return 0
    if args.kind not in KINDS or args.file is None:
        raise UsageError(f"parse KIND FILE: {args.kind!r} is no kind; see keqing parse --list")
    rows, parsed = parse_file(args.kind, args.file, args.fetched_at, args.zone)
    for row in rows:
        print(json.dumps(row, ensure_ascii=False))
    for reason, count in sorted(parsed.skipped.items()):
        print(f"skipped {reason}: {count}", file=sys.stderr)
    for sentence in (*parsed.bad, *(f"unknown field {name}" for name in parsed.unknown_fields)):
        print(sentence, file=sys.stderr)
    return 3 if parsed.bad else 0


def _train(args: argparse.Namespace) -> int:
    from nlp.train import train

    train(args.data, args.out, args.seed)
    return 0

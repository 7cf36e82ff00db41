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
    train = add("train", _train, "fit a stage", "keqing train --data DIR --out DIR")
    train.add_argument("--data", type=Path, action="append", help="folder of labelled CSV")
    train.add_argument("--out", type=Path, help="folder of the model")
    train.add_argument("--corrections", action="store_true",
                       help="learn polarity from staff's corrections, over the models that are there")  # fmt: skip
    train.add_argument("--seed", type=int, default=7)
    train.add_argument("--stage", choices=("first", "second", "heads", "embedder"), default="first")
    train.add_argument("--without", action="append", default=[], help="leave out sets of this name")
    train.add_argument("--base", type=Path, help="folder of the base's ONNX files")
    train.add_argument("--work", type=Path, help="folder for what lies between steps")
    train.add_argument("--step", choices=("prepare", "fit", "finish", "stack", "all"), default="all",
                       help="second stage: one step alone, to fit on another machine; stack: "
                            "both stages together again, after a new first one")  # fmt: skip
    judge = add("evaluate", _evaluate, "figures on labelled sets", "keqing evaluate --data DIR")
    judge.add_argument("--model", type=Path, default=None)
    judge.add_argument("--data", type=Path, action="append", help="folder of labelled CSV")
    judge.add_argument("--corrections", action="store_true",
                       help="by staff's corrections, the half that judges: then and now")  # fmt: skip
    judge.add_argument("--against", metavar="NAME",
                       help="what a set made by score --as NAME would change")  # fmt: skip
    judge.add_argument("--size", type=int, default=20, help="changed posts to name (default 20)")
    judge.add_argument("--split", default="dev")
    judge.add_argument("--second", default="builtin", help="builtin, off, or a folder with a model")
    judge.add_argument("--margin", type=float, help="doubt below which a post goes there")
    judge.add_argument("--confusion", action="store_true", help="truth against answer, a set")


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
    if args.corrections:
        from keqing.cli.house import train_on_corrections

        return train_on_corrections(args)
    if args.out is None or not (args.data or args.stage in ("heads", "embedder")):
        raise UsageError("train needs --data DIR and --out DIR, or --corrections")
    if args.stage != "first":
        return _train_encoder(args)
    from nlp.train import train

    train(args.data, args.out, args.seed, args.without)
    return 0


def _train_encoder(args: argparse.Namespace) -> int:
    from nlp.second.steps import embedder, heads, steps

    if args.stage == "second" and args.step == "stack":
        from nlp.second.stacking import stack_on

        stack_on(args.data, args.out)
        return 0
    if args.base is None or args.work is None:
        raise UsageError(f"train --stage {args.stage} needs --base DIR and --work DIR")
    if args.stage == "heads":
        heads(args.base, args.work, args.out)
        return 0
    if args.stage == "embedder":
        embedder(args.base, args.work, args.out)
        return 0
    steps(args.data, args.base, args.work, args.out, args.without, args.step)
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    if args.corrections:
        from keqing.cli.correct import evaluate_corrections

        return evaluate_corrections(args)
    if args.against:
        from keqing.cli.beside import evaluate_against

        return evaluate_against(args)
    if not args.data:
        raise UsageError("evaluate needs --data DIR or --corrections or --against NAME")
    from keqing.settings import SecondStage
    from nlp import linear
    from nlp.cascade import build
    from nlp.evaluate import evaluate, gains

    plan = SecondStage(model=args.second)
    if args.margin is not None:
        plan = plan.model_copy(update={"margin": args.margin})
    model = build(linear.load(args.model or linear.SHIPPED), plan, Path.cwd())
    rows = []
    heads = ("rows", "accuracy", "first F1", "both F1", "ECE", "second", "posts/s")
    print(f"{'set':<20} " + " ".join(f"{head:>8}" for head in heads))
    for row in evaluate(model, args.data, args.split):
        rows.append(row)
        print(
            f"{row.name:<20} {len(row.truth):>8} {row.accuracy:>8.3f} {row.first_f1:>8.3f} "
            f"{row.macro_f1:>8.3f} {row.ece:>8.3f} {row.share:>8.1%} {row.posts_per_s:>8.0f}"
        )
        if args.confusion:
            print(f"    {json.dumps(row.confusion)}")
    for gain in gains(rows):
        print(f"gain {gain.task:<20} {gain.mean:+.3f}  90 % [{gain.low:+.3f}, {gain.high:+.3f}]")
    return 0

"""Read the command line, call one verb, turn its outcome into an exit code.

In:  argv. Out: exit 0 ok, 1 failed, 2 usage, 3 done in part, 4 bad configuration. With --json the
last stdout line is the report; logs and errors go to stderr. A signal ends a verb with 130.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from keqing.cli import (
    correct,
    crawling,
    doctor,
    export,
    indexing,
    line,
    onepass,
    plan,
    serve,
    staff,
    text,
    themes,
    trouble,
    up,
    upkeep,
    words,
)
from keqing.errors import KeqingError
from keqing.logs import configure_logging
from keqing.process import end_with_starter
from keqing.stack.stop import Stop

INTERRUPTED = 130  # what a shell expects after Ctrl-C
Verb = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; gives the exit code."""
    args = _parser().parse_args(argv)
    configure_logging()
    end_with_starter()
    stop = Stop()
    try:
        with stop.listening():
            code: int | None = stop.unless_asked(lambda: args.call(args))
    except KeqingError as error:
        report = {"error": type(error).__name__, "message": str(error), "retry": error.retry}
        if args.json:
            print(json.dumps(report, ensure_ascii=False))
        print(f"keqing {args.verb}: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    if code is None:  # what the verb held is given back by now
        print(f"keqing {args.verb}: 已停止。", file=sys.stderr)
        return INTERRUPTED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="keqing", description="客情：品牌舆情监测")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for module in (
        up, onepass, plan, serve, crawling, line, staff, export, correct, indexing, upkeep, doctor, trouble, text, words, themes
    ):  # fmt: skip
        module.add_verbs(
            lambda name, call, about, example: _verb(verbs, name, call, about, example)
        )
    return parser


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    call: Verb,
    about: str,
    example: str,
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(
        name,
        help=about,
        description=about,
        epilog=f"example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verb.add_argument("--root", type=Path, default=Path.cwd(), help="folder of keqing.toml")
    verb.add_argument("--json", action="store_true", help="print the report as one JSON line")
    verb.set_defaults(call=call)
    return verb

"""Verb that examines the installation: doctor."""

from __future__ import annotations

import argparse
import os

from keqing.cli.context import AddVerb, show


def add_verbs(add: AddVerb) -> None:
    """Declare the verb of this file."""
    add("doctor", _doctor, "is this machine fit to run; what to do if not", "keqing doctor")


def _doctor(args: argparse.Namespace) -> int:
    from keqing.stack.doctor import examine
    from keqing.stack.place import Place

    report = examine(Place(args.root.resolve(), os.environ))
    if args.json:
        show(args, report)
    else:
        for line in report.checks:
            print(f"{line.state:<4} {line.name:<12} {line.found}")
            if line.advice:
                print(f"{'':17} → {line.advice}")
        print(f"检查 {len(report.checks)} 项，不合格 {report.failed} 项。")
    return 1 if report.failed else 0

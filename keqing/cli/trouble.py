"""Verb by which the schedule tells that something of its own went wrong: trouble."""

from __future__ import annotations

import argparse
from contextlib import suppress

from keqing.cli import line
from keqing.cli.context import AddVerb, context, now, show
from keqing.errors import LeaseHeld


def add_verbs(add: AddVerb) -> None:
    """Declare the verb of this file."""
    verb = add("trouble", _trouble, "tell the operator by mail", "keqing trouble listen.score")
    verb.add_argument("what", help="what is in trouble: a DAG, a task, a stage")
    verb.add_argument("--outcome", choices=["failed", "late"], default="failed")
    verb.add_argument("--detail", default="", help="one sentence; never a post's text")


def _trouble(args: argparse.Namespace) -> int:
    from alerts.ops import trouble

    ctx = context(args)
    report = trouble(ctx.settings, ctx.engine, args.what, args.outcome, args.detail, now())
    with suppress(
        LeaseHeld
    ):  # who sends now, sends this too; the usual sender may be what is stuck
        line.notify_once(ctx)
    show(args, report)
    return 0

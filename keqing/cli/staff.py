"""Verbs of staff and engineers: verify, status."""

from __future__ import annotations

import argparse

from keqing.cli.context import AddVerb, context, show
from keqing.landing import Landing
from keqing.workflow import db, runs

STAGES = ("crawl", "import", "score", "load", "check", "notify")


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this file."""
    add("verify", _verify, "check the landing's hash chain", "keqing verify")
    add("status", _status, "the newest run of each stage", "keqing status")


def _verify(args: argparse.Namespace) -> int:
    show(args, Landing(context(args).settings.var / "landing").verify())
    return 0


def _status(args: argparse.Namespace) -> int:
    ctx = context(args)
    rows: dict[str, str] = {}
    with db.begin(ctx.engine) as tx:
        for stage in STAGES:
            for run in runs.last(tx, stage, limit=1):
                rows[stage] = f"{run.started_at:%Y-%m-%d %H:%M:%SZ} {run.outcome} {run.counts}"
    show(args, rows or {"status": "no run yet"})
    return 0

"""Verbs of the pages: serve them, and the accounts that may sign in."""

from __future__ import annotations

import argparse

from keqing.cli.context import AddVerb, context, now, show
from keqing.workflow import db


def add_verbs(add: AddVerb) -> None:
    """Declare the verbs of this file."""
    serve = add("serve", _serve, "the pages, until a signal ends them", "keqing serve --port 8080")
    serve.add_argument("--host", help="default: [dashboards] host")
    serve.add_argument(
        "--port", type=int, help="default: [dashboards] port; 0 is the kept or a free one"
    )
    account = add("account", _account, "who may sign in", "keqing account reset admin")
    account.add_argument("act", choices=["first", "add", "reset", "list"])
    account.add_argument("name", nargs="?", help="account, for add and reset")
    account.add_argument("--role", default="viewer", help="viewer, analyst, responder, lead, admin")
    account.add_argument("--brand", action="append", help="repeat; default: all brands")


def _serve(args: argparse.Namespace) -> int:
    from dashboards.run import serve

    settings = context(args).settings
    own = settings.plan.dashboards
    serve(settings, args.host or own.host, own.port if args.port is None else args.port, now)
    return 0


def _account(args: argparse.Namespace) -> int:
    from keqing.workflow import accounts, trail

    with db.begin(context(args).engine) as tx:
        if args.act == "list":
            found = accounts.users(tx)
            show(args, {u.name: f"{u.role} {','.join(u.brands)}" for u in found} or {"accounts": 0})
            return 0
        name, password = _password(args, tx)
        if password:
            trail.record(tx, "cli", f"account {args.act}", name, "-", "ok", now())
    if not password:
        show(args, {"account": "none made: accounts exist already; use account reset NAME"})
        return 0
    show(args, {"account": name, "one_time_password": password, "next": "sign in and change it"})
    return 0


def _password(args: argparse.Namespace, tx: db.Tx) -> tuple[str, str]:
    """Name and one-time password of what was asked; no password when nothing was made."""
    from keqing.errors import UsageError
    from keqing.workflow import accounts, sessions

    if args.act == "first":
        return accounts.create_first_admin(tx, now()) or ("", "")
    if not args.name:
        raise UsageError(f"account {args.act} needs a name")
    if args.act == "reset":
        sessions.end_all(tx, args.name)
        return args.name, accounts.reset_password(tx, args.name)
    if args.role not in list(accounts.Role):
        raise UsageError(f"role {args.role!r}: use one of {', '.join(accounts.Role)}")
    brands = args.brand or accounts.ALL_BRANDS
    return args.name, accounts.add_user(tx, args.name, accounts.Role(args.role), brands, now())

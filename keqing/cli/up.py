"""`keqing up`: the system on one machine, in the foreground until Ctrl-C.

In:  the plan. Out: the demo city (if the plan uses it), one pass of the line at once, then Airflow,
which takes over the schedule. SIGINT and SIGTERM end everything that was started.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys

from keqing.cli.context import AddVerb, Context, context, now
from keqing.cli.onepass import run_pass, summary
from keqing.cli.system import System, running
from keqing.logs import configure_logging
from keqing.stack import airflow
from keqing.stack.ports import HOST, Claims, kept_ports
from keqing.stack.secrets import airflow_passwords, airflow_secrets
from keqing.stack.supervisor import Component, answers
from keqing.workflow import accounts, db

BASE_URL = "KEQING__DASHBOARDS__BASE_URL"
DASHBOARDS_PORT = 28090


def add_verbs(add: AddVerb) -> None:
    """Declare the verb of this file."""
    add("up", _up, "start everything and stay in the foreground", "keqing up")


def _up(args: argparse.Namespace) -> int:
    configure_logging(logging.WARNING)
    with running(args) as system, Claims() as claims:
        ports = _ports(system.ctx, claims)
        os.environ[BASE_URL] = f"http://{HOST}:{ports['dashboards']}"  # links in mails
        ctx = context(args)
        system.supervisor.start(_dashboards(ctx, ports["dashboards"]))
        report = system.stop.unless_asked(lambda: run_pass(ctx))
        if report is not None:
            print("\n".join([*summary(ctx, report), *_entrance(ctx)]), flush=True)
        _airflow(ctx, system, ports)
        system.supervisor.watch()
    print("已停止。")
    return 0


def _ports(ctx: Context, claims: Claims) -> dict[str, int]:
    own = ctx.settings.plan.dashboards.port or DASHBOARDS_PORT
    path = ctx.settings.var / "ports.json"
    return kept_ports(path, {"dashboards": own, **airflow.PORTS}, claims)


def _dashboards(ctx: Context, port: int) -> Component:
    root = str(ctx.settings.root)
    command = [sys.executable, "-m", "keqing", "serve", "--root", root, "--port", str(port)]
    address = f"{ctx.settings.plan.dashboards.base_url}/healthz"
    return Component("dashboards", command, {}, lambda: answers(address))


def _entrance(ctx: Context) -> list[str]:
    """Where the pages are; name and one-time password of a new installation's administrator."""
    lines = [f"看板 {ctx.settings.plan.dashboards.base_url}"]
    with db.begin(ctx.engine) as tx:
        made = accounts.create_first_admin(tx, now())
    if made:
        lines.append(f"登录 {made[0]}  一次性密码 {made[1]}  (首次登录须修改)")
    return lines


def _airflow(ctx: Context, system: System, ports: dict[str, int]) -> None:
    settings, stop = ctx.settings, system.stop
    secrets, passwords = airflow_secrets(settings.var, os.environ), airflow_passwords(settings.var)
    env = airflow.environment(settings.root, ports, secrets)
    if stop.asked.is_set():
        return
    print("\n启动 Airflow …", flush=True)
    stop.unless_asked(lambda: airflow.migrate(settings.root, env))
    for component in airflow.components(env):
        if stop.asked.is_set():
            return
        system.supervisor.start(component)
    base = env["AIRFLOW__API__BASE_URL"]
    if stop.unless_asked(lambda: _switched_on(base, passwords["ops"])):
        print(
            f"Airflow {base}  用户 ops，密码见 var/passwords.json\n运行中；Ctrl-C 停止。",
            flush=True,
        )


def _switched_on(base: str, password: str) -> bool:
    rest = airflow.Rest(base, "ops", password)
    rest.create_pools()
    for dag in airflow.DAGS:
        rest.unpause(dag)
    return True

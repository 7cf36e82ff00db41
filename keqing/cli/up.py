"""`keqing up`: the system on one machine, in the foreground until Ctrl-C.

In:  the plan. Out: the demo city (if the plan uses it), one pass of the line at once, then Airflow,
which takes over the schedule. SIGINT and SIGTERM end everything that was started.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import threading
from contextlib import nullcontext

from keqing.cli.city import city_running
from keqing.cli.context import AddVerb, Context, context, now
from keqing.cli.onepass import run_pass, summary
from keqing.logs import configure_logging
from keqing.stack import airflow
from keqing.stack.ports import kept_ports
from keqing.stack.secrets import airflow_passwords, airflow_secrets
from keqing.stack.supervisor import Supervisor
from keqing.workflow import leases


def add_verbs(add: AddVerb) -> None:
    """Declare the verb of this file."""
    add("up", _up, "start everything and stay in the foreground", "keqing up")


def _up(args: argparse.Namespace) -> int:
    configure_logging(logging.WARNING)
    ctx, stop = context(args), threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: stop.set())
    settings = ctx.settings
    with leases.hold(ctx.engine, "up", leases.this_process("up"), now):
        with city_running(settings) if settings.plan.demo else nullcontext():
            fresh = context(args)  # again: the city has written its addresses
            with Supervisor(settings.var, stop) as supervisor:
                report = run_pass(fresh, stop.is_set)
                if not stop.is_set():
                    print("\n".join(summary(fresh, report)), flush=True)
                _airflow(fresh, supervisor, stop)
                supervisor.watch()
    print("已停止。")
    return 0


def _airflow(ctx: Context, supervisor: Supervisor, stop: threading.Event) -> None:
    settings = ctx.settings
    ports = kept_ports(settings.var / "ports.json", airflow.PORTS)
    secrets, passwords = airflow_secrets(settings.var, os.environ), airflow_passwords(settings.var)
    env = airflow.environment(settings.root, ports, secrets)
    if stop.is_set():
        return
    print("\n启动 Airflow …", flush=True)
    airflow.migrate(settings.root, env)
    for component in airflow.components(env):
        if stop.is_set():
            return
        supervisor.start(component)
    if stop.is_set():
        return
    base = env["AIRFLOW__API__BASE_URL"]
    rest = airflow.Rest(base, "ops", passwords["ops"])
    rest.create_pools()
    for dag in airflow.DAGS:
        rest.unpause(dag)
    print(f"Airflow {base}  用户 ops，密码见 var/passwords.json\n运行中；Ctrl-C 停止。", flush=True)

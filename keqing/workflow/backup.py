"""A copy of the workflow database for the night, beside running writers.

In:  the settings, the engine, a folder. Out: one new file in it: `keqing.db`, a whole SQLite database, or
`keqing.dump` in pg_dump's custom format. Without pg_dump none: the server's own backup must do.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from keqing.errors import WorkflowError
from keqing.settings import Settings
from keqing.workflow import postgres
from keqing.workflow.db import Engine
from keqing.workflow.postgres import Address

LIMIT_S = 3600.0
SHOWN = 600  # characters of what pg_dump says


def snapshot(
    settings: Settings, engine: Engine, folder: Path, env: Mapping[str, str] | None = None
) -> Path | None:
    """Write the copy; None when it is the server's work, as no pg_dump is here.

    Raises:
        WorkflowError: the copy failed; no half file is left.
    """
    at = postgres.address(settings, env)
    if at is None:
        return _sqlite(engine, folder / "keqing.db")
    program = dump_program(env)
    return None if program is None else _dump(program, at, folder / "keqing.dump")


def dump_program(env: Mapping[str, str] | None = None) -> str | None:
    """Where pg_dump is; None if it is not on PATH."""
    return shutil.which("pg_dump", path=(os.environ if env is None else env).get("PATH"))


def dump_version(program: str) -> int:
    """Its major version: it copies servers of this version and older ones."""
    done = subprocess.run(  # noqa: S603  # found by shutil.which
        [program, "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    found = re.search(r"(\d+)", done.stdout)
    return int(found[1]) if found else 0


def _sqlite(engine: Engine, path: Path) -> Path:
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("VACUUM INTO ?", (str(path),))
    except engine.dialect.loaded_dbapi.Error as error:
        raise WorkflowError(f"{path}: the copy failed: {error}") from error
    finally:
        connection.close()
    return path


def _dump(program: str, at: Address, path: Path) -> Path:
    env = {"PATH": os.environ.get("PATH", ""), "PGAPPNAME": "keqing", "LC_ALL": "C.UTF-8"}
    env |= {"PGCONNECT_TIMEOUT": f"{max(2, round(at.timeout_s))}"}
    if at.password is not None:
        env["PGPASSWORD"] = at.password  # never an argument, which every process may read
    if at.tls:
        env |= {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(at.ca or "system")}
    command = [
        program, "--format=custom", "--no-owner", "--no-privileges", "--no-password", f"--file={path}",
        f"--host={at.host}", f"--port={at.port}", f"--username={at.user}", f"--dbname={at.database}",
    ]  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603  # found by shutil.which
            command, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        path.unlink(missing_ok=True)
        raise WorkflowError(f"{at.shown}: pg_dump took longer than {LIMIT_S:g} s") from error
    if done.returncode:
        path.unlink(missing_ok=True)
        raise WorkflowError(f"{at.shown}: pg_dump failed: {done.stderr.strip()[-SHOWN:]}")
    path.chmod(0o600)
    return path

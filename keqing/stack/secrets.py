"""Secrets of one machine, made once and kept in var/secrets (0600).

In:  var, the environment. Out: environment for child processes. A variable or its `_FILE` wins.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from keqing.private import private_folder
from keqing.settings import secret

FERNET = "AIRFLOW__CORE__FERNET_KEY"
NAMES = ("AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__API__SECRET_KEY", FERNET)
USERS = ("pr", "ops")


def airflow_secrets(var: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Airflow's three secrets: every process must have the same."""
    return {
        name: secret(name, env) or _kept(var / "secrets" / name, _drawn(name)) for name in NAMES
    }


def airflow_passwords(var: Path) -> dict[str, str]:
    """Passwords of Airflow's users; written before its first start, which would write them 0644."""
    path = var / "passwords.json"
    drawn = json.dumps({name: secrets.token_urlsafe(12) for name in USERS})
    passwords: dict[str, str] = json.loads(_kept(path, drawn))
    return passwords


def _drawn(name: str) -> str:
    raw = secrets.token_bytes(32)
    return base64.urlsafe_b64encode(raw).decode() if name == FERNET else raw.hex()


def _kept(path: Path, value: str) -> str:
    """The file's words; written with `value` if it is missing, readable by its owner only."""
    private_folder(path.parent)
    if not path.exists():
        part = path.with_name(f"{path.name}.{os.getpid()}")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(value)
        part.replace(path)
    return path.read_text(encoding="utf-8").strip()

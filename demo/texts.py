"""Sentences from templates: the same random numbers give the same words.

In:  texts.toml. Out: filled sentences.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

SLOT = re.compile(r"\{(\w+)\}")


@cache
def book() -> dict[str, Any]:
    """All templates and slots."""
    return tomllib.loads((Path(__file__).parent / "texts.toml").read_text(encoding="utf-8"))


@cache
def script() -> dict[str, Any]:
    """The crisis, minute by minute."""
    return tomllib.loads((Path(__file__).parent / "script.toml").read_text(encoding="utf-8"))


def say(random: Random, part: str, kind: str) -> str:
    """A sentence of `[part] kind`."""
    templates = book()[part][kind]
    template = templates if isinstance(templates, str) else random.choice(templates)
    return SLOT.sub(lambda m: random.choice(book()["slots"][m[1]]), template)

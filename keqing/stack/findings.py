"""What a check of the doctor says.

In:  nothing. Out: a Found (made by `ok`, `warn`, `fail`), a Line with its check's name, the report.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel


class State(StrEnum):
    """How a check went; only a fail keeps the system from its work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Line(BaseModel):
    """One check: what was found, what to do."""

    name: str
    state: State
    found: str
    advice: str = ""


class DoctorReport(BaseModel):
    """All lines, and how many of them fail."""

    checks: list[Line]
    failed: int


@dataclass(frozen=True)
class Found:
    """A line that has no name yet."""

    state: State
    found: str
    advice: str = ""


def ok(found: str) -> Found:
    """All is well."""
    return Found(State.OK, found)


def warn(found: str, advice: str) -> Found:
    """The system works, with less than it could."""
    return Found(State.WARN, found, advice)


def fail(found: str, advice: str) -> Found:
    """The system does not work, or not safely."""
    return Found(State.FAIL, found, advice)

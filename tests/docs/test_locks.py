"""The locks are clean and whole: no address, no torch, exact versions, on each Python the same set."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.11", "3.12", "3.13")
LOCKS = {"requirements.lock": None, "requirements-dev.lock": "dev"}  # file → extra


def lines(name: str) -> list[str]:
    return (ROOT / name).read_text(encoding="utf-8").splitlines()


def environment(python: str, extra: str = "") -> dict[str, str]:
    """Linux on a usual machine with this Python."""
    return {
        "python_version": python, "python_full_version": f"{python}.4", "extra": extra,
        "sys_platform": "linux", "platform_system": "Linux", "os_name": "posix",
        "platform_machine": "x86_64", "implementation_name": "cpython",
        "platform_python_implementation": "CPython", "implementation_version": f"{python}.4",
    }  # fmt: skip


def applies(marker: Marker | None, python: str, extras: set[str]) -> bool:
    return marker is None or any(marker.evaluate(environment(python, e)) for e in extras | {""})


def locked(name: str, python: str) -> dict[str, Version]:
    """Package → version on one Python; a package twice is a hole of its own."""
    found: dict[str, Version] = {}
    for line in lines(name):
        wanted = Requirement(line)
        if applies(wanted.marker, python, set()):
            package = canonicalize_name(wanted.name)
            assert package not in found, line
            found[package] = Version(next(iter(wanted.specifier)).version)
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_lock_is_clean(name: str) -> None:
    """Every line is `name==version` with at most a marker."""
    for line in lines(name):
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[^\s;]+( ; .+)?", line), line
        assert not re.match(r"torch\b", line)


def test_dev_lock_holds_the_run_lock() -> None:
    """What tests run on is what users run on."""
    assert set(lines("requirements.lock")) <= set(lines("requirements-dev.lock"))


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", LOCKS)
def test_no_python_has_a_hole(name: str, python: str) -> None:
    """From the project's dependencies on, all that a package asks for on this Python is locked.

    What a package asks for is read where it is installed; one that this Python does not install is
    looked at by the run on the other.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = LOCKS[name]
    there = locked(name, python)
    todo = [*project["dependencies"], *(project["optional-dependencies"][extra] if extra else ())]
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(text) for text in todo]
    while waiting:
        wanted = waiting.pop()
        package = canonicalize_name(wanted.name)
        assert package in there, f"{wanted} is not in {name} on Python {python}"
        assert wanted.specifier.contains(there[package], prereleases=True), wanted
        key = package, frozenset(wanted.extras)
        if key not in seen:
            seen.add(key)
            waiting += asked_by(package, python, set(wanted.extras))
    assert len(seen) > 150


def asked_by(package: str, python: str, extras: set[str]) -> list[Requirement]:
    """What a package asks for on a Python; it must itself allow that Python."""
    try:
        there = distribution(package)
    except PackageNotFoundError:
        return []
    allowed = SpecifierSet(there.metadata.get("Requires-Python") or "")
    assert allowed.contains(f"{python}.4"), f"{package} {there.version} needs Python {allowed}"
    wanted = [Requirement(text) for text in there.requires or ()]
    return [need for need in wanted if applies(need.marker, python, extras)]

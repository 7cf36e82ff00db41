"""A TOML file read into a checked record: what is wrong is said with file, line, field and nearest name."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from keqing.errors import BadConfig
from keqing.settings.part import Part

T = TypeVar("T", bound=BaseModel)
LINE_OF_KEY = r"^\s*(?:\[+[^\]]*{key}[^\]]*\]+|[\"']?{key}[\"']?\s*=)"


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a file.

    Raises:
        BadConfig: it is missing, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadConfig(f"{path} is missing. Copy keqing.toml from the repository.") from None
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"{path}: not TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise BadConfig(f"{path}: not UTF-8 at byte {error.start}") from error


def build(model: type[T], raw: dict[str, Any], path: Path) -> T:
    """`raw` of `path`, checked.

    Raises:
        BadConfig: a sentence for each wrong field.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise BadConfig("\n".join(_sentence(model, e, path) for e in error.errors())) from error


def _sentence(model: type[BaseModel], error: Any, path: Path) -> str:
    where = [str(part) for part in error["loc"]]
    field = ".".join(where)
    names = [key for part in (model, *Part.__subclasses__()) for key in part.model_fields]
    hint = nearest(where[-1], names) if error["type"] == "extra_forbidden" else ""
    return f"{path}:{line_of(path, *where)}: {field}: {error['msg']}.{hint}"


def nearest(name: str, names: list[str]) -> str:
    """` Did you mean …?`, or nothing."""
    near = difflib.get_close_matches(name, names, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def line_of(path: Path, *keys: str) -> int:
    """Line of the deepest key of a key path that stands in the text; 1 if none does."""
    lines = path.read_text(encoding="utf-8").splitlines()
    at = 0
    for key in keys:
        pattern = re.compile(LINE_OF_KEY.replace("{key}", re.escape(key)))
        found = next((n for n in range(at, len(lines)) if pattern.search(lines[n])), None)
        if found is None:
            found = next((n for n in range(at, len(lines)) if key in lines[n]), None)
        at = at if found is None else found
    return at + 1

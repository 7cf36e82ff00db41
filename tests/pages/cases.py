"""The page fixtures: one folder a case, written by the project in the true shape of its site.

In:  tests/pages/<site>/<page>/<case>/ with input.*, meta.toml, expected.json. Out: Cases.
"""

from __future__ import annotations

import dataclasses
import json
import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crawlers.pages.page import Item, Page, Parsed
from crawlers.parse import KINDS

ROOT = Path(__file__).parent
BARE = Item(native_id=None)


@dataclass(frozen=True)
class Case:
    """One saved answer and what must be read from it."""

    name: str
    kind: str
    page: Page
    expected: dict[str, Any]

    def parse(self, body: bytes | None = None) -> Parsed:
        """The parser's answer, to another body if one is given."""
        page = self.page if body is None else dataclasses.replace(self.page, body=body)
        return KINDS[self.kind](page)


def cases() -> list[Case]:
    """All cases, by name."""
    return [_case(path.parent) for path in sorted(ROOT.rglob("meta.toml"))]


def row_of(item: Item) -> dict[str, Any]:
    """What an item says: every field that is not its default."""
    said = dataclasses.asdict(item)
    row = {k: v for k, v in said.items() if v != getattr(BARE, k) or k == "native_id"}
    if item.created_at is not None:
        row["created_at"] = item.created_at.isoformat()
    plain: dict[str, Any] = json.loads(json.dumps(row))
    return plain


def _case(folder: Path) -> Case:
    meta = tomllib.loads((folder / "meta.toml").read_text(encoding="utf-8"))
    page = Page(
        body=next(folder.glob("input.*")).read_bytes(),
        url=meta["url"],
        status=meta["status"],
        headers={"content-type": meta.get("content_type", "")},
        fetched_at=datetime.fromisoformat(meta["fetched_at"]),
        zone=meta.get("zone"),
        facts=meta.get("facts", {}),
    )
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    return Case(str(folder.relative_to(ROOT)), meta["kind"], page, expected)

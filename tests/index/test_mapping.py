"""A changed layout is a new version, on both engines."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from index import elastic_content
from index.body import FIELDS
from index.elastic_content import DICTIONARIES
from index.elastic_mapping import MAPPING, OLD, VERSION, Names
from index.schema import INDEX_VERSION, LAYOUT

# When one of these moves, raise its version and write the new digest here.
EMBEDDED = {4: "84018c253728632c"}
SERVER = {4: "331c1c059741d69c"}
# A dictionary that was shipped stays: a better one gets the next number and a file of its own.
SHIPPED = {1: "305b8354c5e7d6ed"}


def digest(layout: object) -> str:
    return hashlib.sha256(json.dumps(layout, sort_keys=True).encode()).hexdigest()[:16]


def test_mapping_matches_version() -> None:
    """A field that is added without a new version would meet old indices without it."""
    assert digest(LAYOUT) == EMBEDDED[INDEX_VERSION]
    assert digest((MAPPING, FIELDS)) == SERVER[VERSION]


def test_a_shipped_dictionary_stays() -> None:
    """Columns that were squeezed with it could not be read with another."""
    folder = Path(elastic_content.__file__).parent
    found = {n: (folder / name).read_bytes() for n, name in DICTIONARIES.items()}
    assert {n: hashlib.sha256(said).hexdigest()[:16] for n, said in found.items()} == SHIPPED


def test_a_post_lies_in_the_month_of_beijing() -> None:
    """The index follows from the post's own time; old posts share one."""
    names = Names("keqing")
    month_end = 1_793_462_399  # 2026-10-31 23:59:59 +08:00
    assert names.month("v1-1", month_end) == "keqing-mentions-v1-1-2026.10"
    assert names.month("v1-1", month_end + 1) == "keqing-mentions-v1-1-2026.11"
    assert names.month("v1-1", -3600) == f"keqing-mentions-v1-1-{OLD}"

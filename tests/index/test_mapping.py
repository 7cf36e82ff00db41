"""A changed layout is a new version, on both engines."""

from __future__ import annotations

import hashlib
import json

from index.elastic_mapping import MAPPING, OLD, Names
from index.schema import INDEX_VERSION, LAYOUT

# When one of these moves, raise INDEX_VERSION and write the new digest here.
DIGESTS = {3: ("5ef7f7093554b40f", "dc301c993efb524e")}


def digest(layout: object) -> str:
    return hashlib.sha256(json.dumps(layout, sort_keys=True).encode()).hexdigest()[:16]


def test_mapping_matches_version() -> None:
    """A field that is added without a new version would meet old indices without it."""
    assert (digest(MAPPING), digest(LAYOUT)) == DIGESTS[INDEX_VERSION]


def test_a_post_lies_in_the_month_of_beijing() -> None:
    """The index follows from the post's own time; old posts share one."""
    names = Names("keqing")
    month_end = 1_793_462_399  # 2026-10-31 23:59:59 +08:00
    assert names.month("v1-1", month_end) == "keqing-mentions-v1-1-2026.10"
    assert names.month("v1-1", month_end + 1) == "keqing-mentions-v1-1-2026.11"
    assert names.month("v1-1", -3600) == f"keqing-mentions-v1-1-{OLD}"

"""Saved real pages give the rows that were written down for them."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crawlers.parse import KINDS, parse_file

CST = ZoneInfo("Asia/Shanghai")
FEED_FIELDS = ("title", "author_name", "created_at")
FIELDS = ("author_name", "author_id", "text", "title", "created_at", "likes", "comments", "reposts",
          "rating", "floor", "region", "repost_of", "embedded", "truncated", "flags")  # fmt: skip


def same(name: str, ours: object, theirs: object) -> bool:
    if name in ("text", "title"):
        return squeezed(ours) == squeezed(theirs)
    if name == "created_at" and ours and theirs:
        return moment(ours) == moment(theirs)
    if name == "rating" and theirs is not None:
        return ours is not None and float(str(ours)) == float(str(theirs))
    if name == "flags":  # the database knows of a picture that the page does not show
        return set(ours) - {"img"} == set(theirs) - {"img"}  # type: ignore[call-overload]
    return ours == theirs


def same_day(name: str, ours: object, theirs: object) -> bool:
    """A list shows days, the database seconds."""
    if name == "created_at" and ours and theirs:
        return moment(ours).astimezone(CST).date() == moment(theirs).astimezone(CST).date()
    return same(name, ours, theirs)


def by_id(row: dict[str, object]) -> str:
    return str(row["native_id"])


def squeezed(value: object) -> str | None:
    return None if value is None else "".join(str(value).replace("\u200b", "").split())


def moment(value: object) -> datetime:
    return datetime.fromisoformat(str(value).replace("Z", "+00:00"))


def expected(folder: Path, name: str) -> list[dict[str, object]]:
    text = (folder / "expected" / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def key(row: dict[str, object]) -> tuple[object, object]:
    return row["native_id"], row.get("embedded") or False


def test_samples_give_their_rows(shared_data: Path) -> None:
    """Per kind: every expected row, none besides, and 99.5 % of every field that is written down."""
    folder = shared_data / "crawl-samples"
    right: Counter[tuple[str, str]] = Counter()
    asked: Counter[tuple[str, str]] = Counter()
    with open(folder / "manifest.csv", encoding="utf-8", newline="") as file:
        samples = list(csv.DictReader(file))
    for sample in samples:
        kind = sample["source_kind"]
        rows, parsed = parse_file(kind, folder / "raw" / sample["file"])
        wanted = expected(folder, sample["file"])
        if kind == "discuz_list_html":  # written down in the order of the forum's database
            rows, wanted = sorted(rows, key=by_id), sorted(wanted, key=by_id)
        assert [key(row) for row in rows] == [key(row) for row in wanted], sample["file"]
        if not wanted:
            assert parsed.skipped
        for ours, theirs in zip(rows, wanted, strict=True):
            for name in FEED_FIELDS if kind == "rss_atom" else FIELDS:
                if name in theirs:
                    asked[kind, name] += 1
                    agree = same_day if kind == "discuz_list_html" else same
                    right[kind, name] += agree(name, ours[name], theirs[name])
    poor = {place: right[place] / n for place, n in asked.items() if right[place] < 0.995 * n}
    assert poor == {}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"<html><body>hello</body></html>", b"[1, null, {}]", "{\"数\": 1}".encode("gb18030"),
     b'{"ok":1,"data":{"cards":[{"mblog":{"id":"x"}},7]}}', b"<rss><channel><item><title>a"],
)  # fmt: skip
def test_a_broken_page_gives_a_counted_reason(tmp_path: Path, kind: str, body: bytes) -> None:
    """No body raises; what cannot be read is counted or named."""
    (tmp_path / "page").write_bytes(body)
    rows, parsed = parse_file(kind, tmp_path / "page")
    assert rows == []
    assert parsed.skipped or parsed.bad

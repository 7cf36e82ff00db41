"""The landing keeps what it accepted, in order, and notices every change."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keqing.errors import ChainBroken, LandingError
from keqing.landing import Landing
from keqing.records import Author, Post

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


def post(n: int, author: str | None = "k1:ab") -> Post:
    return Post(
        id=f"weibo:{n}",
        platform="weibo",
        source="demo",
        author=Author(id=author),
        text=f"第{n}条",
        first_seen_at=NOW,
        collected_at=NOW,
        run_id="r1",
    )


def landed(root: Path, *numbers: int, run: str = "r1") -> list[str]:
    with Landing(root).writer("demo", NOW, run) as writer:
        writer.append([post(n) for n in numbers])
        return writer.close()


def test_what_is_appended_is_read_back(tmp_path: Path) -> None:
    """Every appended Post comes back equal, in order."""
    landing = Landing(tmp_path)
    files = landed(tmp_path, 1, 2, 3)
    assert landing.files() == files
    assert [p for f in files for p in landing.read(f)] == [post(1), post(2), post(3)]
    assert landing.verify().rows == 3


def test_a_native_author_id_is_refused(tmp_path: Path) -> None:
    """An author id that is no pseudonym never reaches the disk."""
    with (
        Landing(tmp_path).writer("demo", NOW, "r1") as writer,
        pytest.raises(LandingError),
    ):
        writer.append([post(1, author="12345")])
    assert Landing(tmp_path).files() == []


def test_a_killed_run_loses_nothing_it_accepted(tmp_path: Path) -> None:
    """A part without its last line's end is landed up to the last whole line by the next run."""
    writer = Landing(tmp_path).writer("demo", NOW, "dead")
    writer.append([post(1), post(2)])
    part = next((tmp_path / "parts" / "demo").glob("*.part"))
    part.write_bytes(part.read_bytes()[:-5])
    next(part.parent.glob("*.alive")).unlink()  # its process is gone
    landed(tmp_path, 3, run="next")
    ids = [p.id for f in Landing(tmp_path).files() for p in Landing(tmp_path).read(f)]
    assert ids == ["weibo:1", "weibo:3"]
    assert Landing(tmp_path).verify().entries == 2


def test_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    """A second writer of the source does not take the first one's open part."""
    first = Landing(tmp_path).writer("demo", NOW, "one")
    first.append([post(1)])
    landed(tmp_path, 2, run="two")
    first.append([post(3)])
    first.close()
    ids = sorted(p.id for f in Landing(tmp_path).files() for p in Landing(tmp_path).read(f))
    assert ids == ["weibo:1", "weibo:2", "weibo:3"]


@pytest.mark.parametrize("harm", ["byte", "line", "missing"])
def test_verify_names_the_first_break(tmp_path: Path, harm: str) -> None:
    """A flipped byte, a lost manifest line or a missing file is named by source and seq."""
    files = landed(tmp_path, 1, run="a") + landed(tmp_path, 2, run="b")
    landed(tmp_path, 3, run="c")
    path, manifest = tmp_path / files[1], tmp_path / "manifest" / "demo.jsonl"
    if harm == "byte":
        text = gzip.decompress(path.read_bytes()).replace("第2".encode(), "第9".encode())
        path.write_bytes(gzip.compress(text, mtime=0))
    elif harm == "line":
        lines = manifest.read_bytes().splitlines(keepends=True)
        manifest.write_bytes(lines[0] + lines[2])
    else:
        path.unlink()
    with pytest.raises(ChainBroken, match=r"demo seq [12]"):
        Landing(tmp_path).verify()

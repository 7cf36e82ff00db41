"""What the system keeps is closed to other users from the first folder on."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from keqing.landing import Landing
from keqing.private import private_folder


def mode(path: Path) -> int:
    """Rights of a folder."""
    return path.stat().st_mode & 0o777


def test_each_missing_folder_is_closed_and_what_stood_stays(tmp_path: Path) -> None:
    """With a wide umask too; a folder that was there keeps its rights."""
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "open").chmod(0o755)
    before = os.umask(0)
    try:
        made = private_folder(tmp_path / "open" / "var" / "landing" / "day")
    finally:
        os.umask(before)
    assert [mode(made), mode(made.parent), mode(made.parent.parent)] == [0o700] * 3
    assert mode(tmp_path / "open") == 0o755
    assert private_folder(made) == made


def test_the_first_file_that_lands_leaves_no_open_var(tmp_path: Path) -> None:
    """Where the workflow is on a server, the landing is what makes var/."""
    writer = Landing(tmp_path / "var" / "landing").writer(
        "forum", datetime(2026, 11, 1, tzinfo=UTC), "r" * 8
    )
    writer.close()
    assert mode(tmp_path / "var") == 0o700

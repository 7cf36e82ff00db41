"""Folders that only the user who runs the system may enter.

In:  a path. Out: the folder, and each missing one above it, closed to others.
"""

from __future__ import annotations

from pathlib import Path

ONLY_OURS = 0o700


def private_folder(path: Path) -> Path:
    """Make `path` where it is missing, and return it.

    `Path.mkdir(parents=True, mode=…)` closes the last folder alone: those above it would be open.
    """
    for folder in (*reversed(path.parents), path):
        if not folder.exists():
            folder.mkdir(mode=ONLY_OURS, exist_ok=True)
    return path

"""Small facts that the system keeps between its starts, as JSON files.

In:  a path, a value. Out: a file that a reader, or the start after a kill, finds whole: the old or the
new one.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from keqing.private import private_folder


def keep(path: Path, value: object) -> None:
    """Write aside, then rename."""
    private_folder(path.parent)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps(value, indent=1), encoding="utf-8")
    aside.replace(path)

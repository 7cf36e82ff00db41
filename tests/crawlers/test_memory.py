"""A crawl that holds too much is ended and says so; what its parent held does not count."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np

from crawlers.memory import CurrentMemory
from keqing.workflow import db, targets
from tests.crawlers.town import Town, root_of

MB = 2**20


def test_what_was_given_back_does_not_count() -> None:
    """Now, not the peak: a process takes the peak of the one that started it along."""
    held = np.ones(40 * MB)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    held_bytes = held.nbytes
    del held
    now = CurrentMemory.get_virtual_size(CurrentMemory.__new__(CurrentMemory))
    assert 0 < now < most - held_bytes // 2


def test_the_limit_is_no_calm_source(tmp_path: Path) -> None:
    """Ended before its first page a crawl saw nothing: exit 3, and blind when it happens again."""
    town = Town()
    town.start()
    try:
        root = root_of(town, tmp_path)
        program = (
            "import sys, crawlers.politeness as p; p.MEMORY_MB = 1; "
            "from keqing.cli.main import main; sys.exit(main(sys.argv[1:]))"
        )
        command = [sys.executable, "-c", program, "crawl", "demo-news", "--json", "--root", root]
        for _ in range(2):
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
            report = json.loads(done.stdout.strip().splitlines()[-1])
            assert (done.returncode, report["verdict"]) == (3, "FETCHED_NOTHING")
            assert report["gaps"] == ["提前结束 (ended early): memusage_exceeded"]
    finally:
        town.stop()
    with db.read(db.open_file(root / "var" / "keqing.db")) as tx:
        state = targets.state(tx, "demo-news")
    assert state is not None
    assert state.state == "blind"

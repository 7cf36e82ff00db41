"""Ctrl-C ends a pass at once, wherever it is, and leaves no process and no lock; bars on a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select as ready
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from keqing.landing import Landing
from keqing.stack.stop import Interrupted, Stop
from keqing.workflow import db, leases, runs
from tests.crawlers.town import Town, landed, root_of, start_crawl

ROOT = Path(__file__).resolve().parents[2]
SOON_S = 20.0  # 3 s on an idle machine; what waits for the work to end takes longer than this
PLAN = (ROOT / "keqing.toml").read_text(encoding="utf-8")
ONE_FEED = (
    PLAN.partition("\n[watch]")[0]
    + '\n[watch]\ntarget = [{ source = "demo-news", kind = "feed", key = "rss.xml" }]\n'
)
pytestmark = pytest.mark.end_to_end


def start(root: Path, *more: str) -> subprocess.Popen[str]:
    """A pass whose crawls take long enough to be met: the city's forum keeps its distance."""
    return subprocess.Popen(
        [sys.executable, "-m", "keqing", "demo", "--root", str(root), *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def heard() -> None:
    """A suite that runs in the background ignores Ctrl-C, and so would what it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def until(found: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not found() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    if process.poll() is not None:
        pytest.fail(f"it ended with {process.returncode} before: {process.communicate()}")


def running(root: Path, stage: str) -> bool:
    path = root / "var" / "keqing.db"
    if not path.exists():
        return False
    with db.read(db.open_file(path)) as tx:
        return any(run.outcome == "running" for run in runs.last(tx, stage))


def left_of(root: Path) -> str:
    """Processes that work in a folder."""
    return subprocess.run(
        ["pgrep", "-f", str(root)], capture_output=True, text=True, check=False
    ).stdout


def nothing_left(root: Path) -> None:
    assert left_of(root) == ""
    with db.read(db.open_file(root / "var" / "keqing.db")) as tx:
        assert tx.execute(leases.LEASES.select()).all() == []
        assert not any(
            run.outcome == "running" for s in ("crawl", "score") for run in runs.last(tx, s)
        )
    assert list((root / "var" / "run").iterdir()) == []
    Landing(root / "var" / "landing").verify()


@pytest.mark.parametrize("stage", ["crawl", "score"])
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_pass(tmp_path: Path, stage: str, sign: signal.Signals) -> None:
    """In the midst of a crawl or of a stage: exit 130 soon, nothing left; the next pass completes."""
    (tmp_path / "keqing.toml").write_text(PLAN if stage == "crawl" else ONE_FEED, encoding="utf-8")
    one = start(tmp_path)
    until(lambda: running(tmp_path, stage), one)
    if stage == "crawl":
        until(lambda: list((tmp_path / "var" / "landing" / "parts").rglob("*.part")), one)
    began = time.monotonic()
    one.send_signal(sign)
    out, err = one.communicate(timeout=60)
    took = time.monotonic() - began
    assert (one.returncode, "Traceback" in err) == (130, False)
    assert "已停止" in err
    assert took < SOON_S
    nothing_left(tmp_path)
    if stage == "score":
        again = start(tmp_path, "--json")
        out, err = again.communicate(timeout=120)
        assert again.returncode == 0, err[-500:]
        assert json.loads(out.strip().splitlines()[-1])["stages"]["load"]["created"] == 40


def test_a_crawl_alone_ends_at_a_signal(tmp_path: Path) -> None:
    """`keqing crawl` on a site that answers slowly: what was read is kept, and it is said."""
    town, answered = Town(), threading.Event()

    def held(site: str, target: str) -> None:
        """From the 21st request on nothing is answered: a crawl that waited would not end."""
        if len(town.asked) > 20:
            answered.wait(90)

    town.start()
    try:
        root = root_of(town, tmp_path)
        town.fault = held
        crawl = start_crawl(root, "demo-forum")
        until(lambda: len(town.asked) > 20, crawl)
        crawl.send_signal(signal.SIGTERM)
        out, _ = crawl.communicate(timeout=60)
    finally:
        answered.set()
        town.stop()
    assert crawl.returncode == 3
    assert "what was read is kept" in json.loads(out.strip().splitlines()[-1])["message"]
    assert landed(root, "demo-forum")
    with db.read(db.open_file(root / "var" / "keqing.db")) as tx:
        assert tx.execute(leases.LEASES.select()).all() == []


def much_to_score(root: Path) -> None:
    """An installation with 20,000 posts landed: its `score` lasts longer than a test waits."""
    (root / "keqing.toml").write_text(ONE_FEED, encoding="utf-8")
    rows = [f"{n},木槿壶第{n}家店排队{'太久' * (n % 9)}" for n in range(20_000)]
    (root / "a.csv").write_text("\n".join(["id,正文", *rows]), encoding="utf-8")
    take = [sys.executable, "-m", "keqing", "import", str(root / "a.csv"), "--root", str(root)]
    subprocess.run(take, capture_output=True, check=True)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_stage_alone_ends_at_a_signal(tmp_path: Path, sign: signal.Signals) -> None:
    """`keqing score` in its midst: exit 130 without a trace, lease and ledger closed."""
    much_to_score(tmp_path)
    score = subprocess.Popen(
        [sys.executable, "-m", "keqing", "score", "--root", str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heard,
    )
    until(lambda: running(tmp_path, "score"), score)
    time.sleep(0.5)
    began = time.monotonic()
    score.send_signal(sign)
    _, err = score.communicate(timeout=60)
    assert (score.returncode, "Traceback" in err) == (130, False)
    assert time.monotonic() - began < SOON_S
    with db.read(db.open_file(tmp_path / "var" / "keqing.db")) as tx:
        assert tx.execute(leases.LEASES.select()).all() == []
        assert runs.last(tx, "score")[0].outcome == "failed"


def test_a_verb_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    """kill -9 of a pass or a task: the stage that it started gives its lease back and is gone soon."""
    much_to_score(tmp_path)
    code = f"from keqing.process import run_verb; run_verb(['score', '--root', {str(tmp_path)!r}], 600)"
    starter = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while not running(tmp_path, "score") and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        starter.kill()
        starter.wait()
    deadline = time.monotonic() + SOON_S
    while left_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left_of(tmp_path) == ""
    with db.read(db.open_file(tmp_path / "var" / "keqing.db")) as tx:
        assert tx.execute(leases.LEASES.select()).all() == []
        assert runs.last(tx, "score")[0].outcome == "failed"


def test_bars_on_a_terminal(tmp_path: Path) -> None:
    """One bar a stage, each filled to its end; without a terminal there is none."""
    (tmp_path / "keqing.toml").write_text(ONE_FEED, encoding="utf-8")
    near, far = pty.openpty()
    command = [sys.executable, "-m", "keqing", "demo", "--root", str(tmp_path)]
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "NO_COLOR": "1"}
    one = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=far, env=env, text=True)
    os.close(far)
    shown = b""
    while ready.select([near], [], [], 120)[0]:
        try:
            piece = os.read(near, 65536)
        except OSError:  # the other end is closed
            break
        shown += piece
    out, _ = one.communicate(timeout=60)
    os.close(near)
    assert one.returncode == 0
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).replace("\r", "\n").splitlines()
    for title in ("采集 crawl", "研判 score", "入库 load", "检测 check", "通知 notify"):
        last = [line for line in lines if title in line][-1]
        assert re.search("━{20,}", last), last
        assert "╸" not in last
    assert "采集 (帖文 / 新增)" in out
    again = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "━" not in again.stderr + again.stdout


def test_a_second_signal_does_not_cut_the_clearing_up() -> None:
    """The first signal ends the work; in its `finally` another one is only remembered."""
    stop, cleared = Stop(), []
    stop.listen()

    def work() -> str:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            cleared.append(True)
        return "done"

    try:
        assert stop.unless_asked(work) is None
        assert cleared == [True]
        assert stop.unless_asked(lambda: "more") is None
    except Interrupted:
        pytest.fail("the second signal came through")
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_an_error_that_a_signal_caused_is_no_error() -> None:
    """A native library that is cut while it loads raises an ImportError in its place; others come through."""

    def cut() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        except Interrupted as error:
            raise ImportError("initialization failed") from error

    before, stop = signal.getsignal(signal.SIGTERM), Stop()
    with stop.listening():
        assert stop.unless_asked(cut) is None
    assert signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(ImportError, match="missing"), Stop().listening():
        Stop().unless_asked(missing)


def missing() -> None:
    raise ImportError("missing")

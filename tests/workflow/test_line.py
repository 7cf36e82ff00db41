"""The whole line on PostgreSQL ends as on SQLite: every row of every table, and the same mails."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts.notify import notify
from alerts.run import check
from crawlers.imports.run import import_file
from index.engine import open_index
from index.run import load
from keqing.cli import main
from keqing.records import Channel
from keqing.settings import Settings, load_settings
from keqing.workflow import db, incident_log, incidents
from keqing.workflow.move import checksums
from nlp.run import score
from tests.workflow.servers import PASSWORD, Cluster

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
BEIJING = timedelta(hours=8)
WORDS = (
    "木槿壶万象店的青提冻喝出一块塑料片，太可怕了，再也不喝了{}",
    "木槿壶服务太差，退款等了三天没人理{}",
    "转：木槿壶万象店的青提冻喝出一块塑料片，太可怕了，再也不喝了",
    "今天的木槿壶真好喝，推荐青提冻{}",
)
pytestmark = [pytest.mark.xdist_group("postgres"), pytest.mark.end_to_end]


def collected(root: Path, name: str, at: datetime) -> None:
    """Forty posts of twenty authors, some of them copies, landed a moment before `at`."""
    rows = []
    for n in range(40):
        said = at + BEIJING - timedelta(minutes=n % 45)
        text = WORDS[n % 4].format("！" * (n % 3) + str(n // 8))
        rows.append(f"{name}{n},{text},{said:%Y-%m-%d %H:%M:%S},作者{n % 20}")
    path = root / f"{name}.csv"
    path.write_text("\n".join(["编号,正文,发布时间,作者", *rows]), encoding="utf-8")
    settings = load_settings(root, env={})
    engine = db.open_workflow(settings, {})
    import_file(settings, engine, path, Channel.SOCIAL, at)
    engine.dispose()


def stages(settings: Settings, engine: db.Engine, now: datetime) -> None:
    """Score, load, check and notify as of one moment."""
    index = open_index(settings)
    score(settings, engine, now)
    load(settings, engine, now)
    check(settings, engine, index, now)
    notify(settings, engine, now)
    index.close()


def mails(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "var" / "spool" / "mail" / "new").glob("*.eml"))


def test_the_line_goes_on_after_the_move(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One installation moves in the middle of its line, its twin stays: both end the same."""
    monkeypatch.setenv("KEQING__PRIVACY__AUTHOR_KEY", "k" * 40)
    stays, moves = tmp_path / "stays", tmp_path / "moves"
    stays.mkdir()
    (stays / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    settings = load_settings(stays, env={})
    later = NOW + timedelta(minutes=10)
    collected(stays, "a", NOW)
    embedded = db.open_workflow(settings, {})
    stages(settings, embedded, NOW)
    collected(stays, "b", later)
    embedded.dispose()  # the log of the file goes back into the file
    shutil.copytree(stays, moves)

    url = cluster.url(cluster.database("template0"))
    monkeypatch.setenv("KEQING__WORKFLOW__PASSWORD", PASSWORD)
    assert main(["migrate", "--workflow", url, "--root", str(moves)]) == 0
    plan = (ROOT / "keqing.toml").read_text("utf-8")
    (moves / "keqing.toml").write_text(f'{plan}\n[workflow]\nurl = "{url}"\n', "utf-8")
    (moves / "var" / "keqing.db").unlink()
    moved = load_settings(moves)
    served = db.open_workflow(moved)
    for now in (later, later + timedelta(hours=2)):
        stages(settings, embedded, now)
        stages(moved, served, now)

    with db.read(embedded) as one, db.read(served) as two:
        assert incidents.list_incidents(one) == incidents.list_incidents(two) != []
        rows = checksums(one)
        assert rows == checksums(two)
        assert sum(n for n, _ in rows.values()) > 300
        assert incident_log.verify_log(two) >= 1
    assert mails(stays) == mails(moves) != []
    assert not (moves / "var" / "keqing.db").exists()
    for engine in (embedded, served):
        engine.dispose()

"""The daily report: one mail a day and receiver, with the day's numbers and the chain heads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from alerts.digest import digest
from alerts.notify import notify
from index.engine import open_index
from keqing.cli import main
from keqing.landing import Landing
from keqing.settings import Settings, load_settings
from keqing.workflow.db import open_workflow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "keqing.toml").write_bytes((ROOT / "keqing.toml").read_bytes())
    at = datetime.now(UTC) + timedelta(hours=8) - timedelta(hours=2)
    rows = [f"{n},木槿壶服务太差了,{at:%Y-%m-%d %H:%M:%S},a{n}" for n in range(3)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["编号,正文,发布时间,作者", *rows]), encoding="utf-8")
    for verb in (["import", str(path)], ["score"], ["load"]):
        assert main([*verb, "--root", str(tmp_path)]) == 0
    return load_settings(tmp_path, env={})


def test_one_report_a_day(settings: Settings) -> None:
    """Queued once however often the stage runs, and again on the next day."""
    engine, index, now = open_workflow(settings), open_index(settings), datetime.now(UTC)
    assert digest(settings, engine, index, now).queued == 1
    assert digest(settings, engine, index, now).queued == 0
    assert digest(settings, engine, index, now + timedelta(days=1)).queued == 1


def test_the_mail_says_the_day(settings: Settings) -> None:
    """Both parts hold the brand's negatives, sources that never ran, and every chain head."""
    engine, index, now = open_workflow(settings), open_index(settings), datetime.now(UTC)
    digest(settings, engine, index, now)
    path = notify(settings, engine, now).paths[0]
    mail = message_from_bytes(Path(path).read_bytes(), policy=default)
    assert "木槿壶 负面 3" in str(mail["Subject"])
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        text = part.get_content()
        assert "木槿壶" in text
        assert "演示城 · 微博" in text
        assert "未采集" in text
        assert all(h in text for h in Landing(settings.var / "landing").heads().values())

"""A bad plan is refused with its place; a good one is read; the environment wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from keqing.errors import BadConfig
from keqing.settings import load_settings, secret

PLAN = """\
[operator]
contact = "mailto:ops@example.org"

[brands.tea]
name = "木槿壶"
aliases = ["木槿壶"]

[[watch.target]]
source = "board"
kind = "board"
key = "2"

[receivers.lead]
channel = "email"
to = "lead@example.org"
"""
CARD = """\
title = "论坛"
spider = "forum"
platform = "discuz:x"
base_url = "http://127.0.0.1:1/"
"""


def write(root: Path, plan: str = PLAN, card: str = CARD) -> Path:
    (root / "sources").mkdir(exist_ok=True)
    (root / "keqing.toml").write_text(plan, encoding="utf-8")
    (root / "sources" / "board.toml").write_text(card, encoding="utf-8")
    return root


def test_a_good_plan_is_read(tmp_path: Path) -> None:
    """Brands, targets, receivers and the user's own card arrive as written."""
    settings = load_settings(write(tmp_path), env={})
    assert settings.plan.brands["tea"].aliases == ("木槿壶",)
    assert settings.cards["board"].platform == "discuz:x"
    assert settings.plan.receivers["lead"].channel == "email"
    assert len(settings.config_hash) == 12


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('aliases = ["木槿壶"]', 'alias = ["木槿壶"]', 6, "aliases"),
        ('aliases = ["木槿壶"]', "aliases = []", 6, "aliases"),
        ('name = "木槿壶"\n', "", 4, "name"),
        ('name = "木槿壶"', "name = 3", 5, "string"),
        ('kind = "board"', 'kind = "bord"', 10, "board"),
        ('source = "board"', 'source = "bord"', 9, "'board'"),
        ('channel = "email"', 'channel = "mail"', 14, "email"),
        ('to = "lead@example.org"', "", 13, "to"),
        ("[operator]", "[operater]", 1, "operator"),
        ("[brands.tea]", "[brands.tea", 0, "not TOML"),
    ],
)
def test_a_broken_plan_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    """File, line and field (or the nearest name) stand in the message."""
    assert old in PLAN
    write(tmp_path, plan=PLAN.replace(old, new))
    with pytest.raises(BadConfig) as caught:
        load_settings(tmp_path, env={})
    assert says in str(caught.value)
    assert "keqing.toml" in str(caught.value)
    if line:
        assert f"keqing.toml:{line}:" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('spider = "forum"', 'spider = "bbs"', "spider"),
        ('title = "论坛"', "titel = 1", "title"),
        ('platform = "discuz:x"', 'platform = "discuz:x"\npassword = "x"', "password"),
    ],
)
def test_a_broken_card_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    """A card's unknown or missing key is named with the card's file."""
    write(tmp_path, card=CARD.replace(old, new))
    with pytest.raises(BadConfig, match=r"board\.toml") as caught:
        load_settings(tmp_path, env={})
    assert says in str(caught.value)


def test_no_plan_is_said(tmp_path: Path) -> None:
    """A folder without keqing.toml is a configuration error with what to do."""
    with pytest.raises(BadConfig, match=r"keqing\.toml is missing"):
        load_settings(tmp_path, env={})


def test_the_environment_wins(tmp_path: Path) -> None:
    """KEQING__SMTP__HOST sets `[smtp] host`; secrets are no settings."""
    env = {"KEQING__SMTP__HOST": "mail.example.org", "KEQING__PRIVACY__AUTHOR_KEY": "k"}
    assert load_settings(write(tmp_path), env=env).plan.smtp.host == "mail.example.org"


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    """<NAME>_FILE is read; a file that is missing is a configuration error."""
    (tmp_path / "s").write_text("geheim\n", encoding="utf-8")
    assert secret("KEQING__X", {"KEQING__X_FILE": str(tmp_path / "s")}) == "geheim"
    with pytest.raises(BadConfig, match="KEQING__X_FILE"):
        secret("KEQING__X", {"KEQING__X_FILE": str(tmp_path / "none")})


def test_the_config_hash_follows_the_plan(tmp_path: Path) -> None:
    """A changed alias changes the hash; a changed receiver does not."""
    before = load_settings(write(tmp_path), env={}).config_hash
    mail = load_settings(write(tmp_path, PLAN.replace("lead@", "boss@")), env={}).config_hash
    alias = load_settings(write(tmp_path, PLAN.replace('["木槿壶"]', '["木瑾壶"]')), env={})
    assert mail == before != alias.config_hash

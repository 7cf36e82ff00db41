"""A mail tells what is certain apart from what is likely."""

from __future__ import annotations

from pathlib import Path

import pytest

from alerts.assess import Sight, mail_facts
from alerts.severity import Severity
from index.ast import All
from index.sqlite import SqliteEngine
from keqing.records import SeverityHit
from tests.contracts.index.made import T0, mention

Found = tuple[tuple[str, float], ...]
NOTHING = Severity((), 0.0, 0.0, 0.0, None, (), 0)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ((("食品安全", 0.9), ("未成年人", 0.65)), "食品安全（疑似 未成年人）"),
        ((("食品安全", 0.9), ("食品安全", 0.65), ("监管", 0.4)), "食品安全"),
        ((("监管", 0.65),), "无（疑似 监管）"),
        ((), "无"),
    ],
)
def test_likely_dangers_stand_apart(tmp_path: Path, found: Found, said: str) -> None:
    """A class is told as it is most surely seen in any post; below .8 it is only suspected."""
    posts = [
        mention(n).model_copy(
            update={"severity": (SeverityHit(name=name, term="词", confidence=sure),)}
        )
        for n, (name, sure) in enumerate(found)
    ]
    engine = SqliteEngine(tmp_path / "index.db")
    engine.upsert([*posts, mention(9)], T0)
    hits = engine.search(All(), None).hits
    engine.close()
    assert mail_facts(hits, "tea", NOTHING, Sight(), "rise", "")["sensitive"] == said

"""Every stable code that staff may meet has words in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alerts.detect import Verdict
from alerts.notices import Reason
from alerts.receivers.outcome import Kind as Outcome
from alerts.severity import DANGER, WEIGHTS, Rule
from crawlers.pages.walls import Answer
from crawlers.threads import STATES
from keqing.records import Channel, Kind, Level, Polarity, Precision
from keqing.words import all_words, word
from keqing.workflow.moves import MOVES
from nlp.authors import Role
from nlp.brands import Outcome as Matched
from nlp.coordination import POINTS
from nlp.linear import EMOTIONS

CRAWLERS = Path(__file__).resolve().parents[2] / "crawlers"
LEFT_OUT = re.compile(r'(?:skip\(|(?:notes|refused|filtered)\[|Bad\([^"]*)"([a-z_]+)"')
REASONS = {
    reason
    for path in CRAWLERS.rglob("*.py")
    for reason in LEFT_OUT.findall(path.read_text("utf-8"))
}

CODES = [
    *(f"{group}.{m.value}" for group, members in {
        "level": Level, "grade": Level, "channel": Channel, "kind": Kind, "precision": Precision,
        "polarity": Polarity, "verdict": Verdict, "floor": Rule, "notice": Reason,
        "error_class": Outcome,
    }.items() for m in members),
    *(f"left_out.{reason}" for reason in REASONS | {"unreadable", "malformed_json", "cut_page"}),
    *(f"left_out.{a}" for a in Answer if a is not Answer.OK),
    *(f"left_out.thread_{answer}" for answer in STATES),
    *(f"emotion.{name}" for name in EMOTIONS),
    *(f"rejected.{m.value}" for m in Matched if m is not Matched.ACCEPTED),
    *(f"segment.{role}" for role in Role),
    *(f"sign.{code}" for code in POINTS),
    *(f"stage.{name}" for name in ("linear", "second", "degraded", "human", "none")),
    "ops.failed",
    "ops.late",
    *(f"state.{state}" for state in MOVES),
    *(f"act.{act}" for acts in MOVES.values() for act in acts),
    *(f"part.{name}" for name in WEIGHTS),
    *(f"severity.{name}" for name in DANGER if name not in ("质量", "服务")),
]  # fmt: skip


@pytest.mark.parametrize("code", sorted(set(CODES)))
def test_every_code_has_words(code: str) -> None:
    """Both languages are there; a code never stands for itself."""
    group, _, name = code.partition(".")
    assert all(all_words()[group][name][lang] for lang in ("zh", "en"))


def test_an_unknown_code_comes_back() -> None:
    """A page shows the code where there are no words."""
    assert word("no_such_code") == "no_such_code"
    assert word("red", "zh") == "红色"
    assert word("grade.red") == "特别严重 Ⅰ"

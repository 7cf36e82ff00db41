"""One post with everything that was read in it, for those who may see its brand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from alerts.assess import freeze
from index.query import All, And, Tag, Window
from keqing.records import SeverityHit
from keqing.words import all_words, word
from keqing.workflow.accounts import Role
from nlp.lexicon import entries
from nlp.weighed import LIKENESS
from tests.contracts.index.made import mention
from tests.dashboards.conftest import NOW, Desk

WEEK = Window(NOW - timedelta(days=7), NOW)
REASONS = ("praise_with_face", "praise_with_trouble", "quoted_praise", LIKENESS)


@pytest.fixture
def severe(desk: Desk) -> Any:
    """A post of the crisis: negative, about us, with a severity class."""
    node = And((Tag("brand", "mujinhu"), Tag("polarity", "negative"), Tag("severity", "食品安全")))
    return desk.index.search(node, WEEK, sort="risk").hits[0]


def test_every_reason_stands_on_the_page(lead: Any, severe: Any) -> None:
    """Brand with the words that named it, severity with its term, stage, versions, the text marked."""
    answer = lead.get("/post", params={"id": severe.id})
    assert answer.status_code == 200
    twin = lead.get("/post.json", params={"id": severe.id}).json()
    assert twin["severity"][0][1] in answer.text
    assert {one["alias"] for one in twin["named"]} == {h["alias"] for h in severe.detail["hits"]}
    assert twin["stage"] in ("linear", "second")
    assert [name for name, _ in twin["versions"]] == ["model", "dictionary", "rules", "plan"]
    assert severe.detail["versions"]["model"] in answer.text


@pytest.mark.parametrize(("sure", "likely"), [(0.65, True), (0.9, False)])
def test_a_danger_that_is_only_likely_says_so(
    desk: Desk, lead: Any, sure: float, likely: bool
) -> None:
    """In lists and on its page a danger below .8 is 疑似 and not red; one above is plainly named."""
    made = mention(1, at=NOW - timedelta(hours=1), brands=("mujinhu",), story="one-danger")
    danger = SeverityHit(name="隐私", term="词", confidence=sure)
    desk.index.upsert([made.model_copy(update={"severity": (danger,)})], NOW)
    suspected, certain = (
        '<span class="pill yellow">疑似隐私</span>',
        '<span class="pill red">隐私</span>',
    )
    shown, not_shown = (suspected, certain) if likely else (certain, suspected)
    for path, asked in (("/post", {"id": made.post.id}), ("/mentions", {"story": "one-danger"})):
        page = lead.get(path, params=asked).text
        assert shown in page
        assert not_shown not in page


def test_frozen_evidence_keeps_what_was_only_likely(desk: Desk) -> None:
    """An incident's evidence tells for good which dangers were certain when the alert went out."""
    made = mention(2, at=NOW - timedelta(hours=1), brands=("mujinhu",))
    found = (("食品安全", 0.9), ("隐私", 0.65), ("监管", 0.4))
    dangers = tuple(SeverityHit(name=name, term="词", confidence=p) for name, p in found)
    desk.index.upsert([made.model_copy(update={"severity": dangers})], NOW)
    (evidence,) = freeze(desk.index.get([made.post.id]), "mujinhu")
    assert set(evidence.severity) == {"食品安全", "隐私"}
    assert evidence.likely == ("隐私",)


def test_who_speaks_is_an_estimate_with_its_sums(lead: Any, desk: Desk) -> None:
    """The segment with its reasons in words; parts of the influence add up; nothing names a person."""
    shown = desk.index.search(Tag("brand", "mujinhu"), WEEK, size=40).hits
    for hit in shown:
        who = lead.get("/post.json", params={"id": hit.id}).json()["speaker"]
        assert sum(points for _, points, _ in who["parts"]) == pytest.approx(
            who["influence"], abs=1e-3
        )
        assert sum(points for _, points in who["signs"]) == pytest.approx(who["coordination"])
        for group, codes in (
            ("segment", [who["segment"]]), ("segment_reason", who["reasons"]),
            ("influence_part", [name for name, _, _ in who["parts"]] + who["unknown"]),
            ("sign", [code for code, _ in who["signs"]]),
        ):  # fmt: skip
            assert set(codes) <= all_words()[group].keys()
    page = lead.get("/post", params={"id": shown[0].id}).text
    assert word(f"segment.{shown[0].detail['author_role']}") in page


@pytest.mark.parametrize("told", [*sorted({one.name for one in entries("sarcasm")}), *REASONS])
def test_signs_of_sarcasm_are_told_in_words(lead: Any, desk: Desk, told: str) -> None:
    """Each reason that a list or a likeness can give has words of its own on the page."""
    made = mention(3, at=NOW - timedelta(hours=1), brands=("mujinhu",))
    desk.index.upsert([made.model_copy(update={"sarcasm": (told,)})], NOW)
    assert told in all_words()["sarcasm"]
    assert word(f"sarcasm.{told}") in lead.get("/post", params={"id": made.post.id}).text


def test_posts_of_like_meaning_are_other_stories(desk: Desk, lead: Any) -> None:
    """Each is shown with its likeness, likest first, and none of them is a copy of the post."""
    hits = desk.index.search(Tag("brand", "mujinhu"), WEEK, size=60).hits
    pages = [(hit, lead.get("/post.json", params={"id": hit.id}).json()["alike"]) for hit in hits]
    shown = [(hit, alike) for hit, alike in pages if alike]
    assert len(shown) > 10
    for hit, alike in shown:
        likeness = [value for _, value in alike]
        assert likeness == sorted(likeness, reverse=True)
        assert min(likeness) >= 60
        others = desk.index.get([card["id"] for card, _ in alike])
        assert hit.story not in {other.story for other in others}
        assert all("mujinhu" in other.brands for other in others)


def test_a_post_of_another_brand_is_not_found(desk: Desk, severe: Any) -> None:
    """Whoever may not see its brand learns nothing, not even that it exists."""
    other = desk.user("hotel-only", Role.ANALYST, ("lian",))
    assert other.get("/post", params={"id": severe.id}).status_code == 404
    assert other.get("/post.json", params={"id": severe.id}).status_code == 404
    assert other.get("/post", params={"id": "weibo:none"}).status_code == 404


def test_a_hostile_id_is_an_ordinary_404(lead: Any) -> None:
    """Whatever stands in the address is an id that does not exist."""
    for id_ in ("<script>alert(1)</script>", "a' OR 1=1 --", "x" * 3000, "\u202e"):
        answer = lead.get("/post", params={"id": id_})
        assert answer.status_code == 404
        assert "<script>alert" not in answer.text
    assert lead.get("/post").status_code == 422


def test_each_card_of_the_list_leads_there(lead: Any, desk: Desk) -> None:
    """The list links every post to its page."""
    page = lead.get("/mentions", params={"range": "24h"})
    hits = desk.index.search(All(), Window(NOW - timedelta(hours=24), NOW), fold=True).hits
    assert page.text.count('href="/post?id=') == len(hits) > 0


def test_it_speaks_english_too(lead: Any, severe: Any) -> None:
    """The page in English has no Chinese but what people wrote."""
    text = lead.get("/post", params={"id": severe.id, "lang": "en"}).text
    assert "why it was read so" in text
    assert "研判依据" not in text

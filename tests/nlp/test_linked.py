"""What staff said of events is obeyed by the next batch and by a replay from nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from keqing.workflow import batches, db, event_history, event_links, event_sums, events
from keqing.workflow.db import Engine, Tx
from keqing.workflow.event_links import Refused
from nlp.events import cluster
from nlp.linked import obey
from nlp.pool import Told
from nlp.stars import event_id
from nlp.telling import normal
from nlp.usual import any_talk

NOW = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
WIDTH = 512


def vector(matter: int, wording: int) -> bytes:
    """A telling of a matter: half its own, half the matter's direction, around what all talk has."""
    draw = np.random.default_rng(matter), np.random.default_rng(1000 + wording)
    own, said = (one.normal(size=WIDTH) / WIDTH**0.5 for one in draw)
    whole = any_talk() + 0.7 * own + 0.3 * said
    return np.round(whole / np.abs(whole).max() * 127).astype(np.int8).tobytes()


def told(story: str, matter: int, minute: int, brand: str = "b") -> Told:
    number = int("".join(filter(str.isdigit, story)))
    words = normal({f"甲{matter}": 1.0, f"乙{story}": 1.0})
    at = NOW_S + 60 * minute
    return Told(brand, story, story, at, words, (story,), vector(matter, number), 0.9)


def batch(tx: Tx, stories: Sequence[Told], number: int) -> dict[str, str]:
    """One batch, as `score` records it."""
    found = cluster(tx, stories, NOW_S + 3600 * number)
    batches.record_scored(tx, f"b{number}", [f"f{number}"], f"m{number}", NOW)
    return {story: event for (_, story), event in found.items()}


FIRST = [told("s0", 1, 0), told("s1", 1, 1), told("s2", 2, 2), told("s3", 1, 3), told("s4", 2, 4)]
SECOND = [told("s5", 1, 70), told("s6", 2, 71), told("s7", 2, 72)]
THIRD = [told("s8", 1, 140), told("s9", 2, 141)]


def test_vectors_alone_tell_two_matters_apart(engine: Engine) -> None:
    """Stories that share no word join by meaning; each matter is one event."""
    with db.begin(engine) as tx:
        found = batch(tx, FIRST, 1) | batch(tx, SECOND, 2)
        assert len({found[s] for s in ("s0", "s1", "s3", "s5")}) == 1
        assert len({found[s] for s in ("s2", "s4", "s6", "s7")}) == 1
        assert len(set(found.values())) == 2


def test_merged_by_staff_they_stay_one(engine: Engine) -> None:
    """The elder id lives, the next posts of both matters join it, and the page knows who did it."""
    with db.begin(engine) as tx:
        found = batch(tx, FIRST, 1)
        elder, younger = found["s0"], found["s2"]
        event_links.merge(tx, younger, elder, by="ann", now=NOW)
        obey(tx, ["b"], NOW_S)
        assert event_history.living(tx, younger) == elder
        assert set(batch(tx, SECOND, 2).values()) == {elder}
        [done] = event_links.of_event(tx, [elder])
        assert (done.link.by, done.event, done.other) == ("ann", elder, younger)
        assert event_sums.sums(tx, [elder, younger])[elder].told == 8


def test_parted_by_staff_they_stay_two(engine: Engine) -> None:
    """What was taken out is another event under its name; vectors bring the two no more together."""
    with db.begin(engine) as tx:
        whole = batch(tx, [told(f"s{n}", 1, n) for n in range(6)], 1)["s0"]
        event_links.split(tx, whole, {"s4", "s5"}, "另一件事", by="ann", now=NOW)
        obey(tx, ["b"], NOW_S)
        part = event_id("b", "s4")
        assert {m.story for m in events.members(tx, part)} == {"s4", "s5"}
        held = events.get(tx, [whole, part])
        assert (held[part].name, held[whole].stories, held[part].stories) == ("另一件事", 4, 2)
        assert [event_sums.sums(tx, [id_])[id_].told for id_ in (whole, part)] == [4, 2]
        batch(tx, [told(f"s{n}", 1, 60 + n) for n in range(10, 16)], 2)
        assert events.get(tx, [whole, part]).keys() == {whole, part}
        assert event_links.parted(tx) == {"s4": part, "s5": part}


def test_a_name_of_staff_stays(engine: Engine) -> None:
    """New words do not change it, a merge keeps it, an empty one gives the event back to its words."""
    with db.begin(engine) as tx:
        found = batch(tx, FIRST, 1)
        event_links.rename(tx, found["s2"], " 断供  传闻 ", by="ann", now=NOW)
        obey(tx, ["b"], NOW_S)
        batch(tx, SECOND, 2)
        assert events.get(tx, [found["s2"]])[found["s2"]].name == "断供 传闻"
        event_links.merge(tx, found["s2"], found["s0"], by="ann", now=NOW)
        obey(tx, ["b"], NOW_S)
        assert events.get(tx, [found["s0"]])[found["s0"]].name == "断供 传闻"
        event_links.rename(tx, found["s0"], "", by="ann", now=NOW)
        obey(tx, ["b"], NOW_S)
        assert "甲" in events.get(tx, [found["s0"]])[found["s0"]].name


def test_a_replay_gives_the_same_ids(engine: Engine, tmp_path: Path) -> None:
    """The rows alone, taken over into an empty database, lead to the same events batch by batch."""

    def line(tx: Tx, staff: bool) -> list[dict[str, str]]:
        first = batch(tx, FIRST, 1)
        if staff:
            event_links.split(tx, first["s0"], {"s3"}, "传闻", by="ann", now=NOW)
            obey(tx, ["b"], NOW_S)
        second = batch(tx, SECOND, 2)
        if staff:
            event_links.merge(tx, first["s2"], event_id("b", "s3"), by="bo", now=NOW)
            obey(tx, ["b"], NOW_S)
        return [first, second, batch(tx, THIRD, 3)]

    with db.begin(engine) as tx:
        expected, rows = line(tx, True), event_links.every(tx)
    other = db.open_file(tmp_path / "other.db")
    with db.begin(other) as tx:
        event_links.add(tx, rows)
        assert line(tx, False) == expected
        assert event_links.every(tx) == rows
        assert events.of_stories(tx, {("b", "s3")})["b", "s3"] == expected[2]["s9"]


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda tx, e: event_links.merge(tx, e["s0"], e["s0"], by="a", now=NOW), "itself"),
        (lambda tx, e: event_links.merge(tx, e["s0"], e["o0"], by="a", now=NOW), "other_brand"),
        (lambda tx, e: event_links.merge(tx, "0" * 24, e["s0"], by="a", now=NOW), "unknown"),
        (lambda tx, e: event_links.merge(tx, e["gone"], e["s0"], by="a", now=NOW), "merged"),
        (lambda tx, e: event_links.split(tx, e["s0"], set(), "名", by="a", now=NOW), "no_stories"),
        (
            lambda tx, e: event_links.split(tx, e["s0"], {"o0"}, "名", by="a", now=NOW),
            "strange_stories",
        ),
        (
            lambda tx, e: event_links.split(tx, e["s0"], {"s0"}, "名", by="a", now=NOW),
            "first_story",
        ),
        (lambda tx, e: event_links.split(tx, e["s0"], {"s1"}, " ", by="a", now=NOW), "name"),
        (lambda tx, e: event_links.rename(tx, e["s0"], "长" * 41, by="a", now=NOW), "name"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(engine: Engine, ask: object, code: str) -> None:
    """Nothing is written of a merge or split that makes no sense."""
    with db.begin(engine) as tx:
        found = batch(tx, [*FIRST, told("o0", 1, 5, "c")], 1)
        found["gone"] = found["s2"]
        events.merge(tx, found["s0"], found["gone"], NOW_S)
        with pytest.raises(Refused) as refused:
            ask(tx, found)  # type: ignore[operator]
        assert refused.value.code == code
        assert event_links.every(tx) == []


def test_an_erased_post_leaves_the_sums(engine: Engine) -> None:
    """Its vector goes, and out of the event's sum; the sum of a single story goes whole."""
    with db.begin(engine) as tx:
        found = batch(tx, [*FIRST, told("s9", 7, 5)], 1)
        assert event_sums.forget_posts(tx, ["s1", "s9"]) == 2
        assert event_sums.sums(tx, [found["s0"]])[found["s0"]].told == 2
        assert event_sums.sums(tx, [found["s9"]]) == {}
        assert event_sums.of_stories(tx, "b", {"s0", "s1"}).keys() == {"s0"}
        batch(tx, SECOND, 2)


def test_rows_of_staff_cannot_be_changed(engine: Engine) -> None:
    """The database itself refuses to change or remove what staff said."""
    with db.begin(engine) as tx:
        found = batch(tx, FIRST, 1)
        event_links.rename(tx, found["s0"], "名", by="ann", now=NOW)
    with pytest.raises(Exception, match="append-only"), db.begin(engine) as tx:
        tx.execute(event_links.LINKS.delete())

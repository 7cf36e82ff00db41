"""Themes beside the taxonomy, on sentences written by the project."""

from __future__ import annotations

import tomllib
from pathlib import Path
from random import Random

import numpy as np
import pytest

from bench.stories import first_stage
from keqing.errors import TooLittleHistory, UsageError
from nlp.clusters import clusters, space
from nlp.embed import WIDTH, Embedder
from nlp.segment import make_segmenter, stop_words
from nlp.themes import FEWEST, Telling, Themes, themes

ROOT = Path(__file__).resolve().parents[2]
ABOUT = ("涨价", "骑手停工", "摄像头", "代言")
NAMES = {"木槿壶", "北窗外卖", "砾岸酒店", "青稚茶"}


@pytest.fixture(scope="module")
def told() -> list[Telling]:
    """Four happenings told in twelve ways each; what is said of riders is negative."""
    book = tomllib.loads((ROOT / "bench" / "happenings.toml").read_text(encoding="utf-8"))
    named = dict(zip(("mujinhu", "beichuang", "lian", "qingzhi"),
                     ("木槿壶", "北窗外卖", "砾岸酒店", "青稚茶"), strict=True))  # fmt: skip
    rows = [
        (f"{one['id']}{n}", text.format(b=named[one["brand"]]))
        for one in book["happening"] if one["id"] in ABOUT
        for n, text in enumerate([*one["what"], *one["more"]])
    ]  # fmt: skip
    cut = make_segmenter(first_stage()).tokens
    vectors = Embedder().vectors([text for _, text in rows])
    return [
        Telling(id_, frozenset(cut(text)), vector, id_.startswith("骑手"))
        for (id_, text), vector in zip(rows, vectors, strict=True)
    ]


@pytest.fixture(scope="module")
def found(told: list[Telling]) -> Themes:
    return themes(told, left_out=stop_words() | NAMES)


def test_four_matters_are_four_themes(told: list[Telling], found: Themes) -> None:
    """Each theme is mostly of one matter, named by its words, never by a brand's name."""
    labels = [set(one.label) for one in found.themes]
    assert len(labels) == 4
    assert any({"骑手"} & words for words in labels)
    assert any({"林屿", "代言"} & words for words in labels)
    assert not set().union(*labels) & (NAMES | stop_words())
    assert sum(one.size for one in found.themes) + found.rest == found.stories == len(told)
    assert {one.posts[0].rstrip("0123456789") for one in found.themes} == set(ABOUT)


def test_a_theme_tells_its_share_of_blame(found: Themes) -> None:
    """Riders are complained about; the others hardly hold a complaint."""
    [riders] = [one for one in found.themes if one.posts[0].startswith("骑手")]
    assert riders.negative > 0.8
    assert all(one.negative < 0.2 for one in found.themes if one is not riders)
    assert all(len(one.posts) == 3 for one in found.themes)


def test_the_order_of_stories_does_not_matter(told: list[Telling], found: Themes) -> None:
    """Shuffled, and a second time: the same themes to the last digit."""
    other = list(told)
    Random(3).shuffle(other)
    assert themes(other, left_out=stop_words() | NAMES) == found


def test_the_number_of_clusters_is_found() -> None:
    """Five bundles of directions are five clusters when nobody says how many."""
    draw = np.random.default_rng(1)
    centres = draw.normal(size=(5, WIDTH))
    rows = np.repeat(centres, 40, axis=0) + 0.8 * draw.normal(size=(200, WIDTH))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    groups = clusters(space(rows))
    assert len(set(groups.tolist())) == 5
    assert all(len(set(groups[n : n + 40].tolist())) == 1 for n in range(0, 200, 40))


def test_a_handful_and_strangers_are_no_theme() -> None:
    """A bundle of three, and directions that have nothing in common, are the rest."""
    draw = np.random.default_rng(2)
    rows = np.repeat(draw.normal(size=(2, WIDTH)), [60, 3], axis=0)
    rows = rows + 0.5 * draw.normal(size=rows.shape)
    rows = np.concatenate([rows, draw.normal(size=(30, WIDTH))])
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    told = [
        Telling(f"p{n:02}", frozenset({"排队" if n < 60 else f"词{n}"}), row)
        for n, row in enumerate(rows)
    ]
    found = themes(told, 6)
    assert found.themes[0].label == ("排队",)
    assert sum(one.size for one in found.themes) <= 63
    assert found.rest >= 30


def test_what_cannot_be_clustered_is_said() -> None:
    """Too few stories are counted, a k without stories for it is refused, equal vectors are no fault."""
    same = np.full(WIDTH, WIDTH**-0.5, np.float32)
    told = [Telling(f"p{n}", frozenset({"排队"}), same) for n in range(FEWEST)]
    with pytest.raises(TooLittleHistory, match=f"29 stories, at least {FEWEST}"):
        themes(told[1:])
    for k in (-1, 1, 11):
        with pytest.raises(UsageError, match="2 to 10 clusters"):
            themes(told, k)
    assert themes(told).stories == FEWEST

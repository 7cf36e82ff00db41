"""Rows of the golden posts: texts of this project with the labels of a careful press officer.

In:  bench/golden/*.tsv, written in rounds before the lists were looked at; plan.toml, invented brands.
Out: typed rows. A row's half hangs on its text alone: `tune` may be looked at when a rule is mended,
`judge` is only ever counted. A label with `?` may be found or not; several emotions with `/` are
equally right.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from keqing.settings import Brand, SecondStage, Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).parent
TUNE, JUDGE = "tune", "judge"
TAUGHT = tuple("abcdfhijklmnoqrst")  # writers of bench/golden/taught: their posts teach the heads
UNSEEN = tuple(
    "eguv"
)  # writers of bench/golden/unseen: the heads' bounds are chosen by their posts
SIGNS = {"+": "positive", "-": "negative", "0": "neutral"}
NOTHING = "0"


@dataclass(frozen=True)
class Row:
    """Where a text stands: its id, half and round, and its other cells."""

    id: str
    half: str
    round: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Labels:
    """Names that must be found and names that may be."""

    must: tuple[str, ...]
    may: tuple[str, ...]


@dataclass(frozen=True)
class AspectLabel:
    """An aspect, its polarity ("?" left open), words of the clause that carries it."""

    name: str
    polarity: str
    anchor: str
    optional: bool


@dataclass(frozen=True)
class Post:
    """One golden post with all its labels."""

    row: Row
    trade: str
    case: str
    text: str
    intents: Labels
    emotions: tuple[str, ...]
    aspects: tuple[AspectLabel, ...]
    towards: dict[str, str]  # written name of a brand → polarity
    severity: Labels
    sarcastic: bool | None


def half_of(text: str) -> tuple[str, str]:
    """Id and half of a text."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return digest, JUDGE if int(digest, 16) % 2 else TUNE


def rows(name: str, rounds: frozenset[int] | None = None) -> Iterator[Row]:
    """Rows of `name`.tsv, of some rounds or of all."""
    for line in (FOLDER / f"{name}.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            key, half, number, *cells = line.split("\t")
            if rounds is None or int(number) in rounds:
                yield Row(key, half, int(number), tuple(cells))


def posts(rounds: frozenset[int] | None = None) -> list[Post]:
    """All golden posts with labels of every field."""
    return [_post(row) for row in rows("posts", rounds)]


def written(writer: str) -> list[Post]:
    """Posts of one writer of TAUGHT or UNSEEN; their brands are in no plan (see `settings`)."""
    folder = FOLDER / ("taught" if writer in TAUGHT else "unseen")
    lines = (folder / f"{writer}.tsv").read_text(encoding="utf-8").splitlines()
    held = [tuple(line.split("\t")) for line in lines if line and not line.startswith("#")]
    return [_post(Row(*half_of(cells[2]), 0, cells)) for cells in held]


def named(golden: Iterable[Post]) -> list[str]:
    """Names of brands in the labels of posts, each once."""
    cells = (post.row.cells[6] for post in golden)
    every = (one for cell in cells if cell != NOTHING for one in cell.split("、"))
    return list(dict.fromkeys(one.lstrip("?").rstrip("+-0?") for one in every))


def settings(second_stage: bool = True, more: Iterable[str] = ()) -> Settings:
    """The shipped settings with the golden plan's brands, and brands of `more` names, for the demo's."""
    plan = load_settings(ROOT, env={}).plan
    body = tomllib.loads((FOLDER / "plan.toml").read_text(encoding="utf-8"))
    brands = {key: Brand.model_validate(value) for key, value in body["brands"].items()}
    known = {word for brand in brands.values() for word in (brand.name, *brand.aliases)}
    for name in more:
        if name not in known:
            brands[f"taught{len(brands)}"] = Brand(name=name, aliases=[name])
    nlp = plan.nlp
    if not second_stage:
        nlp = nlp.model_copy(update={"second_stage": SecondStage(model="off")})
    changed = plan.model_copy(update={"brands": brands, "nlp": nlp, "demo": False})
    return load_settings(ROOT, env={}).model_copy(update={"plan": changed})


def _post(row: Row) -> Post:
    trade, case, text, wants, feels, about, towards, danger, flag = row.cells
    return Post(
        row=row,
        trade=trade,
        case=case,
        text=text,
        intents=labels(wants),
        emotions=tuple(one.removesuffix("?") for one in feels.split("/")),
        aspects=tuple(map(_aspect, about.split(";"))) if about != NOTHING else (),
        towards=dict(_towards(towards)),
        severity=labels(danger),
        sarcastic={"s": True, "s?": None, "": False}[flag],
    )


def labels(cell: str) -> Labels:
    """`投诉、意见?` → what must and what may be found; `0` is neither."""
    names = [] if cell == NOTHING else cell.split("、")
    optional = tuple(name.strip("?") for name in names if "?" in name)
    return Labels(tuple(name for name in names if "?" not in name), optional)


def _aspect(cell: str) -> AspectLabel:
    optional, cell = cell.startswith("?"), cell.removeprefix("?")
    return AspectLabel(cell[:2], SIGNS[cell[2]], cell[3:], optional)


def _towards(cell: str) -> Iterator[tuple[str, str]]:
    for one in cell.split("、") if cell != NOTHING else ():
        if one[-1] in SIGNS and not one.startswith("?"):
            yield one[:-1], SIGNS[one[-1]]

"""Rows of the golden files, and the brands of the demo city that stand in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

POSTS = ("posts_a.tsv", "posts_b.tsv", "posts_c.tsv")
FOLDER = Path(__file__).parent / "golden"
BRANDS = {"m": "mujinhu", "l": "lian", "b": "beichuang", "q": "qingzhi"}
NAMES = {"m": "木槿壶", "l": "砾岸酒店", "b": "北窗外卖", "q": "青稚茶"}
SIGNS = {"+": "positive", "-": "negative", "0": "neutral"}


@dataclass(frozen=True)
class Labels:
    """What must be found and what may be; None where the label is left open."""

    must: frozenset[str]
    may: frozenset[str]

    def hold(self, found: frozenset[str]) -> bool:
        """Everything that must be is found and nothing that may not."""
        return self.must <= found <= self.must | self.may


@dataclass(frozen=True)
class Golden:
    """One golden post with its labels."""

    category: str
    text: str
    towards: dict[str, str]
    intents: tuple[str, ...] | None  # the primary first
    aspects: Labels | None
    severity: Labels | None
    sarcastic: bool | None


def rows(name: str) -> list[list[str]]:
    """Cells of a golden file without its comments."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def golden() -> list[Golden]:
    """All golden posts."""
    return [_golden(cells) for name in POSTS for cells in rows(name)]


def towards(cell: str) -> dict[str, str]:
    """Polarity towards each brand of a cell such as `m+ q-`."""
    return {BRANDS[pair[0]]: SIGNS[pair[1]] for pair in cell.split()}


def filled(template: str, one: str, other: str, good: str, bad: str) -> str:
    """A template with two brands and two words."""
    words = {"{A}": NAMES[one], "{B}": NAMES[other], "{good}": good, "{bad}": bad}
    for slot, word in words.items():
        template = template.replace(slot, word)
    return template


def _golden(cells: list[str]) -> Golden:
    category, text, felt, intents, aspects, severity, *flag = cells
    wanted = tuple(i for i in intents.split("、") if i != "0")
    return Golden(
        category=category,
        text=text,
        towards=towards(felt),
        intents=None if "?" in intents else wanted,
        aspects=_labels(aspects),
        severity=_labels(severity),
        sarcastic=None if flag == ["?"] else flag == ["s"],
    )


def _labels(cell: str) -> Labels | None:
    if cell == "?":
        return None
    words = [] if cell == "0" else cell.split("、")
    open_ones = frozenset(word[:-1] for word in words if word.endswith("?"))
    return Labels(frozenset(word for word in words if not word.endswith("?")), open_ones)

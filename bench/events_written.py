"""Happenings as people write of them, brand by brand: what `python -m bench.events --written g,h` clusters.

In:  bench/told/*/*.tsv, a file a writer of this project: five invented brands, five or six happenings each, told
in 12 to 20 posts (news, witnesses, jokes, questions, bare reactions), and the brands' daily talk on the same
themes. Columns: brand, happening ("-" daily talk, "=" the brand's name), hours after it began, text with {b}.
Real texts with a brand's name before them stand between. Out: posts with the happening that they are about.
What is in `taught` teaches the embedder, `fitted` what nlp.likeness weighs; `unseen` only judges.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from bench.events_city import Labelled
from bench.events_planted import DAYS, START, daily, post
from bench.events_told import TWIN_H, after
from keqing.settings import Brand

FOLDER = Path(__file__).parent / "told"
NAME, TALK = "=", "-"


@dataclass(frozen=True)
class Line:
    """One post of a writer."""

    brand: str
    happening: str  # "" = daily talk
    hour: float
    text: str  # {b} where the brand's name stands


@dataclass(frozen=True)
class Book:
    """What writers wrote: names of brands by key, posts in the order of the files."""

    names: Mapping[str, str]
    lines: Sequence[Line]

    def brands(self) -> dict[str, Brand]:
        """The brands, as a plan names them."""
        return {key: Brand(name=name, aliases=(name,)) for key, name in self.names.items()}

    def happenings(self, brand: str) -> dict[str, list[Line]]:
        """Posts of a brand by happening, those of daily talk under ""."""
        found: dict[str, list[Line]] = defaultdict(list)
        for line in self.lines:
            if line.brand == brand:
                found[line.happening].append(line)
        return dict(found)


def writers(folder: str) -> list[str]:
    """Writers of `taught`, `fitted` or `unseen`."""
    return sorted(path.stem for path in (FOLDER / folder).glob("*.tsv"))


def book(of: Sequence[str]) -> Book:
    """What these writers wrote.

    Raises:
        ValueError: no such writer, or a line is none; names file and line.
    """
    names: dict[str, str] = {}
    lines: list[Line] = []
    for writer in of:
        for line in _lines(writer):
            if line.happening == NAME:
                names[line.brand] = line.text
            elif line.brand in names:
                lines.append(line)
            else:
                raise ValueError(f"bench/told: {writer}.tsv: brand {line.brand!r} has no name")
    return Book(names, lines)


def written(seed: int, talk: Sequence[str], of: Sequence[str]) -> list[Labelled]:
    """Daily talk and happenings, oldest first; two happenings of a brand go on side by side.

    Args:
        talk: real texts that stand between the happenings.
        of: writers.
    """
    random, held = Random(seed), book(of)
    keys = sorted(held.names)
    said = [daily(random, n, text, held.names[random.choice(keys)]) for n, text in enumerate(talk)]
    for key in keys:
        happenings = held.happenings(key)
        for n, line in enumerate(happenings.pop("", [])):
            at = START + timedelta(hours=random.uniform(0, 24 * DAYS))
            said.append(Labelled(post(f"talk{key}{n}", _named(line, held), at), ""))
        for n, (name, lines) in enumerate(happenings.items()):
            if n % 2 == 0:
                began = START + timedelta(hours=random.uniform(0, 24 * DAYS - 96))
            at = began + timedelta(hours=random.uniform(0, TWIN_H))
            for m, line in enumerate(lines):
                own = f"{key}/{name}"
                root = post(f"{own}/{m}", _named(line, held), at + timedelta(hours=line.hour))
                said.append(Labelled(root, own))
                more = after(random, f"{own}/{m}", root, held.names[key], root.first_seen_at)
                said += [Labelled(one, own) for one in more]
    return sorted(said, key=lambda one: (one.at, one.post.id))


def _named(line: Line, held: Book) -> str:
    return line.text.replace("{b}", held.names[line.brand])


def _lines(writer: str) -> Iterator[Line]:
    paths = list(FOLDER.glob(f"*/{writer}.tsv"))
    if not paths:
        raise ValueError(f"bench/told: no writer {writer!r}")
    for n, row in enumerate(paths[0].read_text(encoding="utf-8").splitlines(), 1):
        try:
            brand, happening, hour, text = row.split("\t")
            yield Line(
                f"{writer}_{brand}", "" if happening == TALK else happening,
                0.0 if hour == "-" else float(hour), text,
            )  # fmt: skip
        except ValueError as error:
            raise ValueError(f"{paths[0].name}, line {n}: {error}") from error

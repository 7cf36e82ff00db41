"""A text in clauses and sentences, as places: nothing is copied.

In:  a flat text. Out: Clauses. Commas, blanks and turning words (但, 不过 …) part clauses;
full stops, line ends and the `//@` of a quoted chain part sentences too.
"""

from __future__ import annotations

import re
from bisect import bisect_right

# Each branch begins with a literal, so that the regex engine skips all other characters at once.
TURNS = r"但(?!凡|愿)|不过(?!关|瘾|如此|敏|期|分|是)|可是|然而|却(?<![忘冷退了]却)"
ENDS = r"[。！？!?；;\n…~]+\s*|\.\.+|//@"
PART = re.compile(rf"(?P<end>{ENDS})|[，,\s]+|(?P<turn>{TURNS})")


class Clauses:
    """Clauses of one text: clause n is `text[start:stop]` with its closing mark."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0]
        self.sentences = [0]  # sentence of each clause
        for mark in PART.finditer(text):
            kind = mark.lastgroup
            place = mark.start() if kind == "turn" else mark.end()
            if place > self.starts[-1]:
                self.starts.append(place)
                self.sentences.append(self.sentences[-1] + (kind == "end"))

    def __len__(self) -> int:
        return len(self.starts)

    def at(self, place: int) -> int:
        """Number of the clause at a place."""
        return bisect_right(self.starts, place) - 1

    def span(self, number: int) -> tuple[int, int]:
        """Start and stop of a clause."""
        after = number + 1
        return self.starts[number], self.starts[after] if after < len(self) else len(self.text)

    def sentence(self, number: int) -> tuple[int, int]:
        """Start and stop of the sentence that a clause stands in."""
        first = last = number
        while first and self.sentences[first - 1] == self.sentences[number]:
            first -= 1
        while last + 1 < len(self) and self.sentences[last + 1] == self.sentences[number]:
            last += 1
        return self.starts[first], self.span(last)[1]

    def words(self, number: int) -> str:
        """The words of a clause."""
        start, stop = self.span(number)
        return self.text[start:stop]

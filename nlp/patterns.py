"""What no list of words holds: waits, sums, faults after a while, as patterns over a flat text.

In:  a flat text. Out: Cues as the lists give them. Patterns are data (lexicons/aspect_patterns.tsv);
each is asked only where one of its cheap needs stands in the text.
"""

from __future__ import annotations

import re
from functools import cache

from nlp.cues import Cue
from nlp.lexicon import Entry, rows, words

# Most patterns hold a number, a 就 or a denial; a text without any has none of them.
_WORTH = re.compile(
    r"[\d一二两三四五六七八九十几半贵就]|等到|[都也]没|[都也]不|不[上开到出了进]|没有"
)


def aspects(plain: str) -> list[Cue]:
    """Aspects that are said in no fixed words."""
    if not _WORTH.search(plain):
        return []
    return [
        Cue(found.start(), found.end(), entry._replace(term=found[0]))
        for entry, needs, pattern in _aspects()
        if needs.search(plain)
        for found in pattern.finditer(plain)
    ]


@cache
def _aspects() -> tuple[tuple[Entry, re.Pattern[str], re.Pattern[str]], ...]:
    """What a pattern says, what must be in the text, pattern."""
    return tuple(
        (
            Entry("aspects", name, float(value), (), (), ""),
            re.compile("|".join(map(re.escape, words(needs)))),
            re.compile(pattern),
        )
        for name, value, needs, pattern in rows("aspect_patterns.tsv")
    )

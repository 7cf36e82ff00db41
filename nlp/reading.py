"""What both stages read of a text: simplified, without addresses, names and long runs.

In:  a masked text in any form. Out: the text to cut into features or tokens; never shown.
Emoji stand alone, so that each is one token of its own; names and addresses become one mark.
"""

from __future__ import annotations

import re

from nlp.text import AT, BLANK, RUN, URL, folded

MAX_CHARS = 1500  # an opinion stands in the beginning; keeps a pasted book from costing a minute
EMOJI = re.compile(
    "[\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u25aa-\u25fe\u2600-\u27bf\u2934\u2935\u2b05-\u2b55"
    "\U0001f004-\U0001faff]"
)
_QUOTES = tuple(zip("\u201c\u201d\u2018\u2019`\u2014\u2015", "\"\"'''--", strict=True))
_JOINERS = re.compile("[\u200b-\u200f\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")


def plain(text: str) -> str:
    """`text` as models take it."""
    text = folded(text[:MAX_CHARS])
    for curly, straight in _QUOTES:  # a tenth of what translate takes
        text = text.replace(curly, straight)
    text = AT.sub(" @ ", URL.sub(" http ", text))
    text = EMOJI.sub(r" \g<0> ", RUN.sub(r"\1\1\1", _JOINERS.sub("", text)))
    return BLANK.sub(" ", text).strip()

"""What the encoder reads of a text: simplified, without addresses, names and long runs.

In:  a masked text in any form. Out: the text to tokenise; never shown.
Emoji stand alone, so that each is one token of its own; names and addresses become one mark.
"""

from __future__ import annotations

import re
import unicodedata

from nlp.text import AT, BLANK, BOILERPLATE, RUN, URL, simplified

MAX_CHARS = 1500  # far over MAX_TOKENS; keeps a pasted book from costing a minute
MAX_TOKENS = 256
EMOJI = re.compile(
    "[\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u25aa-\u25fe\u2600-\u27bf\u2934\u2935\u2b05-\u2b55"
    "\U0001f004-\U0001faff]"
)
_QUOTES = str.maketrans("\u201c\u201d\u2018\u2019`\u2014\u2015", "\"\"'''--")
_JOINERS = re.compile("[\u200b-\u200f\ufe0e\ufe0f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")


def plain(text: str) -> str:
    """`text` as the encoder's tokeniser takes it."""
    text = unicodedata.normalize("NFKC", BOILERPLATE.sub("", text[:MAX_CHARS])).lower()
    text = AT.sub(" @ ", URL.sub(" http ", simplified(text).translate(_QUOTES)))
    text = EMOJI.sub(r" \g<0> ", RUN.sub(r"\1\1\1", _JOINERS.sub("", text)))
    return BLANK.sub(" ", text).strip()

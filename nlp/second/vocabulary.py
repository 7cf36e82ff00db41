"""Which tokens of the base model are kept: those that texts use, and every common character.

In:  the base's tokenizer.json, texts. Out: a smaller tokenizer and the rows of the embedding it keeps.
A smaller table is a smaller file; a token that no text ever used cannot have been learned.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nlp.reading import EMOJI, plain
from nlp.second.windows import MAX_TOKENS

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
FEWEST_EMOJI = 4  # uses that make an emoji a token of its own


def smaller(base: Path, texts: Iterable[str]) -> tuple[Any, list[int]]:
    """The tokenizer over kept tokens, and for each new id the old one (-1: a new emoji).

    Kept are special tokens, tokens in use, single ASCII marks and the characters of GB 2312.
    """
    from tokenizers import Tokenizer

    spec = json.loads(base.read_text(encoding="utf-8"))
    old: dict[str, int] = spec["model"]["vocab"]
    tokenizer = Tokenizer.from_str(json.dumps(spec))
    tokenizer.no_truncation()
    read = [plain(text) for text in texts]
    used = {id_ for encoding in tokenizer.encode_batch(read) for id_ in encoding.ids}
    common = _gb2312()
    kept = [t for t, id_ in sorted(old.items(), key=lambda item: item[1])
            if t in SPECIAL or id_ in used or _bare(t) in common]  # fmt: skip
    faces = Counter(face for text in read for face in EMOJI.findall(text))
    new = sorted(face for face, n in faces.items() if n >= FEWEST_EMOJI and face not in old)
    vocabulary = {token: place for place, token in enumerate([*kept, *new])}
    spec["model"]["vocab"] = vocabulary
    for token in spec["added_tokens"]:
        token["id"] = vocabulary[token["content"]]
    template = spec["post_processor"]["special_tokens"]
    for name in template:
        template[name]["ids"] = [vocabulary[name]]
    made = Tokenizer.from_str(json.dumps(spec))
    made.enable_truncation(max_length=MAX_TOKENS)
    return made, [old.get(token, -1) for token in vocabulary]


def _bare(token: str) -> str:
    return token.removeprefix("##")


def _gb2312() -> frozenset[str]:
    """The 6,763 characters of GB 2312 and ASCII's marks, letters and digits."""
    pairs = (bytes((high, low)) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF))
    characters = (pair.decode("gb2312", "ignore") for pair in pairs)
    return frozenset([*filter(None, characters), *map(chr, range(0x21, 0x7F))])

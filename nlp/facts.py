"""What near-copies may not differ in: numbers, amounts, dates, names, negation.

In:  letters of a text (nlp.text.letters, without hashtags), the names in it. Out: Facts, hashed and
sorted: 赔500 and 赔5000, 起火 and 没有起火 are two stories however many words they share.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import xxhash

Facts = bytes  # four a fact, each as often as it is told, sorted
_HAN = "零〇一二三四五六七八九十百千万亿两半"
_UNIT = "元块角万亿千百折成倍度天周年月日号点时分秒岁人名位次家杯份个件张台辆倍间斤克升米"
_NUMBER = re.compile(
    rf"\d+(?:点\d+)*[{_UNIT}]?|[{_HAN}]{{2,}}|[{_HAN.replace('一', '')}](?=[{_UNIT}])"
)
# Words that hold such a character and deny nothing stand first, so that they are passed over.
_NEGATION = re.compile(
    "不过|不但|不仅|不管|不论|不断|不少|不错|不得不|差不多|特别|别人|别的|个别|级别|分别|区别|性别|告别"
    "|非常|无论|无锡|未来|除非|是非|没错|莫名|"
    "(?P<denied>不是|不实|没有|没|不|未|无|别|勿|非|莫|否认|谣言|辟谣|误传|假消息)"
)
_SAME = {"没有": "没", "不是": "不"}


def facts(letters: str, names: Iterable[str]) -> Facts:
    """Facts of one text."""
    told = [*_NUMBER.findall(letters), *denials(letters), *(f"@{name}" for name in set(names))]
    return b"".join(sorted(xxhash.xxh32_digest(fact.encode()) for fact in told))


def denials(letters: str) -> list[str]:
    """Words that deny something, in order."""
    found = (match["denied"] for match in _NEGATION.finditer(letters))
    return [_SAME.get(word, word) for word in found if word]

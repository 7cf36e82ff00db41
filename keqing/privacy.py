"""Pseudonyms and masks: who posted and what contacts they wrote never enter a store in clear.

In:  native author ids with a key; texts.
Out: `k1:<hmac>` pseudonyms; texts with contact data replaced by marks like [电话].
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

from keqing.private import private_folder
from keqing.records import Post
from keqing.settings import Settings, secret

KEY_NAME = "KEQING__PRIVACY__AUTHOR_KEY"
# Every rule needs one of these; most texts have none and cost a glance.
_SUSPECT = re.compile(
    r"[0-9A-Za-z\uff10-\uff19]|[一幺][三四五六七八九][零〇一二三四五六七八九幺]{9}"
)
_WIDE = str.maketrans(
    {chr(0xFF10 + n): str(n) for n in range(10)} | {"－": "-", "　": " ", "＠": "@"}
)
_SEP = r"[ \-]?"
_DOT = r"[ \-.]?"
_MAIL = re.compile(
    r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63})*\.[A-Za-z]{2,12}"
)
_ID = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")
_CARD = re.compile(rf"(?<!\d)[3-6]\d{{3}}(?:{_SEP}\d{{4}}){{2,3}}(?:{_SEP}\d{{1,4}})?(?!\d)")
_MOBILE = re.compile(rf"(?<![\d.])(?:\+?86{_SEP})?1[3-9]\d{_DOT}\d{{4}}{_DOT}\d{{4}}(?!\d)")
_SPOKEN = re.compile(r"[一幺][三四五六七八九][零〇一二三四五六七八九幺]{9}")
_LANDLINE = re.compile(r"(?<!\d)0\d{2,3}[ \-]\d{7,8}(?!\d)|(?<!\d)\(0\d{2,3}\)[ \-]?\d{7,8}(?!\d)")
_DESK = re.compile(
    r"(?:座机|固话|固定电话|家里电话|办公电话)(?:号码?)?[ :：是]{0,3}([2-8]\d{6,7})(?!\d)"
)
_PASSPORT = re.compile(
    r"(?:护照|通行证|港澳证|回乡证|军官证|驾驶证|台胞证)(?:号码?)?(?:[ :：是为]{0,3})([A-Za-z]{1,2}\d{7,9}|\d{8,12}[Xx]?)(?![\dA-Za-z])"
)
# Nicknames under which the messenger is written so that no filter sees it, then what parts it from the number.
_CALLED = r"[ :：是为叫\[\]【】()（）\u2764\ufe0f~→>\-—…·❤♥💬💚\u2795+]{0,4}"
_WECHAT = re.compile(
    r"(?i)((?:微信|薇信|薇心|威信|維信|徽信|微❤|薇❤|[vV]❤|[vV]信|v❤|wechat|we信|wei信|(?<![a-z])[vw]x|(?<![a-z])weixin|"
    r"[加\u2795+\uff0b][vw]x|[加\u2795+\uff0b][vV薇微威](?!ip)|[卫衛]星(?=[^a-z0-9]{0,4}[a-z_]*\d)|绿泡泡|綠泡泡|小绿书|薇(?=❤|号|[ :：]))(?:号码?|同号|群)?(?:和[^，。 ]{1,4})?(?:都|也)?"
    + _CALLED
    + r")([a-z][a-z0-9_\-]{4,19}|\d{6,11})"
)
_QQ = re.compile(
    r"(?i)((?:(?<![a-z])qq|扣扣|蔻蔻|口口|企鹅|企鵝|[加+]q|(?<![a-z])q(?=[ :：])|q[群裙]|扣扣群|群号|裙号|进群|加群)(?:群|号|裙)?(?:码|号)?"
    + _CALLED
    + r")([1-9]\d{4,10})(?!\d|只|元|块|人|年|月|次|万|千|个)"
)
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z]·?[A-HJ-NP-Z0-9]{5,6}(?![A-Z0-9])"
)


def pseudonym(platform: str, native_id: str | None, key: bytes) -> str | None:
    """Keyed pseudonym of an author on a platform; None (anonymous) stays None."""
    if not native_id:
        return None
    message = f"{platform}\0{native_id}".encode()
    return "k1:" + hmac.new(key, message, hashlib.sha256).hexdigest()[:32]


def author_key(settings: Settings) -> bytes:
    """The key of pseudonyms: from the environment, else made once in var/secrets (0600)."""
    if value := secret(KEY_NAME):
        return value.encode()
    path = settings.var / "secrets" / KEY_NAME
    if not path.exists():
        _make(path)
    return path.read_text(encoding="ascii").strip().encode()


def masked(post: Post) -> Post:
    """The post without contact data in anything that people wrote: title, text, words of others in it."""
    clean = {
        "title": mask(post.title) if post.title else post.title,
        "text": mask(post.text) if post.text else post.text,
        "quoted": tuple(map(mask, post.quoted)),
    }
    changed = {name: value for name, value in clean.items() if value != getattr(post, name)}
    return post.model_copy(update=changed) if changed else post


def mask(text: str) -> str:
    """Replace contact data by marks; idempotent; order numbers, prices and hotlines survive."""
    if not _SUSPECT.search(text):
        return text
    flat = text.translate(_WIDE)  # same length, so spans agree
    spans: list[tuple[int, int, str]] = []
    for pattern, mark, group, holds in _RULES:
        for found in pattern.finditer(flat):
            if holds(found.group(group)):
                spans.append((*found.span(group), mark))
    out, at = [], 0
    for start, end, mark in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= at:
            out.append(text[at:start] + mark)
            at = end
    return "".join(out) + text[at:]


def _make(path: Path) -> None:
    private_folder(path.parent)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.touch(mode=0o600)
    aside.write_text(secrets.token_hex(32), encoding="ascii")
    try:
        os.link(aside, path)  # fails if another process was first: its key stands
    except FileExistsError:
        return
    finally:
        aside.unlink()


def _any(_text: str) -> bool:
    return True


def _is_id(text: str) -> bool:
    """Province, birthday and checksum of an identity card; one order number in eleven has the last."""
    province, year, month, day = text[:2], int(text[6:10]), int(text[10:12]), int(text[12:14])
    if not (
        "11" <= province <= "91" and 1900 <= year <= 2099 and 1 <= month <= 12 and 1 <= day <= 31
    ):
        return False
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(text[:17], weights, strict=True))
    return "10X98765432"[total % 11] == text[17].upper()


def _is_card(text: str) -> bool:
    digits = [int(char) for char in text if char.isdigit()]
    if not 15 <= len(digits) <= 19:
        return False
    doubled = [d * 2 - 9 * (d > 4) if n % 2 else d for n, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


_RULES: tuple[tuple[re.Pattern[str], str, int, Callable[[str], bool]], ...] = (
    (_MAIL, "[邮箱]", 0, _any),
    (_ID, "[证件]", 0, _is_id),
    (_CARD, "[银行卡]", 0, _is_card),
    (_MOBILE, "[电话]", 0, _any),
    (_SPOKEN, "[电话]", 0, _any),
    (_LANDLINE, "[电话]", 0, _any),
    (_DESK, "[电话]", 1, _any),
    (_PASSPORT, "[证件]", 1, _any),
    (_WECHAT, "[微信]", 2, _any),
    (_QQ, "[QQ]", 2, _any),
    (_PLATE, "[车牌]", 0, _any),
)

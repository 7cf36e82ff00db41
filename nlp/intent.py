"""What a post wants: 投诉 建议 意见 咨询 求助 表扬 广告 谣言转述, several at once.

In:  Signs of a post, its polarity, the complaint head's probability, its aspects, sarcasm.
Out: intents, the primary first. Words are data (lexicons/intents.tsv); 投诉 also comes from the
complaint head (trained on game forums, so it is asked on negative posts only) and from blame of
what a company answers for; a negative post without another intent is 意见.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import cache

from keqing.records import AspectHit, Polarity
from nlp.aspects import sign
from nlp.lexicon import rows, words
from nlp.rules import Signs, fits

PRIORITY = ("广告", "投诉", "谣言转述", "求助", "咨询", "建议", "表扬", "意见")
OUTRIGHT = 2.0
COMPLAINT = 0.6
DEFECT = -2.0
ANSWERED_FOR = frozenset({"承诺", "尊重", "物流", "售后", "安全", "隐私", "门店", "实用"})
_RHETORIC = re.compile(
    r"难道|凭什么|不[^，,。！!？?]{1,3}吗|还有[^，,。！!？?]{1,4}吗|认真的|好意思|良心|死了吗|谁(?:还|不)|能不能对|"
    r"怎么(?:会|可能|不去)|的吗[？?].{0,6}$|放屁|也叫|是不是觉得|还有比"
)


_SPOKEN = re.compile(
    r"[我咱俺你您]|自己|[!！~]|\[[^\]]{1,6}\]|[\U0001F300-\U0001FAFF]|[啊呀呢啦哈嘿]"
)


@dataclass(frozen=True)
class Mood:
    """How a post leans; `named` = a brand of the plan is in it."""

    blames: bool
    praises: bool
    named: bool
    sarcastic: bool
    complaint: float  # probability by the head
    compared: bool = False  # a rival is said to be better


def intents(
    signs: Signs,
    polarity: Polarity,
    complaint: float,
    held: Sequence[AspectHit],
    sarcastic: bool,
    named: bool = True,
    compared: bool = False,
) -> tuple[str, ...]:
    """All intents of a post by priority; () where nothing is wanted.

    Args:
        held: aspects of what is ours; those of a rival are no complaint about us.
        compared: a comparison says that a rival is better, which is an opinion.
        named: a brand of the plan is named; without one a mood alone is no praise and no opinion.
    """
    said = _said(signs)
    if named or held:  # half of the cost, and nothing to ask or complain about elsewhere
        _add_patterns(said, signs)
    if "广告" in said and said.get("投诉", 0) < OUTRIGHT:
        return ("广告",)
    leaning = _leaning(signs, polarity)
    blames = sarcastic or leaning == Polarity.NEGATIVE
    praises = leaning == Polarity.POSITIVE and not sarcastic
    mood = Mood(blames, praises, named, sarcastic, complaint, compared)
    found = _found(signs, said, mood, held)
    return tuple(name for name in PRIORITY if found.get(name))


def _found(
    signs: Signs, said: dict[str, float], mood: Mood, held: Sequence[AspectHit]
) -> dict[str, bool]:
    """Whether a post has each intent."""
    weight = sum(one.weight for one in signs.own_opinions)
    found = {name: name in said for name in ("求助", "咨询", "建议")}
    found["投诉"] = not mood.praises and _complains(signs, said, mood, held)
    found["咨询"] = found["咨询"] and _really_asks(said, found["投诉"])
    found["求助"] = found["求助"] and not (mood.praises and "表扬" in said)  # 感谢…帮我找回
    grave = mood.blames or "severity" in signs.found or weight < 0
    found["谣言转述"] = _passes_on(said, grave)
    found["表扬"] = mood.praises and ("表扬" in said or weight > 0)
    if not any(found.values()) and "意见" not in said:  # the mood alone
        found["表扬"] = mood.praises and mood.named and (weight > 0 or bool(held) or _lived(signs))
        found["意见"] = mood.blames and (mood.named or bool(held) or bool(signs.own_opinions))
    return found | ({"意见": True} if "意见" in said or mood.compared else {})


def _lived(signs: Signs) -> bool:
    """Whether somebody speaks of oneself or feels aloud; an announcement does neither."""
    return bool(_SPOKEN.search(signs.text))


def _really_asks(said: dict[str, float], complains: bool) -> bool:
    """A weak question is no question of its own beside a plea, a proposal or a complaint."""
    if "求助" in said and said["求助"] >= OUTRIGHT:
        return said["咨询"] > OUTRIGHT
    return said["咨询"] >= OUTRIGHT or not ("建议" in said or complains)


def outright(signs: Signs) -> dict[str, float]:
    """How outright each intent is said, in words of the lists or in patterns."""
    said = _said(signs)
    _add_patterns(said, signs)
    return said


def _said(signs: Signs) -> dict[str, float]:
    """How outright each intent is said."""
    said: dict[str, float] = {}
    for cue in signs.own("intents"):
        clause = signs.clauses.words(signs.clauses.at(cue.start))
        entry = cue.entry
        if entry.name == "咨询" and entry.value < OUTRIGHT and _RHETORIC.search(clause):
            continue
        if entry.value > said.get(entry.name, 0.0) and fits(cue, signs.text, clause):
            said[entry.name] = entry.value
    return said


def _add_patterns(said: dict[str, float], signs: Signs) -> None:
    """What no word list holds: waits, repeated faults, questions of any wording."""
    for name, value, needs, pattern in _patterns():
        if name not in said and needs.search(signs.text):
            if any(_asked(signs, found, name) for found in pattern.finditer(signs.text)):
                said[name] = value


def _asked(signs: Signs, found: re.Match[str], name: str) -> bool:
    """Whether a pattern's words are the author's own, and no rhetorical question."""
    if not signs.is_own(found.start()):
        return False
    clause = signs.clauses.words(signs.clauses.at(found.start()))
    return name != "咨询" or not _RHETORIC.search(clause)


@cache
def _patterns() -> tuple[tuple[str, float, re.Pattern[str], re.Pattern[str]], ...]:
    """Name, value, what must be in the text, pattern."""
    return tuple(
        (name, float(value), re.compile("|".join(words(needs))), re.compile(pattern))
        for name, value, needs, pattern in rows("intent_patterns.tsv")
    )


def _leaning(signs: Signs, polarity: Polarity) -> Polarity:
    """The post's polarity; where the classifier sees none, that of the author's opinion words."""
    if polarity != Polarity.NEUTRAL:
        return polarity
    return sign(sum(one.weight for one in signs.own_opinions))


def _passes_on(said: dict[str, float], grave: bool) -> bool:
    """A rumour is told outright (网传), or something grave or doubted that was heard of."""
    told = said.get("谣言转述", 0.0)
    return told >= OUTRIGHT or (told > 0 and (grave or "咨询" in said))


def _complains(signs: Signs, said: dict[str, float], mood: Mood, held: Sequence[AspectHit]) -> bool:
    """Said outright; or blame of what a company answers for, unless the post asks or passes on."""
    if said.get("投诉", 0.0) >= OUTRIGHT:
        return True
    if max(said.get(name, 0.0) for name in ("求助", "咨询")) >= OUTRIGHT or "谣言转述" in said:
        return False
    if said.get("建议", 0.0) >= OUTRIGHT and not any(_gravely(hit) for hit in held):
        return False
    if not mood.blames:
        return "投诉" in said and any(hit.polarity != Polarity.POSITIVE for hit in held)
    defects = _defects(signs)
    if mood.compared and not defects:
        return False
    blamed = [hit for hit in held if not _of_price(hit, held)]
    if "投诉" in said or any(_answered_for(hit, defects, mood.sarcastic) for hit in blamed):
        return True
    return not held and mood.complaint >= COMPLAINT


def _answered_for(hit: AspectHit, defects: Container[str], sarcastic: bool) -> bool:
    """Blame of service, or a defect; taste and price are opinions."""
    if hit.polarity != Polarity.NEGATIVE and not sarcastic:
        return False
    return hit.name in ANSWERED_FOR or hit.term in defects


def _gravely(hit: AspectHit) -> bool:
    """Blame that no proposal softens: how people are treated, kept safe, made good."""
    return hit.name in ("尊重", "安全", "售后", "隐私") and hit.polarity == Polarity.NEGATIVE


def _of_price(hit: AspectHit, held: Sequence[AspectHit]) -> bool:
    """Whether a clause only says what something costs: 配送费从三块涨到八块 is no fault of delivery."""
    return hit.name in ("物流", "门店", "实用") and any(
        one.name == "价格" and one.polarity == Polarity.NEGATIVE and one.start == hit.start
        for one in held
        if one is not hit and one.where == hit.where
    )


def _defects(signs: Signs) -> frozenset[str]:
    """Aspect terms of the post that name a defect."""
    return frozenset(c.entry.term for c in signs.own("aspects") if c.entry.value <= DEFECT)

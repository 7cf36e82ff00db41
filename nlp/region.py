"""Where a post is from: the store it names > a place in its own words > what its source says.

In:  a post with what was read in it, the stores of the plan. Out: Whence with its basis. No place is
a name inside a brand (青岛啤酒), a dish or firm (兰州拉面), a street (中山路) or an @name; two places
of two provinces that stand alike are none. What a source says is kept as a province, never finer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import ahocorasick

from keqing.errors import BadConfig
from keqing.records import BrandHit, Channel, Post
from keqing.settings import Brand
from nlp.places import Place, Spot, named, spots
from nlp.said import Reading
from nlp.text import AT, flat, split

Basis = Literal["store", "words", "ip", "stated"]
STREET = re.compile(
    r"[东西南北中内外新老]{0,2}[一二三四五六七八九十]{0,2}"
    r"(?:路(?![边上过况人途])|街(?![头上边区])|大街(?!小)|大道|胡同|弄堂|巷)"
)
# What is called after a place and sold everywhere, and bodies that only bear its name.
CALLED = re.compile(
    r"(?:手擀|手工|牛肉|风味|特色|老)?(?:拉面|米粉|烤鸭|火腿|炒饭|小面|火锅|扒鸡|板鸭|盐水鸭|鸭脖|热干面|"
    r"米线|肠粉|凉皮|泡馍|肉夹馍|胡辣汤|螺蛳粉|小笼|生煎|麻辣烫|臭豆腐|大枣|苹果|啤酒|白药|菜馆|菜|料理|"
    r"酸菜鱼|烤鱼|烩面|削面|羊汤|辣酱|煎饼|酸奶|牛奶|面馆|银行|证券|航空|大学|学院|日报|晚报|卫视|时间|"
    r"大米|羊肉|牛肉(?!面)|奶粉|海鲜|特产|水果|橙|苹果|话|方言|口味|腔|队|国安|现代|汽车|产的?)"
)
AT_HERE = re.compile(r"(?:坐标|定位|位于|人在|住在|来到|回到|在|住)[:：]?\s*$")
TO_HERE = re.compile(r"(?:[去到来回于飞逛]|出差|地点[:：]?)\s*$")
NOT_HERE = re.compile(r"(?:从|比|像|离开|不如|不是|告别|发往|寄往|想去)\s*$")
HERE = re.compile(
    r"(?:这边|这里|那边|那家|这家|那个|网点|校区|营业厅|售楼部|小区|本地|当地|市区|城区|机场|火车站|高铁站|[东西南北]站|站|门店|分店|旗舰店|店|"
    r"万达|万象|吾悦|银泰|大悦城|探店|打卡|旅游)"
)
ORIGIN = re.compile(r"(?:人|籍|姑娘|小伙|老乡)")
PREFIX = re.compile(r"^\s*(?:发布于|来自|ip\s*属地|ip)\s*[:：]?\s*", re.IGNORECASE)
ABROAD = re.compile(r"[\u4e00-\u9fff]{2,10}")


@dataclass(frozen=True)
class Whence:
    """Province (or country) as IP属地 writes it, the finest place that words name, why."""

    region: str | None = None
    place: str | None = None
    code: str | None = None  # GB/T 2260
    basis: Basis | None = None


@dataclass(frozen=True)
class Named:
    """A place that own words name and how surely it is where the post is from."""

    place: Place
    score: int


class Regions:
    """Stores of one plan and the register of places; build it once a process.

    Raises:
        BadConfig: a store's place is in no register.
    """

    def __init__(self, brands: Mapping[str, Brand]) -> None:
        self._stores: Any = ahocorasick.Automaton()
        of: dict[str, list[tuple[str, Place]]] = {}
        for key, brand in sorted(brands.items()):
            for store, where in sorted(brand.stores.items()):
                of.setdefault(flat(store), []).append((key, _known(key, store, where)))
        for store, rows in of.items():
            self._stores.add_word(store, rows)
        if of:
            self._stores.make_automaton()

    def of(self, post: Post, said: Reading, parts: Sequence[str] | None = None) -> Whence:
        """Whence of one post; `parts` are its plain_parts where they are known already."""
        parts = parts or plain_parts(post)
        told = post.region and named(PREFIX.sub("", post.region))
        if store := self._store(parts, said.matches.hits):
            return _whence(store, "store")
        if place := _in_words(parts, said, told or None):
            return _whence(place, "words")
        return _told(post, told or None)

    def _store(self, parts: Sequence[str], hits: Sequence[BrandHit]) -> Place | None:
        """The place of the stores that are named beside their brand, if they agree."""
        if not len(self._stores) or not hits:
            return None
        brands = {hit.brand for hit in hits}
        found = {
            place
            for part in parts
            if part
            for _, rows in self._stores.iter(part)
            for brand, place in rows
            if brand in brands
        }
        return found.pop() if len(found) == 1 else None


def plain_parts(post: Post) -> tuple[str, str]:
    """Title and own words of a post, flat."""
    return flat(post.title or ""), flat(split(post.text or "").own)


def _known(brand: str, store: str, where: str) -> Place:
    place = named(where)
    if place is None:
        raise BadConfig(
            f"brands.{brand}.stores.{store}: {where!r} is no place of one province. Write it as "
            "province and city, e.g. 山东青岛."
        )
    return place


def _whence(place: Place, basis: Basis) -> Whence:
    return Whence(place.province, place.whole, place.code, basis)


def _told(post: Post, place: Place | None) -> Whence:
    """What the source says of the author (IP属地) or a form of its sender, as a province."""
    basis: Basis = "ip" if post.channel in (Channel.PUBLIC, Channel.SOCIAL) else "stated"
    if place is not None:
        return Whence(place.province, place.province, place.code[:2] + "0000", basis)
    country = PREFIX.sub("", post.region or "").strip()
    if ABROAD.fullmatch(country):
        return Whence(country, country, None, basis)
    return Whence()


def _in_words(parts: Sequence[str], said: Reading, told: Place | None) -> Place | None:
    found: list[tuple[Spot, int]] = []
    for part, in_title in zip(parts, (True, False), strict=True):
        if not part or not (seen := list(spots(part))):
            continue
        taken = [h for h in said.matches.hits if (h.where == "title") == in_title]
        closed = [(hit.start, hit.end) for hit in taken]
        closed += [at.span() for at in AT.finditer(part)]
        tokens = said.title_tokens if in_title else said.tokens
        found += _standing(part, seen, closed, tokens)
    return _best(list(_meant(found, told)))


def _standing(
    part: str, seen: Sequence[Spot], closed: Sequence[tuple[int, int]], tokens: Sequence[str]
) -> Iterator[tuple[Spot, int]]:
    """Spots that are places here, with a score: 0 named, more with a sign, less when left."""
    before: Spot | None = None
    for spot in seen:
        inside = any(start < spot.stop and spot.start < stop for start, stop in closed)
        if inside or _called(part, spot) or not _a_word(part[spot.start : spot.stop], tokens):
            continue
        within = before is not None and before.stop == spot.start  # 山东青岛
        score = _signs(part, before if within and before else spot, spot)
        before = spot
        if spot.weak and score <= 0 and not within:
            continue
        yield spot, score + within


def _called(part: str, spot: Spot) -> bool:
    """Part of a street's, dish's or firm's name."""
    return bool(CALLED.match(part, spot.stop) or STREET.match(part, spot.stop))


def _a_word(name: str, tokens: Sequence[str]) -> bool:
    """Whether a token begins or ends with the name: 城西宁静 does not name 西宁."""
    return any(token.startswith(name) or token.endswith(name) for token in tokens)


def _signs(part: str, first: Spot, last: Spot) -> int:
    head = part[max(0, first.start - 5) : first.start]
    if NOT_HERE.search(head):
        return -2
    score = 2 if AT_HERE.search(head) else int(bool(TO_HERE.search(head)))
    if ORIGIN.match(part, last.stop):
        return score if score > 1 else -2  # 成都人: where someone is from is not where they are
    return score + bool(HERE.match(part, last.stop)) + last.full


def _meant(found: Sequence[tuple[Spot, int]], told: Place | None) -> Iterator[Named]:
    """Of a name that several places bear the one in a province that is known otherwise."""
    known = {spot.places[0].code[:2] for spot, _ in found if len(spot.places) == 1}
    known = known or ({told.code[:2]} if told else set())
    for spot, score in found:
        fitting = [place for place in spot.places if place.code[:2] in known]
        meant = spot.places if len(spot.places) == 1 else fitting
        if len(meant) == 1 and score > -2:
            yield Named(meant[0], score)


def _best(found: Sequence[Named]) -> Place | None:
    """The finest place of the province with the best sign; between two of its cities the province,
    between two provinces None."""
    if not found:
        return None
    top = max(row.score for row in found)
    leading = {row.place.code[:2] for row in found if row.score == top}
    if len(leading) != 1:
        return None
    same = [row for row in found if row.place.code[:2] in leading]
    rank = max((row.place.depth, row.score) for row in same)
    finest = {row.place for row in same if (row.place.depth, row.score) == rank}
    return finest.pop() if len(finest) == 1 else named(same[0].place.province)

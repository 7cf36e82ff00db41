"""Weibo answers → Items: mobile timeline, status, long text, comments, profile; open API lists.

In:  a Page with JSON. Out: Parsed with posts, long texts and comments to fetch, the next page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from crawlers.pages.audit import Fields, first_words, load_json, not_as_expected
from crawlers.pages.mblog import ZONE, comment, mblog, plain
from crawlers.pages.page import Item, Page, Parsed, Ref
from crawlers.pages.tally import Tally

MAX_NESTING = 8
POST_CARD = 9


def parse_timeline(page: Page) -> Parsed:
    """`api/container/getIndex?containerid=107603…`: nested card groups are walked."""
    tally = Tally(page, ZONE)
    data = _data(page, tally)
    if data is None:
        return tally.parsed()
    cards = data.get("cards")
    if not isinstance(cards, list):
        return not_as_expected(tally, page, ["data.cards"])
    if not cards:
        tally.skip("empty")
    items = [item for value in _mblogs(cards, tally) for item in mblog(value, tally)]
    if cards and not items:
        tally.skip("no_post")
    info = Fields(data, "data", tally).block("cardlistInfo")
    fields = Fields(info, "cardlistInfo", tally)
    since, number = fields.words("since_id"), fields.words("page")
    following = f"since_id={since}" if since else f"page={number}" if number else None
    return tally.parsed(_once(items), _long_texts(items), following)


def parse_status(page: Page) -> Parsed:
    """`statuses/show`, and the desktop form, which is not wrapped in `data`."""
    tally = Tally(page, ZONE)
    value = load_json(page, tally)
    if value is None:
        return tally.parsed()
    if not isinstance(value, dict):
        return not_as_expected(tally, page, ["data"])
    inner = value.get("data") if isinstance(value.get("data"), dict) else value
    items = mblog(inner, tally)
    return tally.parsed(items, _long_texts(items))


def parse_extend(page: Page) -> Parsed:
    """`statuses/extend?id=`: the long text; whose it is only the request knows (facts, url)."""
    tally = Tally(page, ZONE)
    data = _data(page, tally)
    if data is None:
        return tally.parsed()
    text = data.get("longTextContent")
    if not isinstance(text, str):
        return not_as_expected(tally, page, ["data.longTextContent"])
    counts = tally.counts(
        likes=data.get("attitudes_count"),
        comments=data.get("comments_count"),
        reposts=data.get("reposts_count"),
    )
    item = Item(native_id=page.facts.get("mid"), text=plain(text), **counts)
    return tally.parsed([item])


def parse_comments(page: Page) -> Parsed:
    """`comments/hotflow` and the older `api/comments/show`; hot and plain rows are united by id."""
    tally = Tally(page, ZONE)
    data = _data(page, tally)
    if data is None:
        return tally.parsed()
    fields = Fields(data, "data", tally)
    rows = [row for name in ("data", "hot_data") for row in fields.rows(name)]
    if not rows:
        tally.skip("empty")
    items = [item for row in rows for item in comment(row, tally, page.facts.get("mid"))]
    mark, kind = first_words(data.get("max_id")), first_words(data.get("max_id_type"))
    following = f"max_id={mark}&max_id_type={kind or 0}" if mark and mark != "0" else None
    return tally.parsed(_once(items), (), following)


def parse_profile(page: Page) -> Parsed:
    """`getIndex?type=uid`: an account, no posts."""
    tally = Tally(page, ZONE)
    data = _data(page, tally)
    if data is not None:
        tally.skip("profile")
    return tally.parsed()


def parse_open_statuses(page: Page) -> Parsed:
    """Open API: `statuses[]`."""
    return _open(page, "statuses", mblog)


def parse_open_favorites(page: Page) -> Parsed:
    """Open API: `favorites[].status`."""

    def status(value: object, tally: Tally) -> list[Item]:
        return mblog(value.get("status") if isinstance(value, dict) else None, tally)

    return _open(page, "favorites", status)


def parse_open_comments(page: Page) -> Parsed:
    """Open API: `comments[]`, each with the status that it answers."""
    return _open(page, "comments", lambda value, tally: comment(value, tally, None))


def _open(page: Page, name: str, read: Callable[[object, Tally], list[Item]]) -> Parsed:
    tally = Tally(page, ZONE)
    value = load_json(page, tally)
    if value is None:
        return tally.parsed()
    rows = value.get(name) if isinstance(value, dict) else None
    if not isinstance(rows, list):
        return not_as_expected(tally, page, [name])
    if not rows:
        tally.skip("empty")
    return tally.parsed(item for row in rows for item in read(row, tally))


def _data(page: Page, tally: Tally) -> dict[str, object] | None:
    """The `data` block of a wrapped answer, or None with the reason counted."""
    value = load_json(page, tally)
    if value is None:
        return None
    data = value.get("data") if isinstance(value, dict) else None
    if isinstance(data, dict):
        return data
    not_as_expected(tally, page, ["data"])
    return None


def _mblogs(cards: list[object], tally: Tally, depth: int = 0) -> Iterator[object]:
    """Posts of cards and of groups of cards; other cards are menus and adverts."""
    if depth > MAX_NESTING:
        tally.skip("too_deep")
        return
    for card in cards:
        if not isinstance(card, dict):
            tally.skip("no_object")
            continue
        if "mblog" in card:
            yield card["mblog"]
        elif card.get("card_type") in (None, POST_CARD):
            tally.skip("no_object")
        yield from _mblogs(Fields(card, "card", tally).rows("card_group"), tally, depth + 1)


def _once(items: list[Item]) -> list[Item]:
    """Rows in order, a repeated one (same id, same embedding) only the first time."""
    return list({(item.native_id, item.embedded): item for item in reversed(items)}.values())[::-1]


def _long_texts(items: list[Item]) -> list[Ref]:
    cut = dict.fromkeys(item.native_id for item in items if item.truncated and item.native_id)
    return [Ref("longtext", key, facts={"mid": key}) for key in cut]

"""The shop's reviews (schema.org, JSON-LD and microdata) and the paper's feeds (RSS, Atom).

In:  a World, the moment, the path and query. Out: (status, content type, body).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from html import escape

from demo.world import Said, World, name_of

CST = timezone(timedelta(hours=8))
PAGE, ENTRIES = 15, 40
PRODUCTS = {1: "青提冻", 2: "茉莉奶绿", 3: "桂花乌龙"}
MERCHANT = "非常抱歉给您带来不好的体验，已为您登记。"
Answer = tuple[int, str, bytes]


def reviews(world: World, now: datetime, path: str, query: Mapping[str, str]) -> Answer:
    """`/item/P1?page=N`."""
    product = next((n for n in PRODUCTS if path == f"/item/P{n}"), None)
    if product is None:
        return 404, "text/html", b"<html>404</html>"
    number = int(query.get("page", "1")) if query.get("page", "1").isdigit() else 1
    mine = [r for r in reversed(world.reviews) if r.board == product and r.at <= now]
    shown = mine[(number - 1) * PAGE : number * PAGE]
    value = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": f"木槿壶 {PRODUCTS[product]}",
        "review": [_review(said) for said in shown],
    }
    more = number * PAGE < len(mine)
    following = (
        f'<a rel="next" href="/item/P{product}?page={number + 1}">下一页</a>' if more else ""
    )
    block = json.dumps(value, ensure_ascii=False).replace("</", "<\\/")
    body = (
        f"<!DOCTYPE html><html><head><title>{PRODUCTS[product]}</title>"
        f'<script type="application/ld+json">{block}</script></head><body>'
        f"{''.join(map(_micro, shown[:3]))}{following}</body></html>"
    )
    return 200, "text/html; charset=utf-8", body.encode()


def feeds(world: World, now: datetime, path: str) -> Answer:
    """`/rss.xml` and `/atom.xml`: the newest 40 articles; `/appstore.xml`; one that is always busy."""
    if path == "/busy.xml":
        return 429, "text/plain", b"slow down"
    if path == "/appstore.xml":
        return _appstore(world, now)
    shown = [item for item in reversed(world.articles) if item.at <= now][:ENTRIES]
    if path == "/rss.xml":
        items = "".join(map(_rss, shown))
        head = '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>清河晚报</title>'
        return 200, "application/rss+xml", f"{head}{items}</channel></rss>".encode()
    if path == "/atom.xml":
        entries = "".join(map(_atom, shown))
        head = '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
        return 200, "application/atom+xml", f"{head}{entries}</feed>".encode()
    return 404, "text/html", b"<html>404</html>"


def _review(said: Said) -> dict[str, object]:
    rating: object = {"@type": "Rating", "ratingValue": str(said.rating * 2), "bestRating": "10",
                      "worstRating": "2"}  # fmt: skip
    if said.id % 3 == 0:
        rating = str(said.rating)  # some pages give a bare number
    row: dict[str, object] = {
        "@type": "Review", "identifier": f"R{said.id}", "author": name_of(said.author),
        "datePublished": _written(said), "reviewBody": said.text, "reviewRating": rating,
    }  # fmt: skip
    if said.rating == 1:
        row["comment"] = {"@type": "Comment", "author": "木槿壶", "text": MERCHANT}
    return row


def _written(said: Said) -> str:
    """When a review was written; some pages tell the day only."""
    local = said.at.astimezone(CST)
    return f"{local:%Y-%m-%d}" if said.id % 5 == 0 else local.isoformat(timespec="seconds")


def _micro(said: Said) -> str:
    when = _written(said)
    reply = f'<div class="answer">商家回复：{MERCHANT}</div>' if said.rating == 1 else ""
    return (
        '<div itemscope itemtype="https://schema.org/Review">'
        f'<span itemprop="author">{name_of(said.author)}</span>'
        f'<meta itemprop="identifier" content="R{said.id}">'
        f'<meta itemprop="datePublished" content="{when}">'
        f'<p itemprop="reviewBody">{escape(said.text)}</p></div>{reply}'
    )


def _rss(item: Said) -> str:
    return (
        f"<item><guid>article-{item.id}</guid><title>{escape(item.title)}</title>"
        f"<link>https://news.example.org/{item.id}</link><author>清河晚报</author>"
        f"<pubDate>{format_datetime(item.at)}</pubDate>"
        f"<description>{escape(item.text)}</description></item>"
    )


def _atom(item: Said) -> str:
    return (
        f"<entry><id>article-{item.id}</id><title>{escape(item.title)}</title>"
        f'<link href="https://news.example.org/{item.id}"/>'
        f"<updated>{item.at.astimezone(CST).isoformat(timespec='seconds')}</updated>"
        f"<author><name>清河晚报</name></author><content>{escape(item.text)}</content></entry>"
    )


def _appstore(world: World, now: datetime) -> Answer:
    """Customer reviews in the App Store's shape: the app's own entry first, hours of California."""
    shown = [item for item in reversed(world.reviews) if item.at <= now][:ENTRIES]
    head = (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns:im="http://itunes.apple.com/rss" '
        'xmlns="http://www.w3.org/2005/Atom"><entry><id>1000</id><title>木槿壶点单</title></entry>'
    )
    body = f"{head}{''.join(map(_app_review, shown))}</feed>"
    return 200, "application/atom+xml", body.encode()


def _app_review(said: Said) -> str:
    when = said.at.astimezone(timezone(-timedelta(hours=7))).isoformat(timespec="seconds")
    return (
        f"<entry><updated>{when}</updated><id>A{said.id}</id><title>{escape(said.text[:8])}</title>"
        f'<content type="text">{escape(said.text)}</content><im:voteSum>{said.id % 4}</im:voteSum>'
        f"<im:voteCount>{said.id % 4 + 3}</im:voteCount><im:rating>{said.rating}</im:rating>"
        f"<author><name>{name_of(said.author)}</name>"
        f"<uri>https://itunes.apple.com/cn/reviews/id{said.author}</uri></author></entry>"
    )

"""Templates → answers: one environment with autoescape, and the words that templates use.

In:  a template, a model, the request. Out: an HTML response; the model of a page as JSON.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi.encoders import jsonable_encoder
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse

from dashboards import times
from dashboards.locale import translate
from dashboards.site import site_of
from keqing.untrusted import clean, safe_url
from keqing.words import Lang, word

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

HERE = Path(__file__).parent
STATIC = HERE / "static"
ROLES = {
    "viewer": "只读", "analyst": "分析员", "responder": "值班", "lead": "组长", "admin": "管理员",
}  # fmt: skip
COUNTS = {
    "fetched": "取回", "fetched_pages": "页面", "parsed": "解析", "new": "新帖", "updated": "更新",
    "duplicate": "重复", "filtered": "过滤", "refused": "拒绝", "read": "读入", "landed": "落地",
    "rejected": "拒收", "scored": "已理解", "about_us": "提及我方", "received": "收到",
    "created": "新增", "changed": "变化", "unchanged": "未变", "stale": "过时", "brands": "品牌",
    "ticks": "时点", "queued": "待发", "sent": "送达", "failed": "失败", "dead": "死信",
    "posts": "帖文", "unknown_fields": "未知字段", "gaps": "缺口",
}  # fmt: skip
FEW = 10
UNITS = {"s": "{n} 秒", "min": "{n} 分钟", "h": "{n} 小时", "d": "{n} 天"}


def page(request: Request, template: str, status: int = 200, **model: Any) -> HTMLResponse:
    """A page in the language of the request."""
    lang = lang_of(request)
    html = (
        environment()
        .get_template(template)
        .render(
            lang=lang,
            path=request.url.path,
            other_lang=other_lang(request, lang),
            now=site_of(request).now(),
            **words(lang),
            **model,
        )
    )
    return HTMLResponse(html, status)


def lang_of(request: Request) -> Lang:
    """The language asked in the address; Chinese otherwise, so that a pasted link reads the same."""
    return "en" if request.query_params.get("lang") == "en" else "zh"


def twin(model: DataclassInstance) -> JSONResponse:
    """The model of a page as JSON: the same numbers."""
    return JSONResponse(jsonable_encoder(asdict(model)))


def words(lang: Lang) -> dict[str, Any]:
    """What templates call, bound to a language."""
    return {
        "_": partial(_translate, lang),
        "word": lambda code: word(str(code), lang),
        "number": number,
        "percent": percent,
        "change": change,
        "absolute": times.absolute,
        "short": times.short,
        "role": lambda code: _translate(lang, ROLES[code]),
        "counted": lambda name: counted(str(name), lang),
        "lasting": lambda seconds: lasting(seconds, lang),
        "spelt": lambda seconds: spelt(seconds, lang),
        "span_of": lambda seconds: span_of(seconds, lang),
        "plain": clean,
        "safe_url": safe_url,
        "ago": lambda moment, now: ago(moment, now, lang),
        "to": lambda url: in_lang(url, lang),
        "asset": asset,
    }


def counted(name: str, lang: Lang) -> str:
    """Words for a count of the ledger; `refused.unreadable` is a count by reason."""
    _, dot, reason = name.partition(".")
    return word(f"left_out.{reason}", lang) if dot else _translate(lang, COUNTS.get(name, name))


def number(value: float | None) -> str:
    """`6,318`; what is unknown is a dash, never 0."""
    return "—" if value is None else f"{value:,.0f}"


def percent(value: float | None) -> str:
    """`61.8%` of a share 0..1."""
    return "—" if value is None else f"{value:.1%}"


def change(value: float | None, before: float | None) -> str:
    """`+187%`; of few posts the difference itself, because +12,300% of one post says nothing."""
    if value is None or before is None:
        return "—"
    moved = value - before
    sign = "−" if moved < 0 else "+" if moved > 0 else ""
    return f"{sign}{abs(moved):,.0f}" if before < FEW else f"{sign}{abs(moved) / before:,.0%}"


def ago(moment: Any, now: Any, lang: Lang) -> str:
    """`11 分钟前`."""
    return _translate(lang, "{span}前", span=lasting((now - moment).total_seconds(), lang))


def lasting(seconds: float, lang: Lang) -> str:
    """`11 分钟`."""
    n, unit = times.distance(seconds)
    return _translate(lang, UNITS[unit], n=n)


def spelt(seconds: float, lang: Lang) -> str:
    """`40 分钟`, `2 小时 5 分钟`: a span in words, to the minute where it is under two days."""
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours == 0:
        return lasting(seconds, lang)
    if hours >= 48:
        return span_of(seconds, lang)
    whole = _translate(lang, UNITS["h"], n=hours)
    return f"{whole} {_translate(lang, UNITS['min'], n=minutes)}" if minutes else whole


def span_of(seconds: float, lang: Lang) -> str:
    """`04:12`, `16:28:00`, or `8 天 21 小时`."""
    hours = int(abs(seconds)) // 3600
    if hours < 48:
        return times.clock(seconds)
    return _translate(lang, "{d} 天 {h} 小时", d=hours // 24, h=hours % 24)


def in_lang(url: str, lang: Lang) -> str:
    """A link of ours that keeps the language."""
    if lang == "zh" or "lang=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}lang={lang}"


def other_lang(request: Request, lang: Lang) -> str:
    """Address of this very page in the other language."""
    pairs = [pair for pair in request.query_params.multi_items() if pair[0] != "lang"]
    query = urlencode(pairs if lang == "en" else [*pairs, ("lang", "en")])
    return f"{request.url.path}?{query}" if query else request.url.path


@cache
def asset(name: str) -> str:
    """Address of a static file; its hash lets browsers keep it for good."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


@cache
def environment() -> Environment:
    """Templates with autoescape; an undefined name is an error."""
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _translate(lang: str, sentence: str, /, **values: object) -> str:
    return translate(sentence, lang, **values)

"""One mail of one notification: subject, text, HTML, chart; the same numbers in all of them.

In:  a Notification whose payload was frozen when it was queued (see alerts.notices).
Out: an EmailMessage. Texts from the web stand in it only masked and escaped, and no title can add
a header: control and separator characters are cleaned first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from alerts.chart import ChartData, draw
from keqing.records import Incident, Level, Notification
from keqing.untrusted import safe_url
from keqing.words import word

CHINA = ZoneInfo("Asia/Shanghai")
SUBJECT_MAX = 60
DIGEST, OPS = "digest", "ops"
TEXT_MAX = 160
COLOURS = {
    Level.BLUE: "#1d5fbf",
    Level.YELLOW: "#8a6100",
    Level.ORANGE: "#b4500b",
    Level.RED: "#b42318",
}
NOT_PLAIN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069]+")
SURROGATE = re.compile(r"[\ud800-\udfff]")


def build(notice: Notification, sender: str, to: str) -> EmailMessage:
    """The mail of a notification to one person.

    Args:
        sender: address, whose domain also stands in the message ids.
        to: address of the receiver.
    """
    if notice.reason == DIGEST:
        return _digest(notice, sender, to)
    if notice.reason == OPS:
        return _ops(notice, sender, to)
    incident = Incident.model_validate(notice.payload["incident"])
    title = subject(incident, str(notice.payload["reason"]))
    message = _envelope(notice, sender, to, title)
    if incident.level is Level.RED:
        message["Importance"] = "high"
    _body(message, _facts(notice, incident), notice.payload.get("chart"), incident)
    return message


def _envelope(notice: Notification, sender: str, to: str, title: str) -> EmailMessage:
    domain = sender.rpartition("@")[2] or "localhost"
    message = EmailMessage()
    message["Subject"] = title
    message["From"] = Address("客情", addr_spec=one_line(sender))
    message["To"] = one_line(to)
    message["Date"] = format_datetime(notice.created_at)
    message["Message-ID"] = f"<{one_line(notice.id)}@{domain}>"
    message["References"] = f"<{notice.incident}.thread@{domain}>"
    message["List-ID"] = f"<alerts.{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    return message


def _digest(notice: Notification, sender: str, to: str) -> EmailMessage:
    facts = dict(notice.payload) | {"notice": notice}
    message = _envelope(notice, sender, to, one_line(str(notice.payload["subject"])))
    message.set_content(_templates().get_template("digest.txt").render(facts))
    page = _templates().get_template("digest.html").render(facts)
    message.add_alternative(page, subtype="html")
    return message


def _ops(notice: Notification, sender: str, to: str) -> EmailMessage:
    """Trouble of the system itself, in plain text."""
    said = notice.payload
    outcome = word(f"ops.{said['outcome']}")
    headline = one_line(f"【系统】{outcome}：{said['what']}")
    message = _envelope(notice, sender, to, headline)
    facts = dict(said) | {"headline": headline}
    message.set_content(_templates().get_template("ops.txt").render(facts))
    return message


def subject(incident: Incident, reason: str) -> str:
    """Level first, the id last, at most 60 characters; it changes only with the level."""
    head = {"blind": "【信源失明】", "blind_over": "【信源恢复】"}.get(
        reason, f"【{word('level.' + incident.level)}预警】"
    )
    tail = f" #{incident.id}"
    title = one_line(incident.title)
    return head + title[: SUBJECT_MAX - len(head) - len(tail)] + tail


def one_line(text: str) -> str:
    """Text without anything that ends a line, hides or turns a part of it."""
    return SURROGATE.sub("?", NOT_PLAIN.sub(" ", text)).strip()


def _body(message: EmailMessage, facts: Mapping[str, Any], chart: Any, incident: Incident) -> None:
    message.set_content(_templates().get_template("alert.txt").render(facts))
    html = _templates().get_template("alert.html").render(facts)
    message.add_alternative(html, subtype="html")
    if isinstance(chart, Mapping):
        page = message.get_payload()[1]  # type: ignore[index]
        page.add_related(  # type: ignore[union-attr]
            draw(_chart(chart, incident)),
            "image",
            "png",
            cid="<chart>",
            filename="chart.png",
            disposition="inline",
        )


def _facts(notice: Notification, incident: Incident) -> dict[str, Any]:
    previous = notice.payload.get("previous_level")
    return dict(notice.payload) | {
        "incident": incident,
        "notice": notice,
        "colour": COLOURS[incident.level],
        "level_word": word("level." + incident.level),
        "grade": word("grade." + incident.level),
        "previous": word(f"level.{previous}") if previous else "",
        "has_chart": isinstance(notice.payload.get("chart"), Mapping),
        "evidence": incident.evidence[:5],
        "titles": notice.payload.get("titles") or {},
    }


def _chart(chart: Mapping[str, Any], incident: Incident) -> ChartData:
    return ChartData(
        [datetime.fromisoformat(start) for start in chart["starts"]],
        [float(value) for value in chart["values"]],
        incident.low,
        incident.high,
        incident.started_at,
        incident.level,
    )


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("alerts"),
        autoescape=select_autoescape(["html"]),  # the text part must not be escaped
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"word": word, "clock": _clock, "short": _short, "safe_url": safe_url}
    return made


def _clock(moment: datetime | str | None) -> str:
    if moment is None or moment == "":
        return "时间未知"
    when = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return when.astimezone(CHINA).strftime("%m-%d %H:%M")


def _short(text: str) -> str:
    flat = one_line(text)
    return flat if len(flat) <= TEXT_MAX else flat[:TEXT_MAX] + "……"

"""The remote-channel desk: files that a call centre, a portal and an SMS gateway would hand over.

In:  seed, T0, the moment. Out: name → bytes of a CSV in GB18030, JSON lines and a sheet, as of the
moment. Tickets rise from the 150th minute of the crisis. Each file has its traps: rows without words,
a cell too many, a formula, contact data, a broken line.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from random import Random

from openpyxl import Workbook

from demo.said import Said
from demo.texts import say, script
from demo.world import QUIET_DAYS, moments

CST = timezone(timedelta(hours=8))
TICKETS, PORTAL, SMS = "tickets.csv", "portal.jsonl", "sms.xlsx"
HEADER = ("工单号", "诉求", "受理时间", "客户号", "地区", "满意度")
FORMULA = '=HYPERLINK("http://example.org","点我")'
PER_DAY, PER_HOUR = 3, 12


def files(seed: int, t0: datetime, now: datetime) -> dict[str, bytes]:
    """What the desk has received by now."""
    said = [one for one in _received(Random(f"desk {seed}"), t0) if one.at <= now]
    by_channel = [said[n::3] for n in range(3)]
    return {
        TICKETS: _tickets(by_channel[0]),
        PORTAL: _portal(by_channel[1]),
        SMS: _sms(by_channel[2]),
    }


def _received(random: Random, t0: datetime) -> list[Said]:
    start, end = t0 - timedelta(days=QUIET_DAYS), t0 + timedelta(days=2)
    found = [
        Said(at, random.randrange(13_000, 19_000), say(random, "mujinhu", "complaint"))
        for at in moments(random, start, end, PER_DAY)
    ]
    begin = t0 + timedelta(minutes=script()["tickets"])
    for n in range(PER_HOUR * 6):
        at = begin + timedelta(minutes=n * 60 / PER_HOUR + random.random() * 4)
        words = say(random, "mujinhu", "crisis")
        found.append(Said(at, random.randrange(13_000, 19_000), words))
    found.sort(key=lambda one: one.at)
    for n, one in enumerate(found):
        one.id, one.rating = 70_001 + n, random.choice((1, 1, 2, 3, 5))
    return found


def _row(one: Said) -> list[str]:
    return [f"GD{one.id}", f"{one.text} 回电138{one.author:05d}000", _written(one.at),
            f"138{one.author:05d}000", "山东", str(one.rating)]  # fmt: skip


def _tickets(said: Sequence[Said]) -> bytes:
    sink = io.StringIO(newline="")
    rows = [_row(one) for one in said]
    rows.insert(2, ["GD1", "", _written(said[0].at), "", "", ""])  # no words
    rows.insert(4, [*_row(said[0])[:5], "5", "多出的一格"])
    csv.writer(sink).writerows([HEADER, *rows])
    return sink.getvalue().encode("gb18030")


def _portal(said: Sequence[Said]) -> bytes:
    lines = [
        json.dumps({"编号": f"P{one.id}", "内容": one.text, "时间": one.at.isoformat()}, ensure_ascii=False)
        for one in said
    ]  # fmt: skip
    lines.insert(1, '{"编号": "P1", "内容": "没写完')
    return "".join(f"{line}\n" for line in lines).encode()


def _sms(said: Sequence[Said]) -> bytes:
    book = Workbook()
    sheet = book.create_sheet("短信", 0)
    book.active = 0
    sheet.append(["编号", "内容", "时间", "手机号"])
    for one in said:
        sheet.append([f"S{one.id}", one.text, _written(one.at), f"138{one.author:05d}000"])
    sheet.append(["S1", "", "", ""])
    sheet.append(["S2", FORMULA, _written(said[0].at), ""])
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def _written(at: datetime) -> str:
    return f"{at.astimezone(CST):%Y-%m-%d %H:%M:%S}"

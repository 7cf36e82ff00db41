"""`python -m dashboards.kibana.build` writes keqing.ndjson: a data view, searches, charts, one board.

In:  words of keqing. Out: saved objects that read `keqing-public` only, so that whoever has nothing
but the right keqing_public sees all of the board and no author.
"""

from __future__ import annotations

import json
from pathlib import Path

from dashboards.kibana.objects import (
    Object,
    agg,
    dashboard,
    data_view,
    hourly,
    markdown,
    search,
    top,
    visual,
)
from keqing.words import all_words

OUT = Path(__file__).with_name("keqing.ndjson")
HOURS = 24
LATE_S = 3600
LABELS = {
    "published_at": "发布时间", "first_seen_at": "首次看到", "collected_at": "最近采集",
    "brand": "品牌", "negative_brand": "负面所指品牌", "source": "信源", "channel": "渠道",
    "platform": "平台", "kind": "形式", "region": "地域", "polarity": "情感", "emotion": "情绪",
    "intent": "意图", "aspect": "维度", "topic": "话题", "severity": "敏感类别", "risk": "风险",
    "interactions": "互动数", "delay_s": "采集延迟", "precision": "时间精度", "rejected": "未采信原因",
    "flags": "标记", "stage": "研判级别", "model": "模型版本", "story": "相似组",
}  # fmt: skip
CODED = ("channel", "kind", "polarity", "intent", "aspect", "severity", "emotion", "precision",
         "rejected", "stage")  # fmt: skip
COLUMNS = ("brand", "source", "channel", "polarity", "severity", "topic", "risk")
ABOUT = (
    "**客情概览**　只读受限副本 `keqing-public`：没有作者、正文、地址和帖文编号。"
    "时间按发布时间、北京时间，默认最近 24 小时。品牌可见范围、审计和处置在客情看板，不在这里。"
)


def built() -> list[Object]:
    """All objects; what is pointed at comes first."""
    words = {
        group: {code: said["zh"] for code, said in all_words()[group].items()} for group in CODED
    }
    charts = _charts()
    searches = _searches()
    note = markdown("keqing-note", "说明", ABOUT)
    board = dashboard("keqing-overview", "客情概览", "声量、情感、品牌、信源、敏感类别与采集延迟", [
        [(note, 48)],
        [(charts["channel"], 24), (charts["polarity"], 24)],
        [(charts["brand"], 24), (charts["source"], 24)],
        [(charts["severity"], 24), (charts["delay"], 24)],
        [(searches[1], 48)],
    ], HOURS)  # fmt: skip
    return [data_view(LABELS, words), *searches, note, *charts.values(), board]


def text() -> str:
    """The file's content: one object a line."""
    lines = (json.dumps(one, ensure_ascii=False, sort_keys=True) for one in built())
    return "".join(f"{line}\n" for line in lines)


def _charts() -> dict[str, Object]:
    posts = agg("1", "count", "metric", customLabel="篇数")
    latest = agg("2", "max", "metric", field="first_seen_at", customLabel="最近一次看到")
    late = agg("1", "percentiles", "metric", field="delay_s", percents=[50, 95],
               customLabel="采集延迟（秒）")  # fmt: skip
    return {
        "channel": visual("keqing-by-channel", "声量（按渠道）", "histogram",
                          [posts, hourly("2"), top("3", "group", "channel", 10)]),
        "polarity": visual("keqing-by-polarity", "声量（按情感）", "histogram",
                           [posts, hourly("2"), top("3", "group", "polarity", 3)]),
        "brand": visual("keqing-by-brand", "品牌与情感", "horizontal_bar",
                        [posts, top("2", "segment", "brand", 20), top("3", "group", "polarity", 3)]),
        "source": visual("keqing-by-source", "信源", "table",
                         [posts, latest, top("3", "bucket", "source", 50, "信源")]),
        "severity": visual("keqing-by-severity", "敏感类别", "horizontal_bar",
                           [posts, top("2", "segment", "severity", 20)], "_exists_:severity"),
        "delay": visual("keqing-delay", "采集延迟（首次看到 − 发布）", "line",
                        [late, hourly("2")], "_exists_:delay_s"),
    }  # fmt: skip


def _searches() -> list[Object]:
    return [
        search("keqing-negative", "负面帖文", "polarity:negative", COLUMNS),
        search("keqing-severe", "敏感帖文", "_exists_:severity", COLUMNS),
        search("keqing-late", "采集延迟一小时以上", f"delay_s:>{LATE_S}",
               ("source", "platform", "first_seen_at", "delay_s")),
    ]  # fmt: skip


if __name__ == "__main__":
    OUT.write_text(text(), encoding="utf-8")
    print(OUT)

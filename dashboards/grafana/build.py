"""`python -m dashboards.grafana.build` writes data-health.json: do posts come, how late, how whole.

In:  nothing. Out: a Grafana dashboard over one Elasticsearch data source that the viewer chooses. It
asks `keqing-public` only for what stands there; what the index refused or a crawl did not get is
known to the workflow database, and stands on keqing's own page.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OUT = Path(__file__).with_name("data-health.json")
HOURS = 24
SEEN = "first_seen_at"  # time field of the data source: arrival, not publication
DATASOURCE = {"type": "elasticsearch", "uid": "${datasource}"}
Part = dict[str, Any]
COUNT: Part = {"id": "1", "type": "count"}


def dashboard() -> Part:
    """The whole board."""
    return {
        "uid": "keqing-data-health", "title": "客情 · 数据健康", "tags": ["keqing"],
        "description": "只读受限副本 keqing-public：没有作者、正文和地址。",
        "schemaVersion": 39, "version": 1, "editable": True, "graphTooltip": 1, "links": [],
        "timezone": "Asia/Shanghai", "time": {"from": f"now-{HOURS}h", "to": "now"},
        "refresh": "1m", "annotations": {"list": []},
        "templating": {"list": [{
            "name": "datasource", "label": "数据源", "type": "datasource", "query": "elasticsearch",
            "current": {}, "hide": 0, "includeAll": False, "multi": False, "options": [],
            "refresh": 1, "regex": "",
        }]},
        "panels": [made | {"id": n} for n, made in enumerate(_panels(), start=1)],
    }  # fmt: skip


def text() -> str:
    """The file's content."""
    return json.dumps(dashboard(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _panels() -> list[Part]:
    newest = {"id": "1", "type": "max", "field": SEEN}
    checked = {"id": "2", "type": "max", "field": "collected_at"}
    late = {"id": "1", "type": "percentiles", "field": "delay_s",
            "settings": {"percents": ["50", "95", "99"]}}  # fmt: skip
    return [
        _panel("每小时新看到的帖文（按信源）", "timeseries", (0, 0, 16, 9),
               [COUNT], [_terms("2", "source"), _hours("3")], alias="{{term source}}",
               about="某个信源的线落到 0 或断开，是采集停了，不是平静。"),
        _panel("各信源距今最近一次", "table", (16, 0, 8, 9),
               [newest, checked], [_terms("3", "source", order="1", direction="asc")],
               unit="dateTimeFromNow", about="最久没有新帖的信源在最上。"),
        _panel("采集延迟分位（首次看到 − 发布）", "timeseries", (0, 9, 16, 9),
               [late], [_hours("2")], "_exists_:delay_s", unit="s",
               about="只算发布时间精确到分以内的帖文。"),
        _panel("各信源的采集延迟", "table", (16, 9, 8, 9),
               [late], [_terms("2", "source")], "_exists_:delay_s", unit="s"),
        _panel("品牌词出现但未采信（按原因）", "timeseries", (0, 18, 8, 8),
               [COUNT], [_terms("2", "rejected"), _hours("3")], "_exists_:rejected",
               alias="{{term rejected}}", about="突然增多：多半是同名的别的事物在热。"),
        _panel("带标记的帖文（截断、改过…）", "timeseries", (8, 18, 8, 8),
               [COUNT], [_terms("2", "flags"), _hours("3")], "_exists_:flags",
               alias="{{term flags}}"),
        _panel("发布时间的精度", "table", (16, 18, 8, 8),
               [COUNT], [_terms("2", "precision")], about="精度差的按首次看到计。"),
        _panel("研判级别", "timeseries", (0, 26, 12, 8),
               [COUNT], [_terms("2", "stage"), _hours("3")], alias="{{term stage}}"),
        _panel("模型版本", "timeseries", (12, 26, 12, 8),
               [COUNT], [_terms("2", "model"), _hours("3")], alias="{{term model}}"),
    ]  # fmt: skip


def _panel(title: str, kind: str, place: tuple[int, int, int, int], metrics: Sequence[Part],
           buckets: Sequence[Part], query: str = "*", *, alias: str = "", unit: str = "short",
           about: str = "") -> Part:  # fmt: skip
    x, y, w, h = place
    target = {"refId": "A", "datasource": DATASOURCE, "query": query, "alias": alias,
              "metrics": list(metrics), "bucketAggs": list(buckets), "timeField": SEEN}  # fmt: skip
    return {
        "title": title, "type": kind, "description": about, "datasource": DATASOURCE,
        "gridPos": {"x": x, "y": y, "w": w, "h": h}, "targets": [target],
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []}, "options": {},
    }  # fmt: skip


def _terms(id_: str, field: str, order: str = "_count", direction: str = "desc") -> Part:
    settings = {"size": "50", "order": direction, "orderBy": order, "min_doc_count": "1"}
    return {"id": id_, "type": "terms", "field": field, "settings": settings}


def _hours(id_: str) -> Part:
    settings = {"interval": "1h", "min_doc_count": "0", "timeZone": "Asia/Shanghai"}
    return {"id": id_, "type": "date_histogram", "field": SEEN, "settings": settings}


if __name__ == "__main__":
    OUT.write_text(text(), encoding="utf-8")
    print(OUT)

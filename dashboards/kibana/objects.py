"""Saved objects of Kibana, as its import takes them.

In:  titles, fields, Lucene queries, aggregations. Out: one dict per object with its references.
Only aggregation-based visualisations: each is its aggregations and nothing else, so a test can ask
the server the same as Kibana will. The type versions are old ones on purpose: an import brings older
objects up to date and refuses newer ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

DATA_VIEW = "keqing-public"
TIME = "published_at"
VERSIONS = {"index-pattern": "8.0.0", "search": "8.0.0", "visualization": "8.5.0",
            "dashboard": "8.9.0"}  # fmt: skip
CORE_VERSION = "8.8.0"
SOURCE = "kibanaSavedObjectMeta.searchSourceJSON.index"
Object = dict[str, Any]


def packed(value: object) -> str:
    """JSON inside JSON, the same each time."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def saved(kind: str, id_: str, attributes: Object, references: Sequence[Object] = ()) -> Object:
    """One object of the export."""
    return {
        "type": kind,
        "id": id_,
        "attributes": attributes,
        "references": list(references),
        "managed": False,
        "coreMigrationVersion": CORE_VERSION,
        "typeMigrationVersion": VERSIONS[kind],
    }


def data_view(labels: Mapping[str, str], words: Mapping[str, Mapping[str, str]]) -> Object:
    """The data view on the restricted alias; `words` are shown instead of a field's codes."""
    formats: dict[str, Any] = {
        name: {"id": "static_lookup", "params": {"lookupEntries": [
            {"key": code, "value": said} for code, said in entries.items()]}}
        for name, entries in words.items()
    }  # fmt: skip
    formats["delay_s"] = {
        "id": "duration",
        "params": {"inputFormat": "seconds", "outputFormat": "humanize"},
    }
    return saved("index-pattern", DATA_VIEW, {
        "title": DATA_VIEW,
        "name": "客情（受限副本）",
        "timeFieldName": TIME,
        "fields": "[]",
        "fieldAttrs": packed({name: {"customLabel": label} for name, label in labels.items()}),
        "fieldFormatMap": packed(formats),
        "runtimeFieldMap": "{}",
        "sourceFilters": "[]",
    })  # fmt: skip


def search(id_: str, title: str, query: str, columns: Sequence[str]) -> Object:
    """A saved search in Lucene's syntax, newest first."""
    return saved("search", id_, {
        "title": title,
        "description": "",
        "columns": list(columns),
        "sort": [[TIME, "desc"]],
        "grid": {},
        "hideChart": False,
        "kibanaSavedObjectMeta": {"searchSourceJSON": _source(query)},
    }, [_view()])  # fmt: skip


def visual(id_: str, title: str, kind: str, aggs: Sequence[Object], query: str = "") -> Object:
    """An aggregation-based visualisation: histogram, line, horizontal_bar or table."""
    state = {"title": title, "type": kind, "aggs": list(aggs), "params": _params(kind, aggs)}
    return saved("visualization", id_, {
        "title": title,
        "description": "",
        "version": 1,
        "uiStateJSON": "{}",
        "visState": packed(state),
        "kibanaSavedObjectMeta": {"searchSourceJSON": _source(query)},
    }, [_view()])  # fmt: skip


def markdown(id_: str, title: str, text: str) -> Object:
    """Words on the board."""
    params = {"markdown": text, "fontSize": 12, "openLinksInNewTab": False}
    state = {"title": title, "type": "markdown", "aggs": [], "params": params}
    empty = packed({"query": {"query": "", "language": "lucene"}, "filter": []})
    return saved("visualization", id_, {
        "title": title,
        "description": "",
        "version": 1,
        "uiStateJSON": "{}",
        "visState": packed(state),
        "kibanaSavedObjectMeta": {"searchSourceJSON": empty},
    })  # fmt: skip


def dashboard(id_: str, title: str, about: str, rows: Sequence[Sequence[tuple[Object, int]]],
              hours: int) -> Object:  # fmt: skip
    """Objects in rows of a width of 48, over the last `hours`; Kibana's own 15 minutes mislead.

    Args:
        rows: objects with their widths; a row is as high as its kind asks for.
    """
    panels: list[Object] = []
    references: list[Object] = []
    y = 0
    for row in rows:
        x, high = 0, 5 if '"markdown"' in str(row[0][0]["attributes"].get("visState")) else 12
        for made, width in row:
            n = str(len(panels) + 1)
            grid = {"x": x, "y": y, "w": width, "h": high, "i": n}
            panels.append({"type": made["type"], "panelIndex": n, "gridData": grid,
                           "embeddableConfig": {"enhancements": {}}, "version": "8.9.0",
                           "panelRefName": f"panel_{n}"})  # fmt: skip
            name = f"{n}:panel_{n}"
            references.append({"name": name, "type": made["type"], "id": made["id"]})
            x += width
        y += high
    source = packed({"query": {"query": "", "language": "lucene"}, "filter": []})
    return saved("dashboard", id_, {
        "title": title,
        "description": about,
        "version": 1,
        "timeRestore": True,
        "timeFrom": f"now-{hours}h",
        "timeTo": "now",
        "refreshInterval": {"pause": False, "value": 60_000},
        "optionsJSON": packed({"useMargins": True, "hidePanelTitles": False, "syncColors": False}),
        "panelsJSON": packed(panels),
        "kibanaSavedObjectMeta": {"searchSourceJSON": source},
    }, references)  # fmt: skip


def agg(id_: str, kind: str, schema: str, **params: object) -> Object:
    """One aggregation of a visualisation."""
    return {"id": id_, "enabled": True, "type": kind, "schema": schema, "params": params}


def top(id_: str, schema: str, field: str, size: int, label: str = "") -> Object:
    """The most frequent values of a field, by the first metric."""
    named = {"customLabel": label} if label else {}
    return agg(id_, "terms", schema, field=field, size=size, orderBy="1", order="desc",
               otherBucket=False, missingBucket=False, **named)  # fmt: skip


def hourly(id_: str) -> Object:
    """Hours on the time axis, those without posts too: a gap looks like calm."""
    return agg(id_, "date_histogram", "segment", field=TIME, interval="h", min_doc_count=0,
               useNormalizedEsInterval=True, drop_partials=False, extended_bounds={})  # fmt: skip


def _view() -> Object:
    return {"name": SOURCE, "type": "index-pattern", "id": DATA_VIEW}


def _source(query: str) -> str:
    asked = {"query": query, "language": "lucene"}
    return packed({"query": asked, "filter": [], "indexRefName": SOURCE})


def _params(kind: str, aggs: Sequence[Object]) -> Object:
    if kind == "table":
        return {"perPage": 15, "showPartialRows": False, "showMetricsAtAllLevels": False,
                "showTotal": False, "totalFunc": "sum", "percentageCol": ""}  # fmt: skip
    lying = kind == "horizontal_bar"
    metrics = [one for one in aggs if one["schema"] == "metric"]
    mode = "normal" if kind == "line" else "stacked"
    return {
        "type": "histogram" if lying else kind,
        "addTooltip": True, "addLegend": True, "legendPosition": "right", "times": [],
        "addTimeMarker": False, "grid": {"categoryLines": False},
        "categoryAxes": [{
            "id": "CategoryAxis-1", "type": "category", "position": "left" if lying else "bottom",
            "show": True, "scale": {"type": "linear"}, "title": {},
            "labels": {"show": True, "filter": True, "truncate": 100},
        }],
        "valueAxes": [{
            "id": "ValueAxis-1", "name": "Axis-1", "type": "value",
            "position": "bottom" if lying else "left", "show": True, "title": {"text": ""},
            "scale": {"type": "linear", "mode": "normal"},
            "labels": {"show": True, "rotate": 0, "filter": False, "truncate": 100},
        }],
        "seriesParams": [{
            "data": {"id": one["id"], "label": str(one["params"].get("customLabel", ""))},
            "type": "line" if kind == "line" else "histogram", "mode": mode, "show": True,
            "valueAxis": "ValueAxis-1", "showCircles": True, "drawLinesBetweenPoints": True,
            "lineWidth": 2, "interpolate": "linear",
        } for one in metrics],
    }  # fmt: skip

"""What Kibana and Grafana ask a server for an object of ours, as plain requests.

In:  a saved object of Kibana or a target of a Grafana panel, a window. Out: the body of `_search`; rows
of its answer. Only what our objects use is known here; anything else is an error, not a guess.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

ZONE = "Asia/Shanghai"
Body = dict[str, Any]
BUCKETS = ("date_histogram", "terms")


def kibana(found: Mapping[str, Any], start: datetime, end: datetime, time: str) -> Body:
    """The request of a saved search or an aggregation-based visualisation."""
    attributes = found["attributes"]
    source = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
    asked = source["query"]
    if asked["language"] != "lucene" or source["filter"]:
        raise AssertionError(f"{found['id']}: only Lucene queries without filters are replayed")
    bounds = {
        "gte": start.isoformat(),
        "lte": end.isoformat(),
        "format": "strict_date_optional_time",
    }
    text = {"query_string": {"query": asked["query"], "analyze_wildcard": True, "time_zone": ZONE}}
    must = [text] if asked["query"] else []
    body: Body = {"query": {"bool": {"must": must, "filter": [{"range": {time: bounds}}]}},
                  "track_total_hits": True}  # fmt: skip
    if found["type"] == "search":
        order = [
            {field: {"order": way, "unmapped_type": "boolean"}} for field, way in attributes["sort"]
        ]
        return {
            **body,
            "size": 500,
            "sort": order,
            "fields": attributes["columns"],
            "_source": False,
        }
    aggs = json.loads(attributes["visState"])["aggs"]
    metrics = {one["id"]: _metric(one) for one in aggs if one["type"] not in BUCKETS}
    buckets = [(one["id"], _kibana_bucket(one, metrics)) for one in aggs if one["type"] in BUCKETS]
    return {**body, "size": 0, "aggs": _nested(buckets, metrics)}


def grafana(target: Mapping[str, Any], start: datetime, end: datetime, time: str) -> Body:
    """The request of one target of a panel; `time` is the data source's time field."""
    window = {"gte": _ms(start), "lte": _ms(end), "format": "epoch_millis"}
    text = {"query_string": {"query": target["query"], "analyze_wildcard": True}}
    metrics = {one["id"]: _metric({**one, "params": {**one.get("settings", {}), "field": one.get("field")}})
               for one in target["metrics"]}  # fmt: skip
    buckets = [
        (one["id"], _grafana_bucket(one, metrics, start, end)) for one in target["bucketAggs"]
    ]
    query = {"bool": {"filter": [{"range": {time: window}}, text]}}
    return {"size": 0, "query": query, "aggs": _nested(buckets, metrics)}


def rows(body: Body, answer: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Leaves of an answer: keys from the outside in, the number of posts, then the metrics."""
    return list(_rows(body["aggs"], answer["aggregations"], ()))


def _rows(aggs: Body, found: Mapping[str, Any], keys: tuple[Any, ...]) -> Any:
    inner = [name for name, one in aggs.items() if set(one) & set(BUCKETS)]
    for name in inner:
        for bucket in found[name]["buckets"]:
            at = (*keys, bucket.get("key_as_string", bucket["key"]))
            deeper = aggs[name].get("aggs", {})
            if any(set(one) & set(BUCKETS) for one in deeper.values()):
                yield from _rows(deeper, bucket, at)
            else:
                yield (*at, bucket["doc_count"], *(_value(bucket[metric]) for metric in deeper))


def _value(found: Mapping[str, Any]) -> Any:
    return found["values"] if "values" in found else found["value"]


def _metric(one: Mapping[str, Any]) -> Body | None:
    params = one["params"]
    if one["type"] == "count":
        return None
    if one["type"] == "max":
        return {"max": {"field": params["field"]}}
    if one["type"] == "percentiles":
        percents = [float(p) for p in params["percents"]]
        return {"percentiles": {"field": params["field"], "percents": percents}}
    raise AssertionError(f"metric {one['type']} is not known here")


def _kibana_bucket(one: Mapping[str, Any], metrics: Mapping[str, Body | None]) -> Body:
    params = one["params"]
    if one["type"] == "terms":
        return _terms(params["field"], params["size"], params["orderBy"], params["order"], metrics)
    if params["interval"] != "h":
        raise AssertionError("only hours are known here")
    return {"date_histogram": {"field": params["field"], "calendar_interval": "1h", "time_zone": ZONE,
                               "min_doc_count": params["min_doc_count"]}}  # fmt: skip


def _grafana_bucket(
    one: Mapping[str, Any], metrics: Mapping[str, Body | None], start: datetime, end: datetime
) -> Body:
    given = one["settings"]
    if one["type"] == "terms":
        return _terms(one["field"], int(given["size"]), given["orderBy"], given["order"], metrics)
    bounds = {"min": _ms(start), "max": _ms(end)}
    return {"date_histogram": {
        "field": one["field"], "fixed_interval": given["interval"], "time_zone": given["timeZone"],
        "min_doc_count": int(given["min_doc_count"]), "extended_bounds": bounds,
        "format": "epoch_millis",
    }}  # fmt: skip


def _terms(field: str, size: int, by: str, order: str, metrics: Mapping[str, Body | None]) -> Body:
    key = "_count" if by == "_count" or metrics[by] is None else by
    return {"terms": {"field": field, "size": size, "order": {key: order}}}


def _nested(buckets: Sequence[tuple[str, Body]], metrics: Mapping[str, Body | None]) -> Body:
    """Buckets from the outside in; the metrics stand in the innermost."""
    inner = {f"{name}": one for name, one in metrics.items() if one is not None}
    for name, bucket in reversed(buckets):
        inner = {name: {**bucket, "aggs": inner} if inner else bucket}
    return inner


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)

"""Retention on a server: months that lie wholly outside are dropped as indices.

In:  an edition, the first moment that is kept. Out: how many documents went.
"""

from __future__ import annotations

from datetime import datetime

from index.elastic_bulk import Action, Bulk
from index.elastic_document import document_id
from index.elastic_mapping import OLD
from index.elastic_pages import Pages
from index.elastic_state import State
from index.retention import CHINA

VERSIONED = "collected_at"  # in milliseconds it is the version of a post's document


def drop_before(state: State, moment: datetime) -> int:
    """Drop everything published before a month's begin."""
    server, edition = state.server, state.current()
    head = state.names.template(edition.name) + "-"
    first = f"{moment.astimezone(CHINA):%Y.%m}"
    months = [i.removeprefix(head) for i in state.indices()]
    old = [head + month for month in months if month != OLD and month < first]
    gone = _empty(state, head + OLD)
    if old:
        server.tell("POST", f"/{','.join(old)}/_refresh")
        gone += int(server.ask("GET", f"/{','.join(old)}/_count")["count"])
        server.tell("DELETE", f"/{','.join(old)}")
    if gone:
        state.moved()
    return gone


def _empty(state: State, index: str) -> int:
    """The index of all old years stays, since it holds the alias, and loses its documents."""
    state.server.tell("POST", f"/{index}/_refresh")
    order = [("tie", "desc"), ("id", "desc")]
    hits = Pages(state.server, index).every({"match_all": {}}, order, VERSIONED)
    actions = [
        Action(index, document_id(hit["sort"][-1]), int(hit["fields"][VERSIONED][0]), None)
        for hit in hits
    ]
    Bulk(state.server).send(actions)
    if actions:
        state.server.tell("POST", f"/{index}/_refresh")
    return len(actions)

"""Copies of the index by the server's own snapshots.

In:  a Server, a registered repository, a label. Out: the name of a finished snapshot; a second one of
the same label replaces it.
"""

from __future__ import annotations

import re

from index.elastic_client import Server
from index.elastic_mapping import Names
from keqing.errors import IndexUnavailable


def take(server: Server, repository: str, names: Names, label: str) -> str:
    """Snapshot all indices of this installation and wait for it.

    Raises:
        IndexUnavailable: a shard could not be copied.
    """
    name = f"{names.alias}-{re.sub('[^a-z0-9]+', '-', label.lower()).strip('-')}"
    path = f"/_snapshot/{repository}/{name}"
    server.tell("DELETE", path, accept=[404])
    body = {
        "indices": f"{names.alias}-mentions-*,{names.state}",
        "include_global_state": False,
        "expand_wildcards": "all",
    }
    done = server.tell("PUT", path, body, params={"wait_for_completion": "true"})
    if (state := done["snapshot"]["state"]) != "SUCCESS":
        raise IndexUnavailable(f"snapshot {name} in {repository} ended as {state}; see the server")
    return name

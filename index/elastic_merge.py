"""Merging on a server: what is erased goes from the files, and months take no more than they need.

In:  a Server, indices, how to merge. Out: nothing; the server works on by itself, this only waits.
A merge of a large month takes minutes, longer than any connection is kept: so it is a task of the
server, which is asked from time to time.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from index.elastic_client import Server
from index.elastic_state import State
from keqing.errors import IndexTimeout

STEP = "10s"
STEPS = 180  # half an hour
PIECES = 0.1  # of an index, below which it is left as it is


def merged(server: Server, target: str, how: Mapping[str, str]) -> None:
    """Merge and wait until it is done.

    Raises:
        IndexTimeout: it is not done within half an hour; the server goes on with it.
    """
    begun = {**how, "wait_for_completion": "false"}
    task = server.tell("POST", f"/{target}/_forcemerge", params=begun)["task"]
    for _ in range(STEPS):
        waiting = {"wait_for_completion": "true", "timeout": STEP}
        # 429: it goes on past this step. 404: the server was restarted, and the task is gone.
        answer = server.ask("GET", f"/_tasks/{task}", params=waiting, accept=[404, 429])
        if answer.get("completed") or answer.get("status") == 404:
            return
    raise IndexTimeout(f"{target}: merging takes longer than half an hour; the server goes on")


def settle(state: State) -> list[str]:
    """Merge each month of which a good part lies in pieces to one segment; gives their indices.

    What was never merged keeps a second copy of each document, with which a server brings a replica up
    to date: twice the bytes.
    """
    done: list[str] = []
    with suppress(IndexTimeout):  # the next night goes on
        for index in state.indices():
            if _in_pieces(state.server, index):
                merged(state.server, index, {"max_num_segments": "1"})
                done.append(index)
    return done


def _in_pieces(server: Server, index: str) -> bool:
    """Whether a good part of an index lies outside the largest segment of its shard."""
    shards = server.ask("GET", f"/{index}/_segments")["indices"][index]["shards"]
    copies = [copy["segments"].values() for copies in shards.values() for copy in copies]
    sizes = [[int(segment["size_in_bytes"]) for segment in copy] for copy in copies]
    return any(sum(copy) - max(copy) > PIECES * sum(copy) for copy in sizes if copy)

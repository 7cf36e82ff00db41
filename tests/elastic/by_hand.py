"""`make es`: the node that the tests run on, in the foreground, for trying things by hand.

In:  nothing. Out: its address and what to set; a signal ends it, and all its data with it.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

from tests.elastic.artifact import PINNED, Missing
from tests.elastic.servers import Node, started


def main(wait: Callable[[], object] = signal.pause) -> int:
    """Start, say where, wait for Ctrl-C, stop; 1 where this machine lacks what is needed."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores the first
        signal.signal(number, signal.default_int_handler)
    print("启动 Elasticsearch …（首次运行要下载约 130 MB）", flush=True)
    try:
        with started() as node:
            print(shown(node), flush=True)
            wait()
    except KeyboardInterrupt:
        print("已停止，数据已删除。")
    except Missing as error:
        print(f"不能启动：缺少 {error}", file=sys.stderr)
        return 1
    return 0


def shown(node: Node) -> str:
    """The lines that say what runs and how to use it."""
    return "\n".join([
        f"Elasticsearch {PINNED['coordinates'].split(':')[2]}  {node.url}",
        f"让 keqing 用它：export KEQING__INDEX__URL={node.url}，或在 keqing.toml 写 [index] url",
        f"让测试用它：    export KEQING_TEST_ES_URL={node.url}",
        f"看看它：        curl '{node.url}/_cat/indices?v'",
        "只听本机，没有密码；Ctrl-C 停止，数据随之删除。",
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())

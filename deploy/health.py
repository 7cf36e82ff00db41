"""Is a process of ours alive? Exit 0 or 1, for health checks of containers; the standard library only.

In:  an address, and for Airflow's health page the part that must be healthy (`scheduler`,
`dag_processor`, `metadatabase`). Out: the exit code, and the reason on stderr.
"""

from __future__ import annotations

import json
import sys
import urllib.request

TIMEOUT_S = 4.0


def main(address: str, part: str = "") -> int:
    """0 if the address answers 200 and, where asked for, says that the part is healthy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never by way of a proxy
    try:
        with opener.open(address, timeout=TIMEOUT_S) as answer:
            said = json.load(answer) if part else {}
    except (OSError, ValueError) as error:
        print(f"{address}: {error}", file=sys.stderr)
        return 1
    status = said.get(part, {}).get("status", "absent") if part else "healthy"
    if status != "healthy":
        print(f"{address}: {part} is {status}", file=sys.stderr)
    return int(status != "healthy")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))

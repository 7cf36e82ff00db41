"""The dictionary with which the embedded engine squeezes posts, made from posts of the demo city.

In:  files of Mentions that `keqing demo` left in var/mentions. Out: index/posts.zdict. The demo's texts
are written by the project: a dictionary of real posts would hold pieces of them that no erasure finds.

    python -m bench.index_dictionary var/mentions/*/*.jsonl.gz
"""

from __future__ import annotations

import sys
from pathlib import Path

from backports import zstd

from index.body import packed
from index.run import mentions_of
from index.sqlite_body import FIRST, Squeezer

SIZE = 8_192  # bytes; it is copied into every file, and larger ones gain little


def main() -> None:
    """Run from the command line."""
    bodies = [packed(mention) for name in sys.argv[1:] for mention in mentions_of(Path(name))]
    FIRST.write_bytes(zstd.train_dict(bodies, SIZE).dict_content)
    squeezer = Squeezer(FIRST.read_bytes())
    before, after = sum(map(len, bodies)), sum(len(squeezer.squeezed(body)) for body in bodies)
    print(f"{len(bodies):,} posts: {before / len(bodies):,.0f} bytes each, {after / len(bodies):,.0f} "
          f"squeezed; {FIRST.stat().st_size:,} bytes in {FIRST.name}")  # fmt: skip


if __name__ == "__main__":
    main()

"""Posts that teach the embedder what one happening is: `python -m bench.events_teach --work WORK [--data DIR]`.

In:  bench/told/taught; posts of the corpora in DIR by hashtag, without it; WORK/tokenizer.json of
`keqing train --stage second --step prepare`. Out: WORK/told.npz, which
`keqing train --stage embedder --base DIR --work WORK --data DIR --out nlp/models/embedder` learns from.
Each brand comes under its own name and under two others, so that no name tells a happening.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from bench.events_written import book, writers
from bench.stories import SHARED
from nlp.reading import plain

SEED = 1
MAX_TOKENS = 80
NAMES = (
    "蓝鲸 沐山 橙叶 青柚 云栖 北斗星 小满 禾木 星澜 川禾 立春 鹿鸣 白石 江月 优禾 飞叶 乐途 安可 麦田 原野 知夏 木槿 海蓝 唐果 初见 "
    "元气屋 简一 万象 悦来 百川"
).split()
COPIES = 3  # of a brand, each under another name
NOBODY = -1
TAG = re.compile(r"#([^#\s]{4,30})#")
RARE, COMMON = 2, 40  # posts of a hashtag that is about one matter, perhaps
OF_EACH, SHORTEST = 8, 8  # posts of a hashtag that are used, letters beside it


def main() -> int:
    """Write told.npz."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=SHARED)
    args = parser.parse_args()
    told, tags = list(happenings()), list(tagged(args.data))
    np.savez(args.work / "told.npz", allow_pickle=False, **packed(told, tags, args.work))
    print(
        f"{len(told)} posts of happenings and talk, {len(tags)} of {len({t for t, _ in tags})} tags"
    )
    return 0


def happenings() -> Iterator[tuple[int, int, str]]:
    """Brand, happening (NOBODY for daily talk) and text of each post; a brand by another name is another one."""
    random, held = Random(SEED), book(writers("taught"))
    groups: dict[tuple[str, str], int] = {}
    for number, (key, name) in enumerate(held.names.items()):
        for copy in range(COPIES):
            called = name if copy == 0 else random.choice(NAMES)
            for line in held.lines:
                if line.brand == key:
                    own = (key, line.happening)
                    group = groups.setdefault(own, len(groups)) if line.happening else NOBODY
                    yield number * COPIES + copy, group, line.text.replace("{b}", called)


def tagged(data: Path) -> Iterator[tuple[int, str]]:
    """Hashtag and text without it, of hashtags that few posts of the training files have."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for path in sorted(data.glob("*_train.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                for tag in TAG.findall(row["text"]):
                    rest = row["text"].replace(f"#{tag}#", "").strip()
                    if len(rest) >= SHORTEST:
                        found[tag][rest] = None
    few = {tag: texts for tag, texts in found.items() if RARE <= len(texts) <= COMMON}
    for number, texts in enumerate(few.values()):
        yield from ((number, text) for text in sorted(texts)[:OF_EACH])


def packed(
    told: Sequence[tuple[int, int, str]], tags: Sequence[tuple[int, str]], work: Path
) -> dict[str, Any]:
    """Tokens end to end with offsets, and whose they are, as nlp/second/alike.py reads them."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)

    def coded(texts: Sequence[str]) -> tuple[Any, Any]:
        rows = [one.ids for one in tokenizer.encode_batch([plain(text) for text in texts])]
        flat = np.array([token for ids in rows for token in ids], np.uint16)
        return flat, np.cumsum([0, *map(len, rows)]).astype(np.int64)

    ids, offsets = coded([text for _, _, text in told])
    tag_ids, tag_offsets = coded([text for _, text in tags])
    return {
        "ids": ids, "offsets": offsets, "tag_ids": tag_ids, "tag_offsets": tag_offsets,
        "brand": np.array([brand for brand, _, _ in told], np.int64),
        "group": np.array([group for _, group, _ in told], np.int64),
        "tag": np.array([tag for tag, _ in tags], np.int64),
    }  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())

"""Own posts that teach the heads: `python -m bench.golden.teach --work WORK [--write]`.

In:  bench/golden/taught, posts of writers of this project, none of which is ever judged, and the golden
posts that the lists were mended by (round 1, half of round 3): without these the heads trust the lists no more
in plain words than in vivid ones. WORK/tokenizer.json of `keqing train --stage second --step prepare`.
Out: WORK/own.npz, which `keqing train --stage heads --base DIR --work WORK --out nlp/models/heads` reads; with
`--write`, after that, what it left in WORK/joint/heads.npz becomes weights.npz there, with its card.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.golden.rows import TAUGHT, TUNE, Labels, Post, named, posts, settings, written
from nlp import evidence
from nlp.heads import FILE, GROUPS, SHIPPED
from nlp.reading import plain
from nlp.second.tasks import JOINT
from nlp.understand import Reader

OPEN = -1  # a label that may be given or not teaches nothing
MAX_TOKENS = 128
CARD = """# Heads over the encoder and findings: what a post wants, is about, feels, tells of dangers.
name = "heads"
made_by = "python -m bench.golden.teach; keqing train --stage heads"
licence = "weights of research origin, as nlp/models/second: have counsel decide before commercial use"
base = "the student of nlp/models/second; bge-small-zh-v1.5 (BAAI, MIT)"

[taught_by]
posts = {posts}
writers = {writers}
texts = "bench/golden/taught, and round 1 and half of round 3 of bench/golden/posts.tsv; written by this project, brands are invented; no corpus"
judged_by = "python -m bench.golden --round N (5, 6, 7)"

[weights]
sha256 = "{encoder}"

[heads]
file = "weights.npz"
sha256 = "{sha256}"
posts = "{shape}: what the encoder pools of a post, numbers of nlp/evidence.py, bias; half precision"
"""


def main() -> int:
    """Write what training reads, or what it made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    args = parser.parse_args()
    if args.write:
        write(args.work / JOINT, args.out)
    else:
        np.savez(args.work / "own.npz", allow_pickle=False, **own(teaching(), args.work))
    return 0


def teaching() -> list[Post]:
    """All posts that teach."""
    return [*(post for writer in TAUGHT for post in written(writer)), *mended()]


def mended() -> list[Post]:
    """Golden posts that the lists were mended by."""
    third = [post for post in posts(frozenset({3})) if post.row.half == TUNE]
    return [*posts(frozenset({1})), *third]


def own(held: Sequence[Post], work: Path) -> dict[str, Any]:
    """Tokens, numbers and labels (1, 0, OPEN) of posts; rows of labels as the heads' classes."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    reader = Reader(settings(more=named(held)), weigh=False)
    read = reader.evidence([post.text for post in held])
    coded = [tokenizer.encode(plain(post.text)).ids for post in held]
    return {
        "ids": np.array([one for ids in coded for one in ids], np.uint16),
        "offsets": np.cumsum([0, *map(len, coded)]).astype(np.int64),
        "numbers": np.array([evidence.numbers(one) for one in read], np.float32),
        "labels": np.array([labels_of(post) for post in held], np.int8),
    }


def labels_of(post: Post) -> list[int]:
    """What a post's labels say of each class."""
    return [_label(post, group, name) for group, names in GROUPS.items() for name in names]


def write(left: Path, out: Path) -> None:
    """The heads that training left, in half precision, bound to the encoder that learned with them."""
    with np.load(left / "heads.npz", allow_pickle=False) as held:
        weights = held["posts"].astype(np.float16)
    encoder = hashlib.sha256((out / "model.onnx").read_bytes()).hexdigest()
    np.savez(out / FILE, posts=weights, encoder=np.array(encoder))
    card = CARD.format(
        posts=len(teaching()), writers=len(TAUGHT) + 1, encoder=encoder,
        sha256=hashlib.sha256((out / FILE).read_bytes()).hexdigest(),
        shape=" × ".join(map(str, weights.shape)),
    )  # fmt: skip
    (out / "card.toml").write_text(card, encoding="utf-8")


def _label(post: Post, group: str, name: str) -> int:
    if group == "polarity":
        felt = list(post.towards.values())
        return int(name == felt[0]) if len(felt) == 1 else OPEN
    if group == "emotion":
        return OPEN if name in post.emotions[1:] else int(name == post.emotions[0])
    if group == "aspects":
        must = tuple(one.name for one in post.aspects if not one.optional)
        return _given(Labels(must, tuple(one.name for one in post.aspects if one.optional)), name)
    if group == "sarcasm":
        return OPEN if post.sarcastic is None else int(post.sarcastic)
    return _given(post.intents if group == "intents" else post.severity, name)


def _given(labels: Labels, name: str) -> int:
    if name in labels.must:
        return 1
    return OPEN if name in labels.may else 0


if __name__ == "__main__":
    raise SystemExit(main())

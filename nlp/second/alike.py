"""The embedder learns which posts are about one happening, beside what it knows.

    python -m nlp.second.alike --rows rows.npz --base base.npz --told told.npz --out DIR

In:  told.npz (bench/events_teach.py): posts of invented brands, each with its happening or none, and posts of the
corpora by hashtag; rows.npz and base.npz (prepare.py). Out: student-*.npz in --out, as finish.py reads them.
A step takes four brands: after the brand's mean is taken off, as nlp.pool does, posts of one happening must
be nearer to each other than to the brand's other happenings and daily talk. Beside it posts of one hashtag must
be near, and any posts must stand to each other as they did before. Needs torch and numpy alone.

What is written lies between the base and what was learned: a part of the gain, at no cost to homonyms (docs/models.md).

Source: Khosla et al. 2020, NeurIPS, supervised contrastive learning; Park et al. 2019, CVPR, relational
distillation; Wortsman et al. 2022, CVPR, weights between the base and the fine-tuned model.
"""

from __future__ import annotations

import argparse
import logging
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nlp.second.fit import write_parts
from nlp.second.network import Encoder
from nlp.second.texts import Texts

SEED = 3
STEPS = 540
# Share of the trained weights in what is written, the rest are the base's: from .3 on homonyms
# (tests/nlp/test_relevance.py) begin to suffer, from .4 on likeness of anything else (tests/nlp/test_embed.py).
LEARNED = 0.2
RATE, WARM = 2e-4, 0.08
HEAT = 0.07  # a difference of cosines of so much is a factor e
BRANDS, HAPPENINGS, POSTS, TALK = 4, 5, 5, 8  # a step; POSTS of each happening
TAGS, TAG_SHARE = 16, 0.2  # hashtags a step, two posts each; of the loss
KEPT, KEEP = 32, 8.0  # posts of the corpora a step; weight of their cosines' squared change
SHORTEST, LONGEST = 6, 64  # tokens of those
NOBODY = -1  # group of daily talk
log = logging.getLogger("alike")

Rows = NDArray[np.int64]
Groups = dict[int, dict[int, Rows]]


def main() -> None:
    """Train and write."""
    read = argparse.ArgumentParser()
    for name in ("rows", "base", "told", "out"):
        read.add_argument(f"--{name}", type=Path, required=True)
    read.add_argument("--steps", type=int, default=STEPS)
    asked = read.parse_args()
    logging.basicConfig(level="INFO", format="%(asctime)s %(message)s", force=True)
    with np.load(asked.base) as held:
        arrays = {name: held[name].astype(np.float32) for name in held.files if name != "special"}
    with np.load(asked.told) as told, np.load(asked.rows) as rows:
        trained = train(arrays, dict(told), dict(rows), asked.steps).give()
    asked.out.mkdir(parents=True, exist_ok=True)
    write_parts(asked.out, {name: between(arrays[name], part) for name, part in trained.items()})


def train(
    arrays: dict[str, NDArray[np.float32]], told: dict[str, Any], corpora: dict[str, Any], steps: int
) -> Encoder:  # fmt: skip
    """The encoder that `steps` steps made of the base's arrays."""
    torch.manual_seed(SEED)
    random, device = np.random.default_rng(SEED), torch.device("cpu")
    model, base = Encoder(arrays), Encoder(arrays, dropout=0.0).eval()
    posts = Texts(told["ids"], told["offsets"], device)
    tagged = Texts(told["tag_ids"], told["tag_offsets"], device)
    any_ = Texts(corpora["ids"], corpora["offsets"], device)
    brands = _grouped(told["brand"], told["group"])
    tags = _grouped(np.zeros_like(told["tag"]), told["tag"]).get(0, {})
    short = np.flatnonzero((any_.lengths >= SHORTEST) & (any_.lengths <= LONGEST))
    optimiser = torch.optim.AdamW(model.parameters(), RATE, weight_decay=0.01)
    model.train()
    for step in range(steps):
        gone = step / steps
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1.0, gone / WARM + 0.01) * (1 - gone)
        optimiser.zero_grad(set_to_none=True)
        together = _of_brands(model, posts, brands, random)
        tag_loss = _of_tags(model, tagged, tags, random)
        moved = _moved(model, base, any_, random.choice(short, KEPT, replace=False))
        (together + TAG_SHARE * tag_loss + KEEP * moved).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if step % 20 == 0:
            log.info("step %d of %d: happenings %.3f, tags %.3f, moved %.4f", step, steps,
                     together.item(), tag_loss.item(), moved.item())  # fmt: skip
    return model


def between(base: NDArray[np.float32], trained: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights between those of the base and the trained ones, these in half precision as they are kept."""
    half = trained.astype(np.float16).astype(np.float32)
    answer: NDArray[np.float32] = (1 - np.float32(LEARNED)) * base + np.float32(LEARNED) * half
    return answer


def contrast(vectors: Tensor, groups: Tensor) -> Tensor:
    """Mean over posts with companions of minus the logarithm of how surely these are their nearest.

    Args:
        vectors: unit vectors (n, width).
        groups: (n,), NOBODY has no companions but is a stranger to all.
    """
    own = torch.eye(len(vectors), dtype=torch.bool)
    near = (vectors @ vectors.T / HEAT).masked_fill(own, -1e9)
    same = (groups[:, None] == groups[None]) & ~own & (groups[:, None] != NOBODY)
    sure = near - torch.logsumexp(near, 1, keepdim=True)
    counts = same.sum(1)
    has = counts > 0
    return -((sure * same).sum(1)[has] / counts[has]).mean()


def _of_brands(model: Encoder, posts: Texts, brands: Groups, random: np.random.Generator) -> Tensor:
    keys = random.choice(sorted(brands), min(BRANDS, len(brands)), replace=False)
    drawn = [_drawn(brands[int(key)], random) for key in keys]
    vectors = _vectors(model, posts, np.concatenate([rows for rows, _ in drawn]))
    losses = []
    for part, (_, groups) in zip(
        vectors.split([len(rows) for rows, _ in drawn]), drawn, strict=True
    ):
        away = functional.normalize(part - part.mean(0, keepdim=True).detach(), dim=1)
        losses.append(contrast(away, torch.from_numpy(groups)))
    return torch.stack(losses).mean()


def _drawn(groups: dict[int, Rows], random: np.random.Generator) -> tuple[Rows, Rows]:
    """Rows of some happenings of a brand and of its daily talk, and their groups."""
    named = sorted(set(groups) - {NOBODY})
    chosen = random.choice(named, min(HAPPENINGS, len(named)), replace=False)
    wanted = [(int(group), POSTS) for group in chosen]
    if NOBODY in groups:
        wanted.append((NOBODY, TALK))
    rows = [
        random.choice(groups[g], min(most, len(groups[g])), replace=False) for g, most in wanted
    ]
    return np.concatenate(rows), np.repeat([g for g, _ in wanted], [len(part) for part in rows])


def _of_tags(
    model: Encoder, tagged: Texts, tags: dict[int, Rows], random: np.random.Generator
) -> Tensor:
    if not tags:
        return torch.zeros(())
    keys = random.choice(sorted(tags), min(TAGS, len(tags)), replace=False)
    rows = np.concatenate([random.choice(tags[int(key)], 2, replace=False) for key in keys])
    return contrast(_vectors(model, tagged, rows), torch.from_numpy(np.repeat(keys, 2)))


def _moved(model: Encoder, base: Encoder, texts: Texts, rows: Rows) -> Tensor:
    """Mean squared change of the cosines between these posts."""
    with torch.no_grad():
        before = _vectors(base, texts, rows)
    now = _vectors(model, texts, rows)
    return ((now @ now.T - before @ before.T) ** 2).mean()


def _vectors(model: Encoder, texts: Texts, rows: Rows) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        first = model(texts.padded(rows))[:, 0]
    return functional.normalize(first.float(), dim=1)


def _grouped(brands: Rows, groups: Rows) -> Groups:
    found: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row, (brand, group) in enumerate(zip(brands.tolist(), groups.tolist(), strict=True)):
        found[brand][group].append(row)
    return {
        brand: {group: np.array(rows, np.int64) for group, rows in of.items()}
        for brand, of in found.items()
    }


if __name__ == "__main__":
    main()

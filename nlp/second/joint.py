"""The encoder learns this project's own posts too, beside the corpora, so that it forgets nothing.

    python -m nlp.second.joint --rows rows.npz --answers answers.npz --own own.npz --student DIR --out DIR

In:  rows.npz (rows.py) with the teachers' answers (fit.py), own.npz (bench/golden/teach.py), the student that fit.py left.
Out: in --out student-*.npz, changed, and heads.npz: weights of the heads over the pooled text and the numbers
that lists and stages found.
Each step reads a batch of own posts, and one of the corpora twice, whose two answers must agree (R-Drop) and
which keep the student's targets. Needs torch and numpy alone.

Source: Liang et al. 2021, NeurIPS, R-Drop; Robins 1995, Connection Science 7(2), rehearsal.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nlp.second.fit import figures, weights_of, write_parts
from nlp.second.network import Classifier, Encoder
from nlp.second.teach import FILLED, OWN, hard
from nlp.second.texts import Texts
from nlp.second.tune import Recipe, losses

SEED = 23
EPOCHS = 5.0  # over the own posts
RATE, HEADS_RATE = 8e-5, 2e-3
WARM = 0.06
OWN_POSTS = 32  # a batch
TOKENS = 1536  # a batch of the corpora
OWN_SHARE = 0.25  # of the loss
FEWER = 0.5  # of a set of more rows than MANY
MANY = 30_000
UNKNOWN = -1
log = logging.getLogger("joint")

Arrays = dict[str, NDArray[Any]]


class Joint(nn.Module):
    """The classifier, and heads over its pooled text beside numbers."""

    def __init__(self, classifier: Classifier, numbers: int, classes: int) -> None:
        super().__init__()
        self.classifier = classifier
        width = classifier.heads.in_features
        self.posts = nn.Linear(width + numbers, classes)
        nn.init.normal_(self.posts.weight, std=0.01)
        nn.init.constant_(self.posts.bias, -2.0)

    def forward(self, ids: Tensor, numbers: Tensor) -> Tensor:
        """Logits (batch, classes) of own posts."""
        pooled = self.classifier.pooled(ids)
        pooled = functional.dropout(pooled, 0.1, self.training)
        answer: Tensor = self.posts(torch.cat([pooled, numbers.to(pooled.dtype)], 1))
        return answer


def main() -> None:
    """Train and write."""
    asked = _arguments()
    logging.basicConfig(level="INFO", format="%(asctime)s %(message)s", force=True)
    data, own = dict(np.load(asked.rows)), dict(np.load(asked.own))
    with np.load(asked.answers) as held:
        unseen = held["unseen"].astype(np.float32)
    model = Joint(_student(asked.student), own["numbers"].shape[1], own["labels"].shape[1])
    train(model, data, unseen, own, asked.epochs, asked.seconds)
    asked.out.mkdir(parents=True, exist_ok=True)
    write_parts(asked.out, weights_of(model.classifier))
    posts = np.hstack([_array(model.posts.weight), _array(model.posts.bias)[:, None]])
    np.savez(asked.out / "heads.npz", allow_pickle=False, posts=posts)
    texts = Texts(data["ids"], data["offsets"], torch.device("cpu"))
    figures(model.classifier, texts, data, "joint")


def _arguments() -> argparse.Namespace:
    read = argparse.ArgumentParser()
    for name in ("rows", "answers", "own", "student", "out"):
        read.add_argument(f"--{name}", type=Path, required=True)
    read.add_argument("--epochs", type=float, default=EPOCHS)
    read.add_argument("--seconds", type=float, default=1e9)
    return read.parse_args()


def _student(folder: Path) -> Classifier:
    arrays: Arrays = {}
    for path in sorted(folder.glob("student-*.npz")):
        arrays |= {name: part.astype(np.float32) for name, part in np.load(path).items()}
    model = Classifier(Encoder(arrays))
    with torch.no_grad():
        for name, parameter in model.heads.named_parameters():
            parameter.copy_(torch.from_numpy(arrays[f"heads.{name}"]))
    return model


def train(
    model: Joint, data: Arrays, unseen: NDArray[np.float32], own: Arrays, epochs: float,
    seconds: float,
) -> None:  # fmt: skip
    """Train `model` in place; an end by `seconds` still lets the rate fall to zero."""
    torch.manual_seed(SEED)
    random, device = np.random.default_rng(SEED), torch.device("cpu")
    corpora = Texts(data["ids"], data["offsets"], device)
    posts = Texts(own["ids"], own["offsets"], device)
    targets, weights = (torch.from_numpy(part) for part in _targets(data, unseen))
    numbers, labels = (torch.from_numpy(own[k].astype(np.float32)) for k in ("numbers", "labels"))
    optimiser = _optimiser(model)
    every = np.arange(len(posts.lengths))
    steps = int(epochs * np.ceil(len(every) / OWN_POSTS))
    mine = _endless(posts, every, random, OWN_POSTS * int(np.mean(posts.lengths)))
    theirs = _endless(corpora, _rehearsed(data, random), random, TOKENS)
    recipe, began = Recipe(agreement=1.0), time.monotonic()
    model.train()
    for step in range(steps):
        gone = max(step / steps, (time.monotonic() - began) / seconds)
        if gone >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * min(1.0, gone / WARM + 0.01) * (1 - gone)
        optimiser.zero_grad(set_to_none=True)
        batch, rows = next(mine), next(theirs)
        with torch.autocast(device.type, torch.bfloat16):
            logits = model(posts.padded(batch), numbers[batch]).float()
        loss = OWN_SHARE * _own_loss(logits, labels[batch])
        loss.backward()
        rest = losses(model.classifier, corpora.padded(rows), targets[rows], weights[rows], recipe)
        rest.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if step % 50 == 0:
            log.info("step %d of %d: own %.3f, rest %.3f", step, steps, loss.item(), rest.item())


def _optimiser(model: Joint) -> torch.optim.AdamW:
    groups = [
        {"params": list(model.classifier.parameters()), "lr": RATE, "peak": RATE},
        {"params": list(model.posts.parameters()), "lr": HEADS_RATE, "peak": HEADS_RATE},
    ]
    return torch.optim.AdamW(groups, weight_decay=0.01)


def _targets(data: Arrays, unseen: NDArray[np.float32]) -> tuple[Any, Any]:
    """Half the label, half the answer of the teacher that never saw the row."""
    targets, known = hard(data["labels"])
    mixed = np.where(known > 0, OWN * targets + (1 - OWN) * unseen, unseen)
    return mixed.astype(np.float32), np.where(known > 0, 1, FILLED).astype(np.float32)


def _rehearsed(data: Arrays, random: np.random.Generator) -> NDArray[np.int64]:
    """Labelled rows that train, three-class ones twice; of the largest tasks a share."""
    rows = np.flatnonzero((data["dev"] == 0) & (data["labels"] >= 0).any(axis=1))
    signed = (data["labels"][rows, 1] >= 0) & (data["labels"][rows, 0] < 0)
    if signed.sum() > MANY:
        rows = rows[~signed | (random.random(len(rows)) < FEWER)]
    return np.concatenate([rows, rows[data["labels"][rows, 0] >= 0]])


def _endless(
    texts: Texts, rows: NDArray[np.int64], random: np.random.Generator, tokens: int
) -> Iterator[NDArray[np.int64]]:
    while True:
        yield from texts.batches(rows, tokens, random)


def _own_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Sum over classes of the mean cross-entropy; labels that may be given or not say nothing."""
    each = functional.binary_cross_entropy_with_logits(
        logits, labels.clamp(min=0), (labels != UNKNOWN).float(), reduction="sum"
    )
    return each / len(logits)


def _array(part: Tensor) -> NDArray[np.float32]:
    answer: NDArray[np.float32] = part.detach().float().numpy()
    return answer


if __name__ == "__main__":
    main()

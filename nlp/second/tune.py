"""Fine-tuning of one classifier on several tasks at once, against soft or hard targets.

In:  texts on a device, rows to learn from, targets and their weights (rows, OUTPUTS).
Out: the classifier; logits of any rows.
Every head sees every batch; where a row says nothing to a head, its weight there is 0.

Source: adversarial steps on the embeddings after Miyato et al. 2017, ICLR; agreement of two
dropout samples after Liang et al. 2021, NeurIPS, R-Drop.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nlp.second.network import Classifier
from nlp.second.tasks import BINARY, FELT, OUTPUTS
from nlp.second.texts import Texts

TASK_WEIGHTS = (2.0, 1.0, 0.5, 0.5)  # few rows speak to neutrality, none of them to spare
WARM = 0.06
SCORE_TOKENS = 65_536
log = logging.getLogger(__name__)

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Recipe:
    """How one classifier is trained; `adversarial` is the length of a step on a text's embeddings."""

    epochs: float = 3.0
    rate: float = 1e-4
    heads_rate: float = 1e-3
    tokens: int = 8192
    adversarial: float = 0.0
    agreement: float = 0.0
    seconds: float = 1e9


def tune(
    model: Classifier, texts: Texts, rows: NDArray[np.int64], targets: Floats, weights: Floats,
    recipe: Recipe, seed: int,
) -> None:  # fmt: skip
    """Train `model` in place; an end by `recipe.seconds` still lets the rate fall to zero."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    target, weight = (torch.from_numpy(part).to(texts.device) for part in (targets, weights))
    optimiser = _optimiser(model, recipe, texts.device.type == "cuda")
    steps = max(1, int(recipe.epochs * len(list(texts.batches(rows, recipe.tokens, random)))))
    model.train()
    began, done = time.monotonic(), 0
    while True:
        for batch in texts.batches(rows, recipe.tokens, random):
            gone = max(done / steps, (time.monotonic() - began) / recipe.seconds)
            if gone >= 1:
                log.info("tuned: seed %d, %d steps, %.0f s", seed, done, time.monotonic() - began)
                return
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * min(1.0, gone / WARM + 0.01) * (1 - gone)
            at = torch.from_numpy(batch).to(texts.device)
            optimiser.zero_grad(set_to_none=True)
            _backward(model, texts.padded(batch), target[at], weight[at], recipe)
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            done += 1


def _optimiser(model: Classifier, recipe: Recipe, cuda: bool) -> torch.optim.AdamW:
    groups = [
        {"params": list(model.encoder.parameters()), "lr": recipe.rate, "peak": recipe.rate},
        {"params": list(model.heads.parameters()), "lr": recipe.rate, "peak": recipe.heads_rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=0.01, fused=cuda)


def _backward(
    model: Classifier, ids: Tensor, target: Tensor, weight: Tensor, recipe: Recipe
) -> None:
    noise = None
    if recipe.adversarial:
        width = model.encoder.words.embedding_dim
        noise = torch.zeros(*ids.shape, width, device=ids.device, requires_grad=True)
    losses(model, ids, target, weight, recipe, noise).backward()
    if noise is not None and noise.grad is not None:
        slope = noise.grad
        step = recipe.adversarial * slope / (slope.flatten(1).norm(dim=1)[:, None, None] + 1e-9)
        with torch.autocast(ids.device.type, torch.bfloat16):
            logits = model(ids, step).float()
        _loss(logits, target, weight).backward()


def losses(
    model: Classifier, ids: Tensor, target: Tensor, weight: Tensor, recipe: Recipe,
    noise: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Loss of one batch; with agreement it is read twice, and the answers must be near."""
    with torch.autocast(ids.device.type, torch.bfloat16):
        logits = model(ids, noise).float()
        twin = model(ids).float() if recipe.agreement else None
    loss = _loss(logits, target, weight)
    if twin is None:
        return loss
    loss = (loss + _loss(twin, target, weight)) / 2
    return loss + recipe.agreement * _apart(logits, twin)


def _loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Sum over tasks of the mean cross-entropy of the rows that speak to a task."""
    total = logits.new_zeros(())
    for column, share in zip(
        BINARY, (TASK_WEIGHTS[0], TASK_WEIGHTS[1], TASK_WEIGHTS[3]), strict=True
    ):
        each = functional.binary_cross_entropy_with_logits(
            logits[:, column], target[:, column], weight[:, column], reduction="sum"
        )
        total = total + share * each / len(logits)
    spoken = -(target[:, FELT] * functional.log_softmax(logits[:, FELT], 1)).sum(1)
    return total + TASK_WEIGHTS[2] * (spoken * weight[:, FELT.start]).sum() / len(logits)


def _apart(one: Tensor, other: Tensor) -> Tensor:
    """Symmetric divergence of two answers, of the binary heads."""
    p, q = (torch.sigmoid(part[:, BINARY]) for part in (one, other))
    logit = one[:, BINARY] - other[:, BINARY]
    return ((p - q) * logit).sum(1).mean() / 2


@torch.no_grad()
def score(model: Classifier, texts: Texts, rows: NDArray[np.int64]) -> Floats:
    """Logits of `rows` (len(rows), OUTPUTS)."""
    model.eval()
    answer = np.zeros((len(texts.lengths), OUTPUTS), np.float32)
    for batch in texts.batches(rows, SCORE_TOKENS, None):
        with torch.autocast(texts.device.type, torch.bfloat16, enabled=texts.device.type == "cuda"):
            answer[batch] = model(texts.padded(batch)).float().cpu().numpy()
    return answer[rows]

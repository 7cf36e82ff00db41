"""Masked-language training of the base on the open texts, before any label is seen.

In:  texts on a device, the encoder. Out: the encoder, changed in place.

Source: Gururangan et al. 2020, ACL, Don't stop pretraining; Devlin et al. 2019 for the masking.
"""

from __future__ import annotations

import logging
import time

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nlp.second.network import Encoder
from nlp.second.texts import Texts

SHARE = 0.2  # of the tokens are hidden
TOKENS = 32_768  # a batch
PEAK = 3e-4
WARM = 0.05
log = logging.getLogger(__name__)


class Guesser(nn.Module):
    """Scores over the vocabulary, tied to the word embeddings."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        width = encoder.words.embedding_dim
        self.map, self.norm = nn.Linear(width, width), nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(encoder.words.num_embeddings))
        self.encoder = encoder

    def forward(self, ids: Tensor, hidden: Tensor) -> Tensor:
        """Scores at the `hidden` places (places, vocabulary)."""
        x = self.encoder(ids)[hidden]
        x = self.norm(functional.gelu(self.map(x)))
        return functional.linear(x, self.encoder.words.weight, self.bias)


def pretrain(
    encoder: Encoder, texts: Texts, rows: NDArray[np.int64], mask: int, first: int, seed: int,
    epochs: float, seconds: float,
) -> None:  # fmt: skip
    """Train `encoder` on `rows` for `epochs`, or until `seconds` are over, whichever is earlier.

    `mask` is the id of [MASK]; ids below `first` are special and never hidden. The rate falls to
    zero over whichever of the two is further gone, so that an early end is a complete run.
    """
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    model = Guesser(encoder).to(texts.device).train()
    cuda = texts.device.type == "cuda"
    optimiser = torch.optim.AdamW(
        model.parameters(), PEAK, (0.9, 0.98), weight_decay=0.01, fused=cuda
    )
    steps = max(1, int(epochs * len(list(texts.batches(rows, TOKENS, random)))))
    began, done = time.monotonic(), 0
    while True:
        for batch in texts.batches(rows, TOKENS, random):
            gone = max(done / steps, (time.monotonic() - began) / seconds)
            if gone >= 1:
                log.info(
                    "pretrained: %d of %d steps, %.0f s", done, steps, time.monotonic() - began
                )
                return
            for group in optimiser.param_groups:
                group["lr"] = PEAK * min(1.0, gone / WARM + 0.01) * (1 - gone)
            loss = _step(model, texts.padded(batch), mask, first)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            done += 1
            if done % 200 == 0:
                log.info("masked words: step %d, loss %.3f", done, float(loss))


def _step(model: Guesser, ids: Tensor, mask: int, first: int) -> Tensor:
    """Loss of one batch: of the hidden tokens 8 in 10 become [MASK], 1 another token."""
    hidden = (torch.rand(ids.shape, device=ids.device) < SHARE) & (ids >= first)
    dice = torch.rand(ids.shape, device=ids.device)
    shown = torch.where(hidden & (dice < 0.8), mask, ids)
    other = torch.randint_like(ids, first, model.encoder.words.num_embeddings)
    shown = torch.where(hidden & (dice >= 0.9), other, shown)
    with torch.autocast(ids.device.type, torch.bfloat16):
        scores = model(shown, hidden)
    return functional.cross_entropy(scores.float(), ids[hidden])

"""The encoder and its heads in torch, with the weights' Hugging Face names; only training needs it.

In:  token ids (batch, length) padded with 0, named arrays of the base.
Out: a tensor of logits (batch, 10): neutral, negative, seven emotions, complaint.

Source: Devlin et al. 2019, NAACL, BERT; pooled as [CLS] beside the mean of all tokens.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from nlp.second.tasks import OUTPUTS

EPS = 1e-12  # of the base's layer norms


class Layer(nn.Module):
    """One transformer block."""

    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))
        self.first, self.second = nn.LayerNorm(width, EPS), nn.LayerNorm(width, EPS)
        self.up, self.down = nn.Linear(width, inner), nn.Linear(inner, width)
        self.heads = width // 64
        self.dropout = dropout

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """`x` (batch, length, width); `mask` (batch, 1, 1, length), true where a token stands."""
        batch, length, width = x.shape
        q, k, v = (
            part(x).view(batch, length, self.heads, 64).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        rate = self.dropout if self.training else 0.0
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=rate)
        seen = self.output(seen.transpose(1, 2).reshape(batch, length, width))
        x = self.first(x + functional.dropout(seen, self.dropout, self.training))
        inner = self.down(functional.gelu(self.up(x)))
        return self.second(x + functional.dropout(inner, self.dropout, self.training))


class Encoder(nn.Module):
    """Embeddings and blocks, as wide and deep as the base's arrays say."""

    def __init__(self, arrays: Mapping[str, NDArray[np.float32]], dropout: float = 0.1) -> None:
        super().__init__()
        words = arrays["embeddings.word_embeddings.weight"]
        depth = 1 + max(int(name.split(".")[2]) for name in arrays if name.startswith("encoder."))
        inner = arrays["encoder.layer.0.intermediate.dense.weight"].shape[0]
        self.words = nn.Embedding(*words.shape)
        self.places = nn.Embedding(*arrays["embeddings.position_embeddings.weight"].shape)
        self.kinds = nn.Embedding(2, words.shape[1])
        self.norm = nn.LayerNorm(words.shape[1], EPS)
        self.layers = nn.ModuleList(Layer(words.shape[1], inner, dropout) for _ in range(depth))
        self.dropout = dropout
        self.take(arrays)

    def forward(self, ids: Tensor, noise: Tensor | None = None) -> Tensor:
        """Last hidden states; `noise` is added to the word embeddings (adversarial training)."""
        words: Tensor = self.words(ids)
        if noise is not None:
            words = words + noise
        place = torch.arange(ids.shape[1], device=ids.device)
        x = self.norm(words + self.places(place) + self.kinds.weight[0])
        x = functional.dropout(x, self.dropout, self.training)
        mask = (ids != 0)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, mask)
        return x

    def take(self, arrays: Mapping[str, NDArray[np.float32]]) -> None:
        """Set all weights from named arrays."""
        with torch.no_grad():
            for name, parameter in named(self).items():
                parameter.copy_(torch.from_numpy(np.array(arrays[name], np.float32)))

    def give(self) -> dict[str, NDArray[np.float32]]:
        """All weights as named arrays."""
        return {name: p.detach().float().cpu().numpy() for name, p in named(self).items()}


class Classifier(nn.Module):
    """Encoder with one linear map on [CLS] and the mean of the tokens, for all tasks together."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.heads = nn.Linear(2 * encoder.words.embedding_dim, OUTPUTS)

    def pooled(self, ids: Tensor, noise: Tensor | None = None) -> Tensor:
        """[CLS] beside the mean of the tokens (batch, 2 × width)."""
        x = self.encoder(ids, noise)
        here = (ids != 0)[:, :, None].to(x.dtype)
        return torch.cat([x[:, 0], (x * here).sum(1) / here.sum(1)], 1)

    def forward(self, ids: Tensor, noise: Tensor | None = None) -> Tensor:
        """Logits (batch, OUTPUTS)."""
        pooled = self.pooled(ids, noise)
        answer: Tensor = self.heads(functional.dropout(pooled, 0.1, self.training))
        return answer


def named(encoder: Encoder) -> dict[str, nn.Parameter]:
    """Parameters of the encoder under the base's names."""
    parts: dict[str, nn.Module] = {"embeddings.LayerNorm": encoder.norm}
    for n, layer in enumerate(encoder.layers):
        at = f"encoder.layer.{n}"
        parts |= {
            f"{at}.attention.self.query": layer.query,
            f"{at}.attention.self.key": layer.key,
            f"{at}.attention.self.value": layer.value,
            f"{at}.attention.output.dense": layer.output,
            f"{at}.attention.output.LayerNorm": layer.first,
            f"{at}.intermediate.dense": layer.up,
            f"{at}.output.dense": layer.down,
            f"{at}.output.LayerNorm": layer.second,
        }
    found = {
        "embeddings.word_embeddings.weight": encoder.words.weight,
        "embeddings.position_embeddings.weight": encoder.places.weight,
        "embeddings.token_type_embeddings.weight": encoder.kinds.weight,
    }
    for name, part in parts.items():
        found |= {f"{name}.{key}": value for key, value in part.named_parameters()}
    return found

"""Token rows on a device, in padded batches of about equal length; only training needs it.

In:  ids end to end with offsets. Out: (batch, length) tensors padded with 0.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

MULTIPLE = 8  # of a padded length
SORTED_AT_ONCE = 4096  # rows sorted by length together: less padding, still mixed


class Texts:
    """All rows of a training run, held on `device`."""

    def __init__(
        self, ids: NDArray[np.uint16], offsets: NDArray[np.int64], device: torch.device
    ) -> None:
        self.ids = torch.from_numpy(ids.astype(np.int32)).to(device)
        self.starts = torch.from_numpy(offsets[:-1].copy()).to(device)
        self.lengths = np.diff(offsets)
        self.sizes = torch.from_numpy(self.lengths.copy()).to(device)
        self.device = device

    def padded(self, rows: NDArray[np.int64]) -> Tensor:
        """Ids of these rows (len(rows), longest rounded up)."""
        longest = int(-(-self.lengths[rows].max() // MULTIPLE) * MULTIPLE)
        at = torch.from_numpy(rows).to(self.device)
        place = torch.arange(longest, device=self.device)
        inside = place[None, :] < self.sizes[at][:, None]
        where = torch.where(inside, self.starts[at][:, None] + place[None, :], 0)
        return torch.where(inside, self.ids[where], 0).long()

    def batches(
        self, rows: NDArray[np.int64], tokens: int, random: np.random.Generator | None
    ) -> Iterator[NDArray[np.int64]]:
        """Rows in batches of about `tokens` tokens; in order of length when `random` is None."""
        order = rows[np.argsort(self.lengths[rows], kind="stable")]
        if random is not None:
            mixed = random.permutation(rows)
            parts = [mixed[at : at + SORTED_AT_ONCE] for at in range(0, len(rows), SORTED_AT_ONCE)]
            order = np.concatenate([p[np.argsort(self.lengths[p], kind="stable")] for p in parts])
        cut = list(self._cut(order, tokens))
        if random is not None:
            cut = [cut[n] for n in random.permutation(len(cut))]
        yield from cut

    def _cut(self, order: NDArray[np.int64], tokens: int) -> Iterator[NDArray[np.int64]]:
        start, longest = 0, 0
        for at, length in enumerate(self.lengths[order]):
            longest = max(longest, int(length))
            if (at + 1 - start) * longest > tokens and at > start:
                yield order[start:at]
                start, longest = at, int(length)
        yield order[start:]

"""The network, if one calls it that, of the exemplars' mean."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from baselines.data.batch import Batch, given


class Encoded(NamedTuple):
    """What is known of N clips: nothing."""

    nothing: Tensor  # (N, 1), zeros


class ExemplarsMean(nn.Module):
    """Every dive is as good as its exemplars."""

    def encode(self, batch: Batch) -> Encoded:
        return Encoded(given(batch.difficulty).new_zeros(len(given(batch.difficulty)), 1))

    def compare(self, query: Encoded, exemplar: Encoded, exemplar_score: Tensor) -> Tensor:
        """How far B queries are above their exemplars: (B,), 0."""
        return exemplar.nothing[:, 0] - query.nothing[:, 0]

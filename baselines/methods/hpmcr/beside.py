"""The pose scorer that learned from synthetic dives, beside a model of another shape."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.prior.network import SCORE_UNIT
from baselines.prior.performed import FRAMES
from baselines.prior.weights import read_prior


class PriorBeside(nn.Module):
    """Compares two dives from poses as the prior does, whatever else looks at them.

    It reads :data:`~baselines.prior.performed.FRAMES` of the T frames, evenly spread, and three stages. Its batch norms
    keep the statistics of thousands of dives; everything else is trained on.
    """

    def __init__(self) -> None:
        super().__init__()
        prior = read_prior()
        self.learned_from = prior.title
        self.scorer = prior.network()
        self.share = nn.Parameter(torch.ones(()))

    def train(self, mode: bool = True) -> PriorBeside:
        """As torch has it, but for the batch norms."""
        super().train(mode)
        self.scorer.skeleton.eval()
        return self

    def forward(self, pose: Tensor, cut: Tensor | None) -> Tensor:
        """Tokens (N, S, K, D) of poses (N, 2, T, 16, 1).

        Stages are cut at ``cut`` (N, 2), frames of the T, or where the prior itself sees them begin.
        """
        read = torch.linspace(0, pose.shape[2] - 1, FRAMES, device=pose.device).round().long()
        cut = None if cut is None else torch.searchsorted(read, cut.contiguous())
        return self.scorer.encode(pose[:, :, read], cut)[0]

    def compare(self, query: Tensor, exemplar: Tensor) -> Tensor:
        """Points of execution by which the stages of B queries are above their exemplars': (B, S)."""
        return self.share * SCORE_UNIT * self.scorer.compare(query, exemplar)

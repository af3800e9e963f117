"""Stage contrastive regression: how much better the query dive is, stage by stage."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.modules.decoder import Decoder
from baselines.modules.stages import STAGES


class StageWeights(nn.Module):
    """Weights of the stages: (B, S) -> (B, S), each stage's part of the weighted mean. Equal at first.

    Exponentials of learned logarithms, over their sum; the logarithms start at ln 2. Source: ``models/MLP.py`` of
    the public code (commit 6bce799).
    """

    def __init__(self, stages: int = STAGES) -> None:
        super().__init__()
        self.log = nn.Parameter(torch.full((stages,), math.log(2)))

    @property
    def shares(self) -> Tensor:
        """(S,) positive, of sum 1."""
        return self.log.softmax(0)

    def forward(self, per_stage: Tensor, both: Tensor | None = None) -> Tensor:
        """``both`` (B, S) marks the stages that count, all by default; the others add 0, and the rest weighs more."""
        shares = self.shares if both is None else self.shares * both
        return per_stage * shares / shares.sum(-1, keepdim=True)


def relative_score_loss(forth: Tensor, back: Tensor, difference: Tensor, unit: float = 1.0) -> Tensor:
    """Squared error of B comparisons made both ways, each (B,), in units of ``unit``: a scalar.

    Parameters
    ----------
    forth, back : how far the query is said to be above its exemplar, and the exemplar above the query
    difference : how far the query is above its exemplar
    """
    return (F.mse_loss(forth, difference) + F.mse_loss(back, -difference)) / unit**2


class StageRegressor(nn.Module):
    """Query tokens (B, S, K, D) and exemplar tokens (B, S, L, D) to a relative score of every stage (B, S).

    The decoder and the head are shared by the stages. Source: arXiv 2501.03674, and the code of its predecessors.
    ``widths``: of the head's two hidden layers; D and D / 4 by default.
    ``start_equal``: the last layer starts at zero, so that before training every dive equals its exemplar.
    ``antisymmetric``: the query is as much above the exemplar as the exemplar is below the query, by half the
    difference of both comparisons, instead of by learning.
    """

    def __init__(
        self,
        dim: int,
        depth: int = 4,
        heads: int = 2,
        start_equal: bool = False,
        antisymmetric: bool = False,
        widths: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.antisymmetric = antisymmetric
        self.decoder = Decoder(dim, depth, heads)
        first, second = widths or (dim, dim // 4)
        self.head = nn.Sequential(
            nn.Linear(dim, first), nn.ReLU(), nn.Linear(first, second), nn.ReLU(), nn.Linear(second, 1)
        )
        if start_equal:
            for parameter in self.head[-1].parameters():
                nn.init.zeros_(parameter)

    def forward(self, query: Tensor, exemplar: Tensor) -> Tensor:
        if self.antisymmetric:
            return (self._above(query, exemplar) - self._above(exemplar, query)) / 2
        return self._above(query, exemplar)

    def _above(self, query: Tensor, exemplar: Tensor) -> Tensor:
        tokens = self.decoder(query.flatten(0, 1), exemplar.flatten(0, 1))  # (B*S, K, D)
        return self.head(tokens).mean((1, 2)).unflatten(0, query.shape[:2])  # (B, S)


class SplashHead(nn.Module):
    """Size of the splash from the last stage's fused tokens: (N, S, K, D) -> (N,).

    The paper's second version supervises the model by the splash; its public code computes the size (see
    :mod:`baselines.data.splash`) and uses it nowhere, so that this head and its squared error are inferred.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Linear(dim, dim // 4), nn.ReLU(), nn.Linear(dim // 4, 1))

    def forward(self, fused: Tensor) -> Tensor:
        return self.head(fused[:, -1].float().mean(1))[:, 0]

    def loss(self, fused: Tensor, splash: Tensor) -> Tensor:
        """Mean squared error over the clips whose splash (N,) is known, that is, not negative; 0 without any."""
        known = splash >= 0
        return ((self(fused) - splash).square() * known).sum() / known.sum().clamp(min=1)

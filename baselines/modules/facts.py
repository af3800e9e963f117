"""Facts about a dive from its tokens: its quality and what went wrong."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from baselines.modules.stages import STAGES


class FactsHead(nn.Module):
    """Tokens (N, S, K, D) to ``facts`` numbers for each dive: (N, facts). Mean, largest and smallest of each stage."""

    def __init__(self, dim: int, facts: int, stages: int = STAGES) -> None:
        super().__init__()
        width = stages * 3 * dim
        self.layers = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 128), nn.ReLU(), nn.Linear(128, facts))

    def forward(self, tokens: Tensor) -> Tensor:
        pooled = torch.cat((tokens.mean(2), tokens.amax(2), tokens.amin(2)), dim=-1)
        return self.layers(pooled.flatten(1))

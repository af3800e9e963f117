"""Features of a clip cut in stages, each stage the same number of tokens."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

STAGES = 3
"""Take-off, flight, entry: what two transitions cut a dive into."""


def pool_stages(features: Tensor, transitions: Tensor, tokens: int) -> Tensor:
    """Cut (B, T, C) features at two transitions and resample each stage: -> (B, 3, tokens, C).

    The stages are [0, t1], [t1, t2] and [t2 - 1, T - 1], all ends inclusive, as
    published; each is linearly interpolated along time with its ends kept.

    Parameters
    ----------
    transitions : (B, 2) integers t1 < t2, time steps of ``features``; stage bounds beyond the clip are pulled in
    """
    last = features.shape[1] - 1
    t1, t2 = transitions.unbind(1)
    start = torch.stack((torch.zeros_like(t1), t1, t2 - 1), dim=1).clamp(0, last)  # (B, 3)
    end = torch.stack((t1, t2, torch.full_like(t1, last)), dim=1).clamp(0, last)
    along = torch.linspace(0, 1, tokens, device=features.device)
    position = start[..., None] + (end - start)[..., None] * along  # (B, 3, K), in time steps
    before = position.floor().clamp(max=last)
    fraction = (position - before)[..., None]
    batch = torch.arange(features.shape[0], device=features.device)[:, None, None]
    low = features[batch, before.long()]  # (B, 3, K, C)
    high = features[batch, (before.long() + 1).clamp(max=last)]
    return low + (high - low) * fraction


def thirds(transitions: Tensor, frames: int) -> Tensor:
    """Transitions (N, 2) that cut clips of so many frames in three equal parts, whatever they were."""
    return transitions.new_tensor((frames // STAGES, 2 * frames // STAGES)).expand_as(transitions)


class PerStage(nn.Module):
    """One copy of a module for every stage: (B, S, ...) inputs -> (B, S, ...), stage s through copy s."""

    def __init__(self, build: Callable[[], nn.Module], stages: int = STAGES) -> None:
        super().__init__()
        self.copies = nn.ModuleList(build() for _ in range(stages))

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.stack([copy(*(x[:, s] for x in inputs)) for s, copy in enumerate(self.copies)], dim=1)


def stage_reducer(channels: int, dim: int) -> PerStage:
    """Tokens to the common width, (B, S, K, channels) -> (B, S, K, dim).

    Linear, layer norm, ReLU: inferred, since the public code lacks the file and
    only the widths are known.
    """
    return PerStage(lambda: nn.Sequential(nn.Linear(channels, dim), nn.LayerNorm(dim), nn.ReLU()))

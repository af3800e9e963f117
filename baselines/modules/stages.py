"""Features of a clip cut in stages, each stage the same number of tokens. Paper: procedure segmentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STAGES = 3
"""Take-off, flight, entry: what two transitions cut a dive into."""

MOST_STAGES = 5
"""Take-off, up to three flights (somersaults and twists), entry: as FineDiving labels them."""

STAGE_NAMES = {
    STAGES: ("take-off", "flight", "entry"),
    MOST_STAGES: ("take-off", "first flight", "second flight", "third flight", "entry"),
}
"""By the number of stages that a dive is cut into."""

ABSENT = -1
"""In place of the transition of a stage that a dive does not have. Only flights can be absent, the last ones first."""


Stages = Literal[3, "native"]
"""Three of every dive, or its true ones."""


def number_of_slots(stages: Stages) -> int:
    """S, the length of the stage axis. Raises ValueError for anything but 3 and ``native``."""
    if stages not in (STAGES, "native"):
        raise ValueError(f"stages={stages!r}; it is {STAGES} or 'native'")
    return MOST_STAGES if stages == "native" else STAGES


def check_three_stages(stages: Stages) -> None:
    """Raises ValueError for ``native`` stages, where a model cuts every dive in three."""
    if stages != STAGES:
        raise ValueError(f"data.stages={stages!r}; this model cuts every dive in {STAGES} stages")


def stage_slots(count: int, stages: int) -> list[int]:
    """Which of ``stages`` slots a dive of ``count`` stages fills: the first ones, and always the last."""
    return [*range(min(count, stages) - 1), stages - 1]


def present_stages(transitions: Tensor) -> Tensor:
    """Which stages dives have: transitions (N, S - 1) -> (N, S) booleans."""
    return F.pad(transitions != ABSENT, (1, 0), value=True)


def pool_stages(features: Tensor, transitions: Tensor, tokens: int, half_open: bool = False) -> Tensor:
    """Cut (B, T, C) features at S - 1 transitions and resample each stage: -> (B, S, tokens, C).

    The stages are [0, t1], [t1, t2], ..., [tlast - 1, T - 1], all ends inclusive, as
    published; each is linearly interpolated along time with its ends kept.

    Parameters
    ----------
    half_open : no stage has a frame of the next one: [0, t1), [t1, t2), ..., [tlast, T), as in the code of earlier
        models. A stage of one frame is that frame, ``tokens`` times
    transitions : (B, S - 1) integers in rising order, time steps of ``features``; stage bounds beyond the clip are
        pulled in. An absent stage has the length zero, at the start of the next one.
    """
    last = features.shape[1] - 1
    first = torch.zeros_like(transitions[:, :1])
    shared = 0 if half_open else 1  # frames of the stage before that the last stage begins with
    following = _next_present(transitions, last)
    start = torch.cat((first, following[:, :-1], following[:, -1:] - shared), dim=1).clamp(0, last)  # (B, S)
    end = torch.cat((following - 1 if half_open else following, torch.full_like(first, last)), dim=1).clamp(0, last)
    end = torch.maximum(start, end) if half_open else end
    along = torch.linspace(0, 1, tokens, device=features.device)
    position = start[..., None] + (end - start)[..., None] * along  # (B, S, K), in time steps
    before = position.floor().clamp(max=last)
    fraction = (position - before)[..., None].to(features.dtype)
    batch = torch.arange(features.shape[0], device=features.device)[:, None, None]
    low = features[batch, before.long()]  # (B, S, K, C)
    high = features[batch, (before.long() + 1).clamp(max=last)]
    return low + (high - low) * fraction


def _next_present(transitions: Tensor, last: int) -> Tensor:
    """Transitions with the next one's value in place of each absent one."""
    known = transitions.masked_fill(transitions < 0, last)
    return known.flip(1).cummin(1).values.flip(1)


def equal_parts(frames: int, stages: int) -> Tensor:
    """Transitions (stages - 1,) that cut a clip of so many frames in equal parts."""
    return torch.arange(1, stages) * frames // stages


class PerStage(nn.Module):
    """One copy of a module for every stage: (B, S, ...) inputs -> (B, S, ...), stage s through copy s."""

    def __init__(self, build: Callable[[], nn.Module], stages: int = STAGES) -> None:
        super().__init__()
        self.copies = nn.ModuleList(build() for _ in range(stages))

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.stack([copy(*(x[:, s] for x in inputs)) for s, copy in enumerate(self.copies)], dim=1)


def stage_reducer(channels: int, dim: int, stages: int = STAGES, wide: bool = False) -> PerStage:
    """Tokens to the common width, (B, S, K, channels) -> (B, S, K, dim).

    Linear, layer norm, ReLU; or, ``wide``, two linear layers with ReLU, the first wider by 128
    (``models/E2Emodel.py`` of the public code, commit 6bce799).
    """
    if wide:
        between = channels + 128
        return PerStage(
            lambda: nn.Sequential(nn.Linear(channels, between), nn.ReLU(), nn.Linear(between, dim), nn.ReLU()), stages
        )
    return PerStage(lambda: nn.Sequential(nn.Linear(channels, dim), nn.LayerNorm(dim), nn.ReLU()), stages)

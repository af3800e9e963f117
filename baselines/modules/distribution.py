"""Scores as distributions over bins: soft targets, their loss, and back to a score.

Source: Tang et al., "Uncertainty-aware score distribution learning for action quality assessment", CVPR 2020, and its
public code (nzl-thu/MUSDL, 205868a).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Decode = Literal["argmax", "expectation"]
"""What a distribution says: its likeliest bin, as published; or its mean, which has no steps and so fewer ties."""


def check_distribution(sigma: float, decode: str) -> None:
    """Raises ValueError where ``sigma`` is no width, or there is no such way to decode."""
    if not sigma > 0:
        raise ValueError(f"sigma={sigma}; it is above 0")
    if decode not in get_args(Decode):
        raise ValueError(f"decode={decode!r}; it is {' or '.join(get_args(Decode))}")


def bin_classifier(channels: int, hidden: Sequence[int], bins: int) -> nn.Sequential:
    """Linear layers with ReLU between them: (N, channels) -> logits (N, bins)."""
    widths = [channels, *hidden, bins]
    layers = [layer for a, b in pairwise(widths) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def soft_targets(places: Tensor, bins: int, sigma: float) -> Tensor:
    """Gaussians around places among the bins 0 ... bins - 1, each of sum 1: (...,) -> (..., bins).

    Places beyond the bins are pulled to the nearest: far from all bins a Gaussian is zero, and its sum with it.
    """
    centres = places.clamp(0, bins - 1)[..., None]
    weights = torch.exp(-((torch.arange(bins, device=places.device) - centres) ** 2) / (2 * sigma**2))
    return weights / weights.sum(-1, keepdim=True)


def divergence(logits: Tensor, targets: Tensor) -> Tensor:
    """Kullback-Leibler divergence of the prediction from the target, mean over all but the bins **and** over the bins.

    The mean over the bins, which makes it so many times smaller, is the public code's. Logits and targets (..., bins).
    """
    return F.kl_div(logits.float().log_softmax(-1), targets, reduction="none").mean()


def decoded(logits: Tensor, how: Decode = "argmax") -> Tensor:
    """Place among the bins: (..., bins) -> (...,)."""
    if how == "argmax":
        return logits.argmax(-1).float()
    return (logits.float().softmax(-1) * torch.arange(logits.shape[-1], device=logits.device)).sum(-1)

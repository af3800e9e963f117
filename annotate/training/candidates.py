"""What a training may end with: weights mixed with those it started from, and ways to look at a crop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from annotate.estimators.config import crop_sides, turns_onto_itself
from annotate.estimators.presets import Network
from annotate.training.measure import QUALITY
from annotate.training.plan import FinetunePlan

LEARNED = (0.8, 1.0)
"""Shares of the trained weights in the weights that are written; the rest are the weights that training started from.
A network that learned from a few frames still knows the thousands before. Wortsman et al., "Robust fine-tuning of
zero-shot models", arXiv 2109.01903."""

Candidate = tuple[dict[str, Any], Mapping[str, Any]]
"""A configuration and weights."""


def candidates(
    config: dict[str, Any], start: Mapping[str, Any] | None, end: Mapping[str, Any], plan: FinetunePlan
) -> list[Candidate]:
    """Configurations and weights that a training may end with, the default first."""
    states = [mixed(start, end, share) for share in LEARNED] if start is not None else [end]
    return [(config | view, state) for view in views(config, plan.network) for state in states]


def views(config: Mapping[str, Any], network: Network) -> list[dict[str, Any]]:
    """Ways to look at a crop that a network has, the one with most looks first; the last is a single look."""
    once = {"all_round": False, "sizes": None}
    if network != "pose" or not turns_onto_itself(config):
        return [once]
    return [{"all_round": True, "sizes": crop_sides(config)}, {"all_round": True, "sizes": None}, once]


def best_of(
    found: Sequence[Candidate], figures: Callable[..., dict[str, Any] | None], network: Network
) -> tuple[dict[str, Any], Mapping[str, Any], dict[str, Any] | None]:
    """The candidate with the best figures on the held-out clips, and these; the first where nothing is held out."""
    measured = [figures(*candidate) for candidate in found]
    best = max(range(len(found)), key=lambda i: (measured[i] or {}).get(QUALITY[network], 0.0))
    return *found[best], measured[best]


def mixed(start: Mapping[str, Any], end: Mapping[str, Any], share: float) -> dict[str, Any]:
    """Weights that are ``share`` of ``end`` and for the rest ``start``; counters are those of ``end``."""
    import torch

    return {
        k: torch.lerp(start[k].float(), v.float().cpu(), share) if torch.is_floating_point(v) else v
        for k, v in end.items()
    }

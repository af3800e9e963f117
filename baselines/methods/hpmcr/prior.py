"""What of HPMCR starts from synthetic dives (:mod:`baselines.prior`): the pose branch, and what sees the splash."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from baselines.prior.weights import Prior, fill, read_prior, read_splash_prior
from finediving_pose.synth.faults import COST, UNITS

if TYPE_CHECKING:
    from baselines.methods.hpmcr.network import HPMCR

PARTS = {
    "skeleton": "skeleton",
    "pose_segmentation": "segmentation",
    "fusion": "fusion",
    "compare_fused": "compare_stages",
    "stage_weights": "stage_weights",
    "facts": "facts",
}
"""Parts of the network, and what they are called in :class:`~baselines.prior.network.PoseScorer`."""
FAULT_UNITS = {name: (price.unit, UNITS[name]) for name, price in COST.items()}
"""How much of each fault costs a point, and its unit; see :class:`finediving_pose.synth.faults.Faults`."""
TOLD = 0.6
"""A fault is told by poses if estimates of it, from machine poses of unfilmed dives, correlate so with the truth.

Errors that are put on a dive are not its own. Filmed, where the estimator draws legs together that are apart, the split
of 0.57 falls to 0.19, what is at 0.7 stays there (docs/experiments/prior.md).
"""


def start_from_prior(network: HPMCR) -> tuple[dict[str, str], tuple[str, ...]]:
    """Fill the pose branch, and what sees the splash, as far as they are there.

    Returns what each started from, in words, and which faults the network tells.
    Raises ValueError where the pose branch has another shape.
    """
    started, told = {}, []
    if network.facts is not None:
        prior = read_prior()
        _fill_pose_branch(network, prior)
        started["pose branch started from"] = prior.title
        found = prior.made["held_out"]["machine"]["faults"]
        told += [name for name in FAULT_UNITS if found[name]["correlation"] >= TOLD]
    if network.finder is not None and network.judge is not None:
        splash = read_splash_prior()
        fill(network.finder, splash.finder)
        network.finder.requires_grad_(False)
        fill(network.judge, splash.judge)
        started["splash finder learned from"] = splash.title
        told += ["splash"] * (splash.made["held_out"]["correlation"] >= TOLD)
        if network.facts is not None:
            _weigh_poses(network, splash.share)
    if network.facts is not None and "static" in network.without:  # the prior's is one of two whose mean is taken
        _weigh_poses(network, 0.5)
    return started, tuple(told)


def _fill_pose_branch(network: HPMCR, prior: Prior) -> None:
    for part, learned in PARTS.items():
        try:
            fill(network.get_submodule(part), prior.part(learned))
        except (RuntimeError, AttributeError):
            raise ValueError(f"prior=true: {part} has another shape than the prior's; {prior.shape}") from None


def _weigh_poses(network: HPMCR, share: float) -> None:
    """Have the comparison of fused tokens say so much of what it says."""
    for parameter in network.compare_fused.head[-1].parameters():
        parameter.data *= share


def with_splash(facts: Tensor, points: Tensor) -> Tensor:
    """Facts (N, 1 + 9) with the splash as pictures tell it, points (N,): no pose shows it."""
    facts = facts.clone()
    facts[:, 1 + list(FAULT_UNITS).index("splash")] = points
    return facts


def faults_in_units(facts: Tensor, told: Collection[str]) -> dict[str, Tensor]:
    """Sizes of faults, each (N,), from facts (N, 1 + 9) in points; NaN for those that are not ``told``.

    Names end with the unit, ``rotation_deg``. Rotation and twist have no sign.
    """
    sizes = {}
    for k, (name, (size, unit)) in enumerate(FAULT_UNITS.items()):
        points = facts[:, 1 + k].clamp(min=0)
        sizes[f"{name}_{unit}"] = points * size if name in told else torch.full_like(points, torch.nan)
    return sizes

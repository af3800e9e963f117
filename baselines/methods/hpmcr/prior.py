"""The pose branch of HPMCR, started from what was learned from dives that nobody filmed (:mod:`baselines.prior`)."""

from __future__ import annotations

import warnings
from collections.abc import Collection

import torch
from torch import Tensor, nn

from baselines.prior.weights import read_prior
from finediving_pose.synth.faults import COST, UNITS

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
TOLD = 0.5
"""A fault is told by poses if estimates of it, from machine poses of unfilmed dives, correlate so with the truth."""


def start_from_prior(network: nn.Module) -> tuple[str, tuple[str, ...]]:
    """Fill the pose branch; says in words with what, and which faults it tells.

    Raises ValueError where the branch has another shape.
    """
    prior = read_prior()
    for part, learned in PARTS.items():
        try:
            with warnings.catch_warnings():  # settings are tried on a network without numbers, on the meta device
                warnings.filterwarnings("ignore", "for .*: copying from a non-meta parameter")
                network.get_submodule(part).load_state_dict(prior.part(learned))
        except (RuntimeError, AttributeError):
            raise ValueError(f"prior=true: {part} has another shape than the prior's; {prior.shape}") from None
    if "static" in getattr(network, "without", ()):  # the prior's comparison is one of two of which the mean is taken
        for parameter in network.get_submodule("compare_fused.head")[-1].parameters():  # type: ignore[index]
            parameter.data /= 2
    found = prior.made["held_out"]["machine"]["faults"]
    return prior.title, tuple(name for name in FAULT_UNITS if found[name]["correlation"] >= TOLD)


def faults_in_units(facts: Tensor, told: Collection[str]) -> dict[str, Tensor]:
    """Sizes of faults, each (N,), from facts (N, 1 + 9) in points; NaN for those that are not ``told``.

    Names end with the unit, ``rotation_deg``. Rotation and twist have no sign.
    """
    sizes = {}
    for k, (name, (size, unit)) in enumerate(FAULT_UNITS.items()):
        points = facts[:, 1 + k].clamp(min=0)
        sizes[f"{name}_{unit}"] = points * size if name in told else torch.full_like(points, torch.nan)
    return sizes

"""What a pre-trained network knows, measured on unfilmed dives that it has not learned from."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.prior.network import SCORE_UNIT, PoseScorer
from baselines.prior.performed import FAULTS
from baselines.prior.samples import Samples
from baselines.runs.metrics import pairs_in_order, spearman
from finediving_pose.synth.faults import COST

EXEMPLARS = 10
AT_ONCE = 100


def measure_prior(network: PoseScorer, samples: Samples) -> dict[str, Any]:
    """Figures with errors of poses as ``machine``, without as ``true``, see :func:`measure`."""
    return {name: measure(network, samples, true) for name, true in (("machine", 0.0), ("true", 1.0))}


def measure(network: PoseScorer, samples: Samples, true: float) -> dict[str, Any]:
    """Figures on dives of which a share ``true`` has the true joints; each dive is compared with others of its number.

    Returns
    -------
    ``rho`` and ``in_order`` of the scores beside ``exemplars_rho``; ``squared_error``, as a share of the
    exemplars' mean's; and under ``faults``, for each fault, ``correlation`` with the truth and ``median_error``, in the
    fault's own unit. The truth here is what judges without errors would give.
    """
    dives, luck = samples.dives, np.random.default_rng(0)
    network.eval()
    tokens, facts, known = [], [], []
    with torch.no_grad():
        for start in range(0, len(dives), AT_ONCE):
            batch = samples.batch(np.arange(start, min(start + AT_ONCE, len(dives))), luck, true)
            tokens.append(network.encode(batch["pose"], batch["transitions"])[0])
            facts.append(network.facts(tokens[-1]))
            known.append(batch["facts"])
    scores = 3 * dives.quality * dives.difficulty
    others = [np.setdiff1d(np.flatnonzero(dives.number == n), i)[:EXEMPLARS] for i, n in enumerate(dives.number)]
    mean = np.array([scores[o].mean() for o in others])
    found = mean + points_above(network, torch.cat(tokens), others) * dives.difficulty
    return {
        "rho": _round(spearman(scores, found)),
        "exemplars_rho": _round(spearman(scores, mean)),
        "in_order": _round(pairs_in_order(scores, found, dives.number)),
        "squared_error": _round(np.square(found - scores).mean() / np.square(mean - scores).mean()),
        "faults": _faults(torch.cat(facts).numpy()[:, 1:], torch.cat(known).numpy()[:, 1:]),
    }


def points_above(network: PoseScorer, tokens: Tensor, others: list[NDArray[np.int64]]) -> NDArray[np.float64]:
    """Points of execution by which each dive is above the others, in the mean: (N,)."""
    above = []
    with torch.no_grad():
        for i, those in enumerate(others):
            query = tokens[[i] * len(those)]
            above.append(float(network.compare(query, tokens[those.tolist()]).sum(1).mean()) * SCORE_UNIT)
    return np.array(above)


def _faults(found: NDArray[np.float32], known: NDArray[np.float32]) -> dict[str, dict[str, float]]:
    """Figures of each fault over the dives that have it: where there is nothing to twist, no twist is easily told."""
    figures = {}
    for k, name in enumerate(FAULTS):
        told, true = (values[known[:, k] > 0, k] for values in (found, known))
        figures[name] = {
            "correlation": _round(np.corrcoef(told, true)[0, 1]),
            "median_error": _round(np.median(np.abs(told - true)) * COST[name].unit),
        }
    return figures


def _round(value: float | np.floating) -> float:
    return round(float(value), 4)

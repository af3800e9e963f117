"""Procedure segmentation: where a dive's stages begin. Paper: arXiv 2501.03674, procedure segmentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.modules.stages import ABSENT, STAGES, stage_slots


class ProcedureSegmentation(nn.Module):
    """Static features (B, T, C) to a logit a frame for each transition (B, T, S - 1).

    One bi-directional GRU layer as wide as its input, dropout, one linear layer.
    Source: the public code of MCoRe and HP-MCoRe.
    """

    def __init__(self, channels: int, dropout: float = 0.5, stages: int = STAGES) -> None:
        super().__init__()
        self.gru = nn.GRU(channels, channels, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(2 * channels, stages - 1)

    def forward(self, features: Tensor) -> Tensor:
        return self.out(self.dropout(self.gru(features)[0]))


def segmentation_loss(logits: Tensor, transitions: Tensor, second_weight: float = 1.0) -> Tensor:
    """Cross-entropy over time of the transitions, averaged over clips and transitions.

    No stage but the first begins in the first frame, so that frame's logit stands for "this stage is absent".

    Parameters
    ----------
    logits : (B, T, S - 1)
    transitions : (B, S - 1) integers, frames of the true transitions, or :data:`~baselines.modules.stages.ABSENT`
    second_weight : weight of the last transition; the public code has 2, surely
        meaning a class number, not a weight
    """
    per_transition = F.cross_entropy(logits, transitions.clamp(min=0), reduction="none")  # softmax over T: (B, S - 1)
    weight = per_transition.new_ones(per_transition.shape[1])
    weight[-1] = second_weight
    return (per_transition * weight).mean()


def predict_transitions(logits: Tensor) -> Tensor:
    """The likeliest transitions in rising order, for three to S stages: (B, T, S - 1) -> (B, S - 1) integers.

    Stages that are likelier absent are :data:`~baselines.modules.stages.ABSENT`.
    """
    stages = logits.shape[2] + 1
    log_p = logits.float().log_softmax(1)
    score, found = zip(*(_best_of_count(log_p, count) for count in range(STAGES, stages + 1)), strict=True)
    best = torch.stack(score, dim=1).argmax(1)  # (B,), which number of stages
    return torch.stack(found, dim=1)[torch.arange(len(logits), device=logits.device), best]


def _best_of_count(log_p: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The best rising transitions of dives of ``count`` stages: their log-probability (B,), themselves (B, S - 1)."""
    stages = log_p.shape[2] + 1
    chosen = [slot - 1 for slot in stage_slots(count, stages) if slot]  # columns of the transitions that exist
    total = log_p[:, 0, [k for k in range(stages - 1) if k not in chosen]].sum(1)
    # the best way to end at every frame, transition after transition
    never = log_p.new_full((len(log_p), 1), -torch.inf)
    best = torch.cat((never, log_p[:, 1:, chosen[0]]), dim=1)
    steps = []
    for k in chosen[1:]:
        peak, at = best.cummax(1)
        steps.append(at)
        best = torch.cat((never, peak[:, :-1] + log_p[:, 1:, k]), dim=1)
    score, end = best.max(1)
    found = torch.full((len(log_p), stages - 1), ABSENT, dtype=torch.long, device=log_p.device)
    found[:, chosen[-1]] = end
    for k, at in zip(chosen[-2::-1], reversed(steps), strict=True):
        end = at.gather(1, end[:, None] - 1)[:, 0]
        found[:, k] = end
    return total + score, found


def predict_transitions_by_halves(logits: Tensor) -> Tensor:
    """The public code's rule: first transition in the first half, second in the last. (B, T, 2) -> (B, 2) integers."""
    half = logits.shape[1] // 2
    return torch.stack((logits[:, :half, 0].argmax(1), logits[:, half:, 1].argmax(1) + half), dim=1)


def transition_rule(name: Literal["ordered", "halves"]) -> Callable[[Tensor], Tensor]:
    """How logits (B, T, 2) of transitions become frames (B, 2) that can cut three stages, none of them empty.

    ``ordered`` is :func:`predict_transitions`; ``halves`` is :func:`predict_transitions_by_halves`, a first transition
    of 0 raised to 1. Raises ValueError for any other name.
    """
    rules = {"ordered": predict_transitions, "halves": lambda x: predict_transitions_by_halves(x).clamp(min=1)}
    if name not in rules:
        raise ValueError(f"predict={name!r}; it is {' or '.join(rules)}")
    return rules[name]

"""Procedure segmentation: where a dive's second and last stage begin."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ProcedureSegmentation(nn.Module):
    """Static features (B, T, C) to two transition logits a frame (B, T, 2).

    One bi-directional GRU layer as wide as its input, dropout, one linear layer.
    Source: arXiv 2501.03674 and the public MCoRe code.
    """

    def __init__(self, channels: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.gru = nn.GRU(channels, channels, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(2 * channels, 2)

    def forward(self, features: Tensor) -> Tensor:
        return self.out(self.dropout(self.gru(features)[0]))


def segmentation_loss(logits: Tensor, transitions: Tensor, second_weight: float = 1.0) -> Tensor:
    """Cross-entropy over time of both transitions, averaged over clips and transitions.

    Parameters
    ----------
    logits : (B, T, 2)
    transitions : (B, 2) integers, frames of the true transitions
    second_weight : weight of the second transition; the public code has 2, surely
        meaning a class number, not a weight
    """
    per_transition = F.cross_entropy(logits, transitions, reduction="none")  # softmax over T: (B, 2)
    return (per_transition * per_transition.new_tensor((1.0, second_weight))).mean()


def predict_transitions(logits: Tensor) -> Tensor:
    """The likeliest ordered pair of transitions over all frames: (B, T, 2) -> (B, 2) integers, 0 < t1 < t2."""
    first, second = logits[:, 1:-1, 0], logits[:, 2:, 1]  # t1 in 1..T-2, t2 in 2..T-1
    best_first, at = first.cummax(1)  # the best t1 among those before each t2
    t2 = (best_first + second).argmax(1)
    t1 = at.gather(1, t2[:, None])[:, 0]
    return torch.stack((t1 + 1, t2 + 2), dim=1)


def predict_transitions_by_halves(logits: Tensor) -> Tensor:
    """The public code's rule: first transition in the first half, second in the last. (B, T, 2) -> (B, 2) integers."""
    half = logits.shape[1] // 2
    return torch.stack((logits[:, :half, 0].argmax(1), logits[:, half:, 1].argmax(1) + half), dim=1)

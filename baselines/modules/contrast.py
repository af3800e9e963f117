"""Losses beyond the squared error of the relative score."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

STAGE_CONTRAST_WEIGHT = 10.0


def one_way_stage_contrast(a: Tensor, b: Tensor, temperature: float = 0.1, both: Tensor | None = None) -> Tensor:
    """Each stage of ``a`` against all stages of both clips: (B, S, K, D) twice -> (B,).

    The tokens of a stage are averaged. For stage s of a, the positive is stage s of b;
    the negatives are the other stages of a and of b:
    -log( exp(<a_s, b_s>/tau) / (sum_r exp(<a_s, b_r>/tau) + sum_{r != s} exp(<a_s, a_r>/tau)) )
    with cosine similarities, averaged over the stages.

    ``both`` (B, S) marks the stages that both clips have; the others take no part. All by default.
    """
    with torch.autocast(a.device.type, enabled=False):
        a, b = F.normalize(a.float().mean(2), dim=-1), F.normalize(b.float().mean(2), dim=-1)  # (B, S, D)
        across = a @ b.transpose(1, 2) / temperature  # (B, S, S)
        within = a @ a.transpose(1, 2) / temperature
    both = torch.ones(a.shape[:2], dtype=torch.bool, device=a.device) if both is None else both
    itself = torch.eye(a.shape[1], dtype=torch.bool, device=a.device)
    everything = torch.cat((across, within.masked_fill(itself, -torch.inf)), dim=2)  # (B, S, 2S)
    everything = everything.masked_fill(~both.repeat(1, 2)[:, None], -torch.inf)
    per_stage = everything.logsumexp(2) - across.diagonal(dim1=1, dim2=2)
    return (per_stage * both).sum(1) / both.sum(1)


def stage_contrast(a: Tensor, b: Tensor, temperature: float = 0.1, both: Tensor | None = None) -> Tensor:
    """Stage contrastive loss of pairs of clips, both directions, batch mean, times 10: a scalar.

    Source: arXiv 2501.03674, stage contrastive loss, and the public code of MCoRe and HP-MCoRe.
    """
    one = one_way_stage_contrast(a, b, temperature, both)
    other = one_way_stage_contrast(b, a, temperature, both)
    return STAGE_CONTRAST_WEIGHT * (one + other).mean() / 2

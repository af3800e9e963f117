"""Pose-guided fusion: visual tokens of a stage learn from the skeleton's. Paper: arXiv 2501.03674, multi-modal fusion.

Two forms. :class:`PoseGuidedFusion` lets visual tokens attend to skeleton tokens, as the paper's figure has it; the
block is the decoder's. :class:`PoseBiasedFusion` is what the public code does: visual tokens attend to each other,
and tokens at which the poses are alike attend more.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.modules.decoder import DecoderBlock, mlp
from baselines.modules.stages import STAGES, PerStage


class PoseGuidedFusion(nn.Module):
    """Visual and skeleton tokens (B, S, K, D) to fused tokens (B, S, K, D), each stage its own weights.

    ``residual`` adds the skeleton tokens as they are.
    """

    def __init__(self, dim: int, heads: int = 2, stages: int = STAGES, residual: bool = False) -> None:
        super().__init__()
        self.residual = residual
        self.blocks = PerStage(lambda: DecoderBlock(dim, heads), stages)

    def forward(self, visual: Tensor, skeleton: Tensor) -> Tensor:
        fused = self.blocks(visual, skeleton)
        return fused + skeleton if self.residual else fused


class PoseBiasedFusion(nn.Module):
    """The same, from skeleton tokens of any width P: (B, S, K, D), (B, S, K, P) -> (B, S, K, D)."""

    def __init__(self, dim: int, pose_dim: int, heads: int = 2, stages: int = STAGES) -> None:
        super().__init__()
        self.blocks = PerStage(lambda: PoseBiasedBlock(dim, pose_dim, heads), stages)

    def forward(self, visual: Tensor, skeleton: Tensor) -> Tensor:
        return self.blocks(visual, skeleton)


class PoseBiasedBlock(nn.Module):
    """Pre-norm self-attention with a bias from the pose, and MLP: (B, K, D), (B, K, P) -> (B, K, D).

    The logits are q k / sqrt(D / heads) + w e e / 64, with e a linear map of a hundredth of the pose features and w
    learned from 0.001; all heads share the bias. Source: ``models/PoseAttn.py`` of the public code (commit 6bce799).
    """

    def __init__(self, dim: int, pose_dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(dim)
        self.query, self.key, self.value = (nn.Linear(dim, dim, bias=False) for _ in range(3))
        self.pose = nn.Linear(pose_dim, dim)
        self.pose_weight = nn.Parameter(torch.tensor(0.001))
        self.out = nn.Linear(dim, dim)
        self.norm_mlp = nn.LayerNorm(dim)
        self.mlp = mlp(dim)

    def forward(self, visual: Tensor, skeleton: Tensor) -> Tensor:
        def heads(x: Tensor) -> Tensor:
            return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, H, K, D/H)

        x = self.norm(visual)
        e = self.pose(0.01 * skeleton)  # (B, K, D)
        bias = self.pose_weight * (e @ e.transpose(1, 2) / 64)[:, None]  # (B, 1, K, K)
        q, k, v = heads(self.query(x)), heads(self.key(x)), heads(self.value(x))
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        x = visual + self.out(seen.transpose(1, 2).flatten(2))
        return x + self.mlp(self.norm_mlp(x))

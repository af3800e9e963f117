"""Pose-guided fusion: visual tokens look at the skeleton's tokens of the same stage."""

from __future__ import annotations

from torch import Tensor, nn

from baselines.modules.decoder import DecoderBlock
from baselines.modules.stages import PerStage


class PoseGuidedFusion(nn.Module):
    """Visual and skeleton tokens (B, S, K, D) to fused tokens (B, S, K, D), each stage its own weights.

    Source: arXiv 2501.03674, multi-modal fusion. The block (query visual, key and
    value skeleton, residual, layer norm, MLP) is inferred from the call
    ``fuse(visual, skeleton)`` of the public code; its file is missing.
    """

    def __init__(self, dim: int, heads: int = 2) -> None:
        super().__init__()
        self.blocks = PerStage(lambda: DecoderBlock(dim, heads))

    def forward(self, visual: Tensor, skeleton: Tensor) -> Tensor:
        return self.blocks(visual, skeleton)

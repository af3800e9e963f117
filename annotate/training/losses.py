"""What a network of paired joints is taught with, beyond mmpose's losses."""

from __future__ import annotations

from typing import Any

import torch
from mmpose.models.losses import KeypointMSELoss
from mmpose.registry import MODELS

from finediving_pose.skeleton import FLIP


@MODELS.register_module()
class SidesMSELoss(KeypointMSELoss):
    """Mean squared error of heatmaps, and ``side_weight`` times that of left minus right.

    Seen from the side, left and right lie so near to each other that the plain error hardly falls
    when a network learns which is which: it learns both in the middle. What it should find is
    the same; only telling the sides apart is worth more.
    """

    def __init__(self, side_weight: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.side_weight = side_weight

    def forward(
        self,
        output: torch.Tensor,
        target: torch.Tensor,
        target_weights: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Maps (n, 16, height, width), weights (n, 16); a scalar."""
        other = list(FLIP)
        both = None if target_weights is None else target_weights * target_weights[:, other]
        sides = super().forward(output - output[:, other], target - target[:, other], both, mask)
        return super().forward(output, target, target_weights, mask) + self.side_weight * sides

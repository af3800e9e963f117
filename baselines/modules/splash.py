"""What a splash costs: from how much of it there is, frame by frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SplashJudge(nn.Module):
    """Splash of a clip (N, T) and the diver's scale (N,) to what it says of the dive: (N, 3).

    Splash is in squares of the picture's height, 0 before the last stage; scale is the length of the trunk as a share
    of the picture's height, NaN where it is not known. The three: points of the dive for one whose poses are compared
    as well, points where nothing else is, and the size of the splash as a fault, in points. Nothing before training.
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.along = nn.Sequential(
            nn.Conv1d(3, width, 5, padding=2), nn.ReLU(), nn.Conv1d(width, width, 5, padding=2), nn.ReLU()
        )
        self.head = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, 3))
        for parameter in self.head[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, splash: Tensor, scale: Tensor) -> Tensor:
        known = scale.isfinite()
        relative = torch.where(known, 4 / scale.nan_to_num(1.0).square(), 0.0)[:, None] * splash
        flag = known.to(splash.dtype)[:, None].expand_as(splash)
        x = self.along(torch.stack((torch.log1p(4096 * splash), torch.log1p(relative), flag), dim=1))
        return self.head(torch.cat((x.amax(2), x.mean(2)), dim=1))

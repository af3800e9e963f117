"""Finds the splash in pictures: a small fully convolutional network that sees what moved.

Ours; no published model of this field has it. It learns from synthetic dives alone (:mod:`baselines.prior.splash`),
whose generator knows every pixel of foam.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NEIGHBOUR = 2
"""Sampled frames before and after the one that is looked at that it is compared with."""

AT_ONCE = 32
"""Pictures whose maps stay in a processor's cache: five times as fast as all at once, colours last."""


class SplashFinder(nn.Module):
    """Pictures of a clip to how much splash there is in every frame: (B, 3, T, H, W) -> (B, T).

    Splash is in squares of the picture's height: the sum over the pixels of the probability that it is foam, / H².
    Pictures are RGB, normalised; it learned from pictures 64 high. The neighbour of the first and last frames is
    the end of the clip.
    """

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.fine = _layer(9, width)
        self.coarse = nn.Sequential(
            nn.MaxPool2d(2), _layer(width, 2 * width), _layer(2 * width, 2 * width, 2), _layer(2 * width, 2 * width, 4)
        )
        self.both = _layer(3 * width, width)
        self.out = nn.Conv2d(width, 1, 1)
        nn.init.constant_(self.out.bias, -4.0)  # type: ignore[arg-type]  # nearly everything is no splash

    def forward(self, video: Tensor) -> Tensor:
        frames = torch.arange(video.shape[2], device=video.device)
        near = [video[:, :, (frames + k).clamp(0, len(frames) - 1)] for k in (-NEIGHBOUR, 0, NEIGHBOUR)]
        triples = torch.cat(near, dim=1).transpose(1, 2).flatten(0, 1)  # (B*T, 9, H, W)
        few = triples.contiguous(memory_format=torch.channels_last).split(AT_ONCE)
        return torch.cat([area(self.logits(part)) for part in few]).unflatten(0, (len(video), -1))

    def logits(self, triples: Tensor) -> Tensor:
        """Of foam in every pixel of the middle ones of three frames: (N, 9, H, W) -> (N, H, W)."""
        fine = self.fine(triples)
        coarse = F.interpolate(self.coarse(fine), size=fine.shape[-2:], mode="nearest")
        return self.out(self.both(torch.cat((fine, coarse), dim=1)))[:, 0]


def area(logits: Tensor) -> Tensor:
    """Squares of the picture's height, of logits (N, H, W): (N,)."""
    return logits.sigmoid().sum((1, 2)) / logits.shape[1] ** 2


def _layer(channels: int, out: int, dilation: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(channels, out, 3, padding=dilation, dilation=dilation, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out), nn.ReLU())

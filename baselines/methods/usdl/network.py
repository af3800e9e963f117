"""The network of USDL.

Source: Tang et al., CVPR 2020; its public code for MTL-AQA (nzl-thu/MUSDL, 205868a). What is done otherwise, and why:
``docs/peers.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from baselines.backbones.i3d import I3D
from baselines.data.batch import Batch, given
from baselines.modules.distribution import Decode, bin_classifier, check_distribution, decoded, divergence, soft_targets

BINS = 101
TOPS = {"score": 104.5, "score_over_difficulty": 30.0}
"""Highest value of the bins by ``data.target``: the highest score of MTL-AQA, as published; three awards of 10."""


class USDL(nn.Module):
    """A clip's score as a distribution over :data:`BINS` bins from 0 to ``top``.

    Parameters
    ----------
    i3d : arguments of :class:`~baselines.backbones.i3d.I3D`
    hidden : widths of the classifier's hidden layers
    top : the last bin, in units of the target
    sigma : width of the target's Gaussian, bins
    decode : see :data:`~baselines.modules.distribution.Decode`
    """

    def __init__(
        self,
        i3d: Mapping[str, Any] | None = None,
        hidden: Sequence[int] = (256, 128),
        top: float = TOPS["score"],
        sigma: float = 5.0,
        decode: Decode = "argmax",
    ) -> None:
        super().__init__()
        check_distribution(sigma, decode)
        if not top > 0:
            raise ValueError(f"top={top}; it is above 0")
        self.step, self.sigma = top / (BINS - 1), sigma
        self.decode: Decode = decode
        self.i3d = I3D(**i3d or {})
        self.classifier = bin_classifier(self.i3d.out_channels, hidden, BINS)

    def logits(self, batch: Batch) -> Tensor:
        """(N, BINS)."""
        return self.classifier(self.i3d.features(batch).mean(1))

    def score(self, batch: Batch) -> Tensor:
        """Scores (N,) in units of the target."""
        return decoded(self.logits(batch), self.decode) * self.step

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Divergence from a Gaussian around the true score."""
        targets = soft_targets(given(batch.score) / self.step, BINS, self.sigma)
        return {"distribution_loss": divergence(self.logits(batch), targets)}

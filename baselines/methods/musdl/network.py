"""The network of MUSDL.

Source: Tang et al., CVPR 2020; its public code for MTL-AQA (nzl-thu/MUSDL, 205868a). What is done otherwise, and why:
``docs/peers.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from baselines.backbones.i3d import I3D
from baselines.data.batch import Batch, given
from baselines.modules.distribution import (
    Decode,
    bin_classifier,
    check_distribution,
    decoded,
    divergence,
    soft_targets,
)
from finediving_pose.lexicon import seven_awards

JUDGES = 7
COUNTING = slice(2, 5)
"""Of seven awards in rising order: the two highest and the two lowest are struck."""
HIGHEST = 10.0
BINS_A_POINT = 2
BINS = int(HIGHEST * BINS_A_POINT) + 1


class MUSDL(nn.Module):
    """The awards of seven judges, each a distribution over the 21 awards from 0 to 10.

    The score over difficulty is the sum of the awards that count. Classifier k learns the award in place k.

    Parameters
    ----------
    i3d : arguments of :class:`~baselines.backbones.i3d.I3D`
    hidden : widths of the hidden layers of each classifier
    sigma : width of the target's Gaussian, bins of half a point
    decode : see :data:`~baselines.modules.distribution.Decode`
    award_order : ``sorted``, in rising order; ``listed``, as the labels have them, where they have seven, as in the
        public code: lists are sorted or not, and judge k is another person in every competition
    """

    def __init__(
        self,
        i3d: Mapping[str, Any] | None = None,
        hidden: Sequence[int] = (256, 128),
        sigma: float = 5.0,
        decode: Decode = "argmax",
        award_order: Literal["sorted", "listed"] = "sorted",
    ) -> None:
        super().__init__()
        check_distribution(sigma, decode)
        if award_order not in ("sorted", "listed"):
            raise ValueError(f"award_order={award_order!r}; it is sorted or listed")
        self.sigma, self.listed = sigma, award_order == "listed"
        self.decode: Decode = decode
        self.i3d = I3D(**i3d or {})
        self.classifiers = nn.ModuleList(bin_classifier(self.i3d.out_channels, hidden, BINS) for _ in range(JUDGES))

    def logits(self, batch: Batch) -> Tensor:
        """(N, JUDGES, BINS)."""
        features = self.i3d.features(batch).mean(1)
        return torch.stack([classifier(features) for classifier in self.classifiers], dim=1)

    def score(self, batch: Batch) -> Tensor:
        """Sums of the counting awards, (N,): scores over difficulty."""
        return counted(decoded(self.logits(batch), self.decode) / BINS_A_POINT)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Divergence from Gaussians around the true awards, the sum over the judges."""
        awards = panel_awards(given(batch.awards), given(batch.synchronised), self.listed)
        targets = soft_targets(awards * BINS_A_POINT, BINS, self.sigma)
        return {"distribution_loss": JUDGES * divergence(self.logits(batch), targets)}


def counted(awards: Tensor) -> Tensor:
    """Sum of the awards that count of seven: (N, 7) -> (N,)."""
    return awards.sort(-1).values[:, COUNTING].sum(-1)


def panel_awards(awards: Tensor, synchronised: Tensor, listed: bool = False) -> Tensor:
    """Seven awards between 0 and 10 for every dive, whatever panel judged it: (N, 7) with NaN -> (N, 7).

    Panels of three and five become the seven that count the same (:func:`finediving_pose.lexicon.seven_awards`).
    Awards that no judge can give, such as the 45 and 55.5 of the released labels, are pulled into the range.

    Parameters
    ----------
    awards : as listed, NaN beyond their number
    synchronised : bool (N,)
    listed : keep the order of lists of seven
    """
    panels = []
    for row, pair in zip(awards.tolist(), synchronised.tolist(), strict=True):
        found = [min(max(award, 0.0), HIGHEST) for award in row if award == award]
        panels.append(found if listed and len(found) == JUDGES else seven_awards(found, pair))
    return torch.tensor(panels, dtype=torch.float32, device=awards.device)

"""Groups of score differences: a difference as one of some intervals, and a place in it.

Source: Yu et al., "Group-aware contrastive regression for action quality assessment", ICCV 2021, and the public code,
github.com/yuxumin/CoRe, commit f7881a9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.data.batch import Batch, given
from baselines.data.settings import Target
from finediving_pose.errors import FdposeError

OutOfRange = Literal["nearest", "released"]
"""What a difference beyond the range is taught as: the outermost interval of its sign, at its outer end; or, as the
public code does, the most negative interval, whatever the sign, and no place."""

Decoding = Literal["likeliest", "expectation"]
"""How a difference is read off: the place in the likeliest interval, as published; or the mean of the places in all
intervals, weighted by their probabilities, which is steadier where training dives are few."""

SCORE_RANGES = {"score": 110.0, "score_over_difficulty": 30.0}
"""By the target: no two scores are further apart."""


def with_score_range(model: Mapping[str, Any], target: Target) -> dict[str, Any]:
    """Settings of a network of such groups, with the target's range where they have none or None."""
    given_range = model.get("score_range")
    return {**model, "score_range": SCORE_RANGES[target] if given_range is None else given_range}


class ScoreGroups(nn.Module):
    """``count`` intervals of differences in rising order, half of them below zero, which the other half mirrors.

    The half above zero holds as many differences of training dives in each. An interval [l, u) above zero has its
    mirror image (-u, -l]; zero belongs to the first one above it. Where many differences are equal, intervals may have
    the width zero: they are never a target.

    Parameters
    ----------
    count : of the intervals, even
    score_range : of scores, in units of the target; the outermost intervals end there
    out_of_range, decoding : see :data:`OutOfRange`, :data:`Decoding`

    Raises
    ------
    ValueError
        ``count`` is odd, ``score_range`` is not positive, or one of the others has no such value.
    """

    bounds: Tensor
    """float64 (count + 1,), from -score_range to score_range. float64, since differences lie on them."""

    def __init__(
        self,
        count: int,
        score_range: float,
        out_of_range: OutOfRange = "nearest",
        decoding: Decoding = "likeliest",
    ) -> None:
        super().__init__()
        if count < 2 or count % 2 or not score_range > 0:
            raise ValueError(f"{count} groups of differences up to {score_range}; it takes an even number, and a range")
        if out_of_range not in ("nearest", "released"):
            raise ValueError(f"out_of_range={out_of_range!r}; it is nearest or released")
        if decoding not in ("likeliest", "expectation"):
            raise ValueError(f"decoding={decoding!r}; it is likeliest or expectation")
        self.count, self.score_range = count, float(score_range)
        self.out_of_range, self.decoding = out_of_range, decoding
        self.register_buffer("bounds", torch.linspace(-score_range, score_range, count + 1, dtype=torch.float64))

    def fit(self, labels: Batch) -> None:
        """Bounds from the pairs of training dives. Raises FdposeError where there are none."""
        score = given(labels.score)
        differences = (score[given(labels.query)] - score[given(labels.exemplar)]).abs()
        if not len(differences):
            raise FdposeError(
                f"no two of the {len(score)} training dives may be compared, so that there are no differences of scores"
                " to make groups of; compare any dives with: --pairing random"
            )
        self.set_differences(differences)

    def set_differences(self, differences: Tensor) -> None:
        """Bounds from absolute differences (D,), at equal shares of them."""
        half = self.count // 2
        ordered = differences.double().sort().values.clamp(max=self.score_range)
        at = torch.tensor([int(i / half * (len(ordered) - 1)) for i in range(1, half)], dtype=torch.long)
        above = F.pad(F.pad(ordered[at], (1, 0)), (0, 1), value=self.score_range)
        self.bounds.copy_(torch.cat([-above.flip(0), above[1:]]))

    def target(self, difference: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Interval (B,) int64, place in it (B,), and whether there is a place (B,), of differences (B,).

        The place is 0 at the lower and 1 at the upper end.
        """
        above = self.bounds[self.count // 2 :]
        size = difference.double().abs()
        inside = size < self.score_range
        outermost = torch.searchsorted(above, self.bounds[-1:]) - 1  # the last one that is not of width zero
        step = torch.where(inside, torch.searchsorted(above, size, right=True) - 1, outermost)
        half = self.count // 2
        interval = torch.where(difference >= 0, half + step, half - 1 - step)
        low, high = self.bounds[interval], self.bounds[interval + 1]
        place = (difference.double().clamp(-self.score_range, self.score_range) - low) / (high - low)
        if self.out_of_range == "released":
            return interval.where(inside, 0), place.float(), inside
        return interval, place.float(), torch.ones_like(inside)

    def loss(self, log_probability: Tensor, place: Tensor, difference: Tensor) -> tuple[Tensor, Tensor]:
        """Losses of the interval and of the place, two scalars.

        The former is the negative log-likelihood, mean over the batch; the latter the squared error, averaged over the
        members of each interval, then summed over the intervals that have members.

        Parameters
        ----------
        log_probability, place : (B, count)
        difference : (B,), true
        """
        interval, true, known = self.target(difference)
        found = place.gather(1, interval[:, None])[:, 0]
        members = F.one_hot(interval, self.count)[known].sum(0)  # (count,)
        per_pair = (found - true).square() / members[interval].clamp(min=1)
        return F.nll_loss(log_probability, interval), (per_pair * known).sum()

    def decode(self, log_probability: Tensor, place: Tensor) -> Tensor:
        """Differences (B,) from log-probabilities and places of all intervals, (B, count) each."""
        bounds = self.bounds.to(place.dtype)
        values = bounds[:-1] + bounds.diff() * place  # (B, count)
        if self.decoding == "expectation":
            return (log_probability.exp() * values).sum(1)
        return values.gather(1, log_probability.argmax(1, keepdim=True))[:, 0]

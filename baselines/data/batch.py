"""What a network is given."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """N clips, and B pairs among them.

    A field that the method does not need (:class:`~baselines.method.Needs`) is None.

    Attributes
    ----------
    video : float32 (N, 3, T, H, W), normalised RGB
    features : float32 (N, ...), what a frozen encoder gives (:mod:`baselines.features`), in the place of ``video``
    pose : float32 (N, 2, T, 16, 1), x and y of the first diver's joints in MPII order, see ``data.pose_norm``
    scale : float32 (N,), length of the first diver's trunk as a share of the picture's height, NaN where unknown
    transitions : int64 (N, S - 1), true first frames of the stages after the first, among the T sampled frames; -1 for
        a stage that a dive does not have. None in testing
    score : float32 (N,), true scores in units of the target, see ``data.target``. None in testing
    difficulty : float32 (N,), degree of difficulty, NaN where unknown
    number : dive numbers of the N clips, empty text where unknown
    sub_actions : int64 (N, 5), ids of the sub-actions in their order, as labelled or else as the dive number implies;
        -1 beyond their number
    awards : float32 (N, 7), judges' awards as listed, NaN beyond their number. None in testing
    synchronised : bool (N,), two divers at once, False where unknown; only with awards, which count otherwise then
    splash : float32 (N,), size of the splash, negative where unknown; only with ``data.splash``
    query, exemplar : int64 (B,), indices among the N clips; only in the training of a comparative method
    """

    video: Tensor | None = None
    features: Tensor | None = None
    pose: Tensor | None = None
    scale: Tensor | None = None
    transitions: Tensor | None = None
    score: Tensor | None = None
    difficulty: Tensor | None = None
    number: tuple[str, ...] | None = None
    sub_actions: Tensor | None = None
    awards: Tensor | None = None
    synchronised: Tensor | None = None
    splash: Tensor | None = None
    query: Tensor | None = None
    exemplar: Tensor | None = None

    def to(self, device: torch.device | str) -> Batch:
        """The same on another device."""
        given = ((f.name, getattr(self, f.name)) for f in fields(self))
        return replace(self, **{name: value.to(device) for name, value in given if isinstance(value, Tensor)})


def given(field: Tensor | None) -> Tensor:
    """A field of the batch that the method needs."""
    assert field is not None
    return field

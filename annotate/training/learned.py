"""What a training came to, before its single look is taught."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotate.training.labelled_frames import LabelledFrame


@dataclass(frozen=True, slots=True)
class Learned:
    """A trained network, and what it learned from.

    Attributes
    ----------
    config : of the network, with the looks that are best (``all_round``, ``sizes``)
    weights : state dict
    frames : labelled frames that it was trained on, without synthetic ones that were made for it
    held : frames that were held out
    work : folder of the unfinished training
    before, after : figures on the held-out frames, of the start and of the network with all its looks; None without any
    """

    config: dict[str, Any]
    weights: Mapping[str, Any]
    frames: Sequence[LabelledFrame]
    held: Sequence[LabelledFrame]
    work: Path
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None

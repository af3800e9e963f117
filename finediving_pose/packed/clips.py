"""One clip of a packed file as an object: its labels, and its arrays when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.lexicon import SUB_ACTIONS
from finediving_pose.packed.arrays import PackedArrays, PackedPoses


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a clip: its sub-action, and its frames as positions in the clip, ``stop`` excluded."""

    sub_action: int
    name: str
    start: int
    stop: int


@dataclass(frozen=True)
class PackedClip:
    """One clip of a packed file: its labels, and its arrays when they are asked for.

    Attributes
    ----------
    packed : the arrays of its file
    row : the clip's place in it
    """

    packed: PackedArrays
    row: int

    @property
    def labels(self) -> Clip:
        """Everything that the clips table says."""
        return self.packed.clips[self.row]

    @property
    def key(self) -> ClipKey:
        return self.labels.key

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.frame_numbers)

    @cached_property
    def frame_numbers(self) -> NDArray[np.int32]:
        """Frame numbers in the source video, int32 (n,)."""
        return self.packed.frame_numbers(self.row)

    @property
    def frames(self) -> Frames:
        """The pictures, decoded when sliced: ``clip.frames[10:20]`` is uint8 (10, height, width, 3), RGB."""
        return Frames(self)

    @cached_property
    def poses(self) -> PackedPoses:
        """Poses of all frames, by frame and person."""
        return self.packed.poses(self.row)

    @cached_property
    def sub_actions(self) -> NDArray[np.int16]:
        """Sub-action of every frame, int16 (n,), -1 where unlabelled."""
        return self.packed.frame_labels(self.row)

    @property
    def stages(self) -> list[Stage]:
        """The labelled stages in order; none where the clip has no stage labels."""
        clip = self.labels
        bounds = [0, *clip.stage_starts, len(self)]
        return [
            Stage(s, SUB_ACTIONS.get(s, str(s)), a, b)
            for s, a, b in zip(clip.sub_actions, bounds, bounds[1:], strict=False)
        ]

    def __repr__(self) -> str:
        return f"PackedClip({str(self.key)!r}, {len(self)} frames)"


@dataclass(frozen=True, slots=True)
class Frames:
    """Pictures of a clip, by position: one number, a slice, or a sequence of numbers; at full size or a smaller one.

    ``clip.frames[0]`` is one picture, uint8 (height, width, 3) RGB; ``clip.frames[::4]`` and
    ``clip.frames[[3, 1, 2]]`` are several, (n, height, width, 3). ``clip.frames.at(112)`` is the same with
    pictures 112 high, which are decoded at a reduced size where the JPEG allows it.
    """

    clip: PackedClip
    height: int | None = None

    def at(self, height: int) -> Frames:
        """The same pictures at another height, the width in proportion."""
        return Frames(self.clip, height)

    def __len__(self) -> int:
        return len(self.clip)

    def __repr__(self) -> str:
        size = f", {self.height} high" if self.height else ""
        return f"Frames({str(self.clip.key)!r}, {len(self)} frames{size})"

    def __getitem__(self, which: int | slice | Sequence[int] | NDArray[np.integer]) -> NDArray[np.uint8]:
        n = len(self)
        if isinstance(which, (int, np.integer)):
            return self.clip.packed.frames(self.clip.row, [range(n)[int(which)]], self.height)[0]
        positions = range(n)[which] if isinstance(which, slice) else [range(n)[int(i)] for i in which]
        return self.clip.packed.frames(self.clip.row, np.asarray(positions, np.int64), self.height)

"""A packed file and the data directory around it: what the rules on the packed file look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PackedError
from finediving_pose.labels.table import read_clips
from finediving_pose.packed.layout import wrong_datasets
from finediving_pose.packed.reader import PackedFile
from finediving_pose.packed.verify import Verification, verify_packed
from finediving_pose.validate.rules import Finding
from finediving_pose.workspace import Workspace

PACK_AGAIN = "pack it again with: fdpose pack"


@dataclass
class PackedSubject:
    """A packed file and the data directory around it; everything is read when a rule first asks for it.

    Attributes
    ----------
    path : the file
    """

    path: Path

    @cached_property
    def opened(self) -> PackedFile | PackedError:
        """The file, or why it can't be opened."""
        try:
            packed = PackedFile(self.path)
            len(packed)
            return packed
        except PackedError as e:
            return e

    @cached_property
    def layout(self) -> dict[str, str]:
        """What is wrong with each dataset's type or shape; empty where all are as format 1 says."""
        return dict(wrong_datasets(self.opened)) if isinstance(self.opened, PackedFile) else {}

    @cached_property
    def bad_offsets(self) -> str:
        """Why the offsets can't be followed; empty where they can."""
        return _bad_offsets(self.opened) if isinstance(self.opened, PackedFile) and not self.layout else ""

    @cached_property
    def file(self) -> PackedFile | None:
        """The file where it can be read clip by clip; None where the first rules have found that it can't."""
        usable = isinstance(self.opened, PackedFile) and not self.layout and not self.bad_offsets
        return self.opened if usable and isinstance(self.opened, PackedFile) else None

    @cached_property
    def verified(self) -> Verification | PackedError | None:
        """What verifying finds, or why it can't be done; None where the file can't be read clip by clip."""
        try:
            return verify_packed(self.path) if self.file else None
        except PackedError as e:
            return e

    @property
    def verification(self) -> Verification | None:
        return self.verified if isinstance(self.verified, Verification) else None

    @cached_property
    def sound(self) -> PackedFile | None:
        """The file where every digest is right: what follows from damage is not said again."""
        return self.file if self.verification and not self.verification.damaged else None

    @cached_property
    def workspace(self) -> Workspace | None:
        """The data directory that the file lies in; None where it lies elsewhere."""
        workspace = Workspace(self.path.parent)
        return workspace if workspace.clips_table.is_file() else None

    @cached_property
    def table(self) -> dict[ClipKey, Clip]:
        """The clips table of the data directory."""
        return {c.key: c for c in read_clips(self.workspace)} if self.workspace else {}

    def finding(self, what: str, found: object = "", expected: object = "", key: ClipKey | None = None) -> Finding:
        return Finding(key, what, field="" if key else self.path.name, found=str(found), expected=str(expected))


def load_packed(path: Path) -> PackedSubject:
    """What the rules on a packed file look at. Nothing is read yet."""
    return PackedSubject(path)


def _bad_offsets(file: PackedFile) -> str:
    ends = {"clips/frame_offset": file.shape("frames/number")[0], "frames/jpeg_offset": file.shape("frames/jpeg")[0]}
    for name, end in ends.items():
        values = file.dataset(name)
        falls = np.flatnonzero(np.diff(values) < 0)
        if values[0] != 0:
            return f"{name} starts at {values[0]}, not at 0"
        if len(falls):
            return f"{name} falls from {values[falls[0]]} to {values[falls[0] + 1]} at {falls[0] + 1}"
        if values[-1] != end:
            return f"{name} ends at {values[-1]}, the data at {end}"
    return ""

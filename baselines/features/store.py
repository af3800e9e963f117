"""Kept features on disk: ``features/<encoder>-<digest>/`` beside the packed file.

``features.json`` says what they are of, ``encoder.pth`` holds the encoder that gave them, ``000000.npy``,
``000016.npy`` and so on hold the features of :data:`SHARD` clips each, float16 (clips, 2, ...): of the pictures cropped
in the centre, and of their mirror images. Each file is written whole or not at all, so that a computation that was
stopped goes on with the files that are missing. Files are mapped into memory, not read into it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from baselines.features.recipe import Recipe
from finediving_pose.checkpoints import read_checkpoint, write_checkpoint
from finediving_pose.documents import read_json
from finediving_pose.errors import CheckpointError, FdposeError, first_line
from finediving_pose.packed.reader import PackedFile
from finediving_pose.workspace import atomic_write

FORMAT = "fdpose features 1"
SHARD = 16
"""Clips of a file."""
VIEWS = 2
"""As stored, and mirrored."""
NOTE, ENCODER = "features.json", "encoder.pth"


class FeaturesError(FdposeError):
    """Kept features are damaged, or of another packed file or encoder."""


@dataclass(frozen=True, slots=True)
class Note:
    """What features are of.

    Attributes
    ----------
    packed : digest of the packed file
    clips : how many it has
    shape : of the features of one view of a clip
    recipe : what they were computed with
    """

    packed: str
    clips: int
    shape: tuple[int, ...]
    recipe: Recipe
    format: str = FORMAT

    def shard_shape(self, first: int) -> tuple[int, ...]:
        """Of the file whose first clip is ``first``."""
        return (min(SHARD, self.clips - first), VIEWS, *self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Features of all clips of a packed file."""

    shards: Sequence[NDArray[np.float16]]

    def of(self, clip: int, mirrored: bool = False) -> Tensor:
        """Features of a clip, or of its mirror image: float32 (...)."""
        place, row = divmod(clip, SHARD)
        return torch.from_numpy(self.shards[place][row, int(mirrored)].astype(np.float32))


def shard_file(folder: Path, first: int) -> Path:
    """The file of the clips from ``first`` on."""
    return folder / f"{first:06}.npy"


def missing_shards(folder: Path, clips: int) -> list[int]:
    """First clips of the files that are not there yet."""
    return [first for first in range(0, clips, SHARD) if not shard_file(folder, first).is_file()]


def read_note(folder: Path, packed: PackedFile, recipe: Recipe) -> Note | None:
    """What is said of the features in a folder; None where there are none yet.

    Raises
    ------
    FeaturesError
        They are of another packed file, of another encoder or other pictures, or not to be read.
    """
    if not (folder / NOTE).is_file():
        return None
    try:
        note = TypeAdapter(Note).validate_python(read_json(folder / NOTE, FeaturesError))
    except ValidationError as e:
        first = e.errors()[0]
        said = f"{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}"
        raise FeaturesError(f"{folder / NOTE}: no note of features ({said}); {_again(folder)}") from e
    if note.format != FORMAT:
        raise FeaturesError(f"{folder}: features of format {note.format[:40]!r}, expected {FORMAT!r}; {_again(folder)}")
    if (note.packed, note.clips) != (packed.digest, len(packed.clips)):
        raise FeaturesError(
            f"{folder}: features of another packed file (digest {note.packed[:12]}, {packed.path.name} now has"
            f" {packed.digest[:12]}); {_again(folder)}"
        )
    for name, value in asdict(recipe).items():
        if (found := getattr(note.recipe, name)) != value:
            raise FeaturesError(f"{folder}: features of another {name} ({found}, expected {value}); {_again(folder)}")
    return note


def write_note(folder: Path, note: Note) -> None:
    """Write what the features are of; last of what has to be there before the first features."""
    with atomic_write(folder / NOTE) as part:
        part.write_text(json.dumps(asdict(note), indent=2), encoding="utf-8")


def write_shard(folder: Path, first: int, values: NDArray[np.float16]) -> None:
    """Write the features of some clips."""
    with atomic_write(shard_file(folder, first)) as part, open(part, "wb") as file:
        np.save(file, values)


def open_features(folder: Path, note: Note) -> Features:
    """Map all features into memory. Raises FeaturesError where a file is damaged or cut short."""
    return Features([_mapped(folder, first, note) for first in range(0, note.clips, SHARD)])


def _mapped(folder: Path, first: int, note: Note) -> NDArray[np.float16]:
    path, wanted = shard_file(folder, first), note.shard_shape(first)
    try:
        values = np.lib.format.open_memmap(path, mode="r")
        if values.shape != wanted or values.dtype != np.float16:
            raise ValueError(f"{values.dtype} {values.shape}, expected float16 {wanted}")
    except (OSError, ValueError, EOFError) as e:
        raise FeaturesError(
            f"{path}: damaged or cut short ({first_line(e)}); remove it, and the next training computes it anew"
        ) from e
    return values


def write_encoder(folder: Path, state: dict[str, Tensor]) -> None:
    """Keep the encoder's weights beside its features."""
    write_checkpoint(folder / ENCODER, state)


def read_encoder(folder: Path) -> dict[str, Tensor]:
    """The weights of the encoder that gave the features. Raises FeaturesError where they are lost."""
    try:
        state: Any = read_checkpoint(folder / ENCODER)
    except CheckpointError as e:
        raise FeaturesError(f"{e}; {_again(folder)}") from e
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise FeaturesError(f"{folder / ENCODER}: holds no weights; {_again(folder)}")
    return state


def _again(folder: Path) -> str:
    return f"remove the folder {folder.name}, and the next training computes them anew"

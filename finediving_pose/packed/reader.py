"""Open a packed file, and take its clips as objects."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, overload

from finediving_pose.clip import ClipKey
from finediving_pose.errors import LabelError, PackedError
from finediving_pose.labels.table import to_pandas
from finediving_pose.packed.arrays import PackedArrays
from finediving_pose.packed.clips import PackedClip
from finediving_pose.packed.layout import wrong_datasets

if TYPE_CHECKING:
    from pandas import DataFrame


def open_packed(path: Path | str) -> PackedFile:
    """Open a packed file and check that it is one.

    Raises
    ------
    PackedError
        The file is missing, cut short, no packed file, of a newer format, or asks for more than its bytes explain.
    """
    packed = PackedFile(Path(path))
    for name, what in wrong_datasets(packed):
        raise PackedError(f"{path}: {name}: {what}; pack it again with: fdpose pack")
    len(packed)
    return packed


class PackedFile(PackedArrays):
    """A packed file, read-only: a sequence of clips, which are also found by their key.

    ``packed[0]``, ``packed[-1]`` and ``packed["video/0"]`` are one clip, ``packed[0:10]`` is a list of clips.
    """

    def __enter__(self) -> PackedFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"PackedFile({str(self.path)!r})"

    def index(self, key: ClipKey | str) -> int:
        """Row of a clip. Raises PackedError where the file has no such clip."""
        row = self._row(key)
        if row is None:
            raise PackedError(f"{self.path}: no clip {key} among its {len(self)}; list them with: fdpose info")
        return row

    def __contains__(self, key: object) -> bool:
        """Whether the file has a clip, by its key: a ``ClipKey`` or ``video/index``."""
        try:
            return isinstance(key, (ClipKey, str)) and self._row(key) is not None
        except LabelError:  # text that names no clip
            return False

    @overload
    def __getitem__(self, clip: int | ClipKey | str) -> PackedClip: ...
    @overload
    def __getitem__(self, clip: slice) -> list[PackedClip]: ...
    def __getitem__(self, clip: int | slice | ClipKey | str) -> PackedClip | list[PackedClip]:
        """One clip by its row or by ``video/index``, or the clips of a slice of rows.

        Raises PackedError for a key, IndexError for a row that the file does not have.
        """
        if isinstance(clip, slice):
            return [PackedClip(self, i) for i in range(len(self))[clip]]
        if isinstance(clip, (ClipKey, str)):
            return PackedClip(self, self.index(clip))
        return PackedClip(self, range(len(self))[clip])

    def __iter__(self) -> Iterator[PackedClip]:
        return (self[i] for i in range(len(self)))

    def to_pandas(self) -> DataFrame:
        """The clips table as a DataFrame, one row a clip: :func:`finediving_pose.labels.table.to_pandas`."""
        return to_pandas(self.clips)

    def _row(self, key: ClipKey | str) -> int | None:
        key = ClipKey.parse(key) if isinstance(key, str) else key
        return self._rows.get((key.video, key.index))

    @cached_property
    def _rows(self) -> dict[tuple[str, int], int]:
        return self.clips.rows()

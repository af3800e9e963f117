"""The labels of a packed file's clips, decoded when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from numpy.typing import NDArray

from finediving_pose.clip import Clip
from finediving_pose.errors import FdposeError, PackedError
from finediving_pose.packed import schema


class Clips(Sequence[Clip]):
    """Labels of the clips, row by row. A row is decoded on first use: opening a file of 30 000 clips decodes none."""

    def __init__(self, path: Path, columns: dict[str, NDArray[Any]]) -> None:
        self._path, self._columns = path, columns
        self._made: dict[int, Clip] = {}

    def __len__(self) -> int:
        return len(self._columns["index"])

    @overload
    def __getitem__(self, row: int) -> Clip: ...
    @overload
    def __getitem__(self, row: slice) -> list[Clip]: ...
    def __getitem__(self, row: int | slice) -> Clip | list[Clip]:
        if isinstance(row, slice):
            return [self[i] for i in range(*row.indices(len(self)))]
        row = range(len(self))[row]
        if row not in self._made:
            self._made[row] = self._decode(slice(row, row + 1))[0]
        return self._made[row]

    def __iter__(self) -> Iterator[Clip]:
        if len(self._made) < len(self):
            self._made = dict(enumerate(self._decode(slice(None))))
        return iter([self._made[i] for i in range(len(self))])

    def __repr__(self) -> str:
        return f"Clips({len(self)} clips of {str(self._path)!r})"

    def rows(self) -> dict[tuple[str, int], int]:
        """Row of every (video, index); made of the two columns alone."""
        videos = [v.decode(errors="replace") for v in self._columns["video"].tolist()]
        return {key: i for i, key in enumerate(zip(videos, self._columns["index"].tolist(), strict=True))}

    def _decode(self, part: slice) -> list[Clip]:
        try:
            return schema.decode_clips({name: values[part] for name, values in self._columns.items()})
        except (FdposeError, ValueError, TypeError, OverflowError) as e:
            raise PackedError(f"{self._path}: its clips table is damaged ({e}); run: fdpose verify {self._path}") from e

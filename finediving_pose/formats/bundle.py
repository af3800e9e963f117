"""The files of an export that comes as one file, as a folder, or as a zip of it."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO

from finediving_pose.droppings import is_dropping
from finediving_pose.errors import PoseError

MAX_BYTES = 512_000_000
"""Largest annotation file that is read, unpacked; 100,000 frames of two divers are 400 million bytes of XML."""

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)
"""What :mod:`zipfile` raises for damaged, encrypted and unknown archives."""


class Bundle:
    """Named files in a folder or in a zip; a file of another kind is a bundle of itself."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_zip = _begins(path, b"PK\x03\x04")

    def find(self, *patterns: str) -> list[str]:
        """Names of the files that match one of the patterns, sorted; in a zip they may lie deeper.

        Raises PoseError where the zip is damaged.
        """
        if self.path.is_dir():
            names = {p.relative_to(self.path).as_posix() for pattern in patterns for p in self.path.glob(pattern)}
        elif self.is_zip:
            deeper = [*patterns, *(f"*/{pattern}" for pattern in patterns)]
            names = {name for name in self._packed() if any(fnmatchcase(name, pattern) for pattern in deeper)}
        else:
            names = {self.path.name} if any(fnmatchcase(self.path.name, p.split("/")[-1]) for p in patterns) else set()
        return sorted(name for name in names if not any(map(is_dropping, name.split("/"))))

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open one of the files for reading, unpacked.

        Raises PoseError where it is damaged or has more than :data:`MAX_BYTES`.
        """
        where = self.where(name)
        try:
            if not self.is_zip:
                path = self.path / name if self.path.is_dir() else self.path
                _check_size(where, path.stat().st_size)
                with open(path, "rb") as file:
                    yield file
                return
            with zipfile.ZipFile(self.path) as archive:
                _check_size(where, archive.getinfo(name).file_size)  # zipfile unpacks no more than is declared
                with archive.open(name) as file:
                    yield file
        except _DAMAGED as e:
            raise PoseError(f"{where}: can't be read ({e}); export it again") from e

    def where(self, name: str) -> str:
        """The file's name for an error message."""
        return f"{self.path}: {name}" if self.is_zip else str(self.path / name if self.path.is_dir() else self.path)

    def _packed(self) -> list[str]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                return [info.filename for info in archive.infolist() if not info.is_dir()]
        except _DAMAGED as e:
            raise PoseError(f"{self.path}: not a whole zip file ({e}); export it again") from e


def _begins(path: Path, magic: bytes) -> bool:
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(len(magic)) == magic


def _check_size(where: str, size: int) -> None:
    if size > MAX_BYTES:
        raise PoseError(f"{where}: {size:,} bytes; an annotation file of more than {MAX_BYTES:,} isn't read; split it")

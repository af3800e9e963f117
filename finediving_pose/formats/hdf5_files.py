"""HDF5 files of other programs: opened only where all they declare is in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from finediving_pose.errors import PoseError, first_line

MOST_PACKED = 1100
"""Bytes that one byte of the file may stand for: deflate packs 1,032 into one at most."""


def check_hdf5(path: Path) -> None:
    """Raise PoseError for a file that points at other files, or declares more data than it can hold."""
    import h5py

    size = path.stat().st_size
    if not size:
        raise PoseError(f"{path}: an empty file; export it again")

    def check_link(name: str, link: Any) -> str | None:  # h5py stops at the first answer, and can't pass on errors
        elsewhere = isinstance(link, h5py.ExternalLink)
        return f"{name} points at another file ({link.filename}); export it without links" if elsewhere else None

    def check_data(name: str, item: Any) -> str | None:
        if not isinstance(item, h5py.Dataset):
            return None
        if item.external or item.is_virtual:
            return f"the data of {name} is in another file; export it into one"
        declared = (item.size or 0) * item.dtype.itemsize
        if declared > MOST_PACKED * size:
            return f"{name} declares {declared:,} bytes, more than a file of {size:,} can hold; export it again"
        return None

    try:
        with h5py.File(path, "r") as file:
            wrong = file.visititems_links(check_link) or file.visititems(check_data)
    except Exception as e:  # h5py raises KeyError, ValueError, TypeError and others for damaged files
        raise PoseError(f"{path}: not an HDF5 file ({first_line(e)}); export it again") from e
    if wrong:
        raise PoseError(f"{path}: {wrong}")


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Check the file; whatever a library raises on a damaged one becomes one line that names it."""
    check_hdf5(path)
    try:
        yield
    except PoseError:
        raise
    except Exception as e:
        raise PoseError(f"{path}: not a {kind} file with poses ({first_line(e)}); export it again") from e

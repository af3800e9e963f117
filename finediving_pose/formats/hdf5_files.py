"""HDF5 files of other programs: opened only where all they declare is in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from finediving_pose.errors import PoseError

MOST_PACKED = 1100
"""Bytes that one byte of the file may stand for: deflate packs 1,032 into one at most."""


def check_hdf5(path: Path) -> None:
    """Raise PoseError for a file that points at other files, or declares more data than it can hold."""
    import h5py

    most = MOST_PACKED * path.stat().st_size
    try:
        with h5py.File(path, "r") as file:

            def check_link(name: str, link: Any) -> None:
                if isinstance(link, h5py.ExternalLink):
                    raise PoseError(f"{path}: {name} points at another file ({link.filename}); export it without links")

            def check(name: str, item: Any) -> None:
                if not isinstance(item, h5py.Dataset):
                    return
                if item.external or item.is_virtual:
                    raise PoseError(f"{path}: the data of {name} is in another file; export it into one")
                if (size := item.size * item.dtype.itemsize if item.shape is not None else 0) > most:
                    raise PoseError(
                        f"{path}: {name} declares {size:,} bytes, more than a file of {path.stat().st_size:,} can hold;"
                        " export it again"
                    )

            file.visititems_links(check_link)
            file.visititems(check)
    except OSError as e:
        raise PoseError(f"{path}: not an HDF5 file ({str(e).splitlines()[0]}); export it again") from e


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Check the file; whatever a library raises on a damaged one becomes one line that names it."""
    check_hdf5(path)
    try:
        yield
    except PoseError:
        raise
    except Exception as e:
        said = (str(e).strip().splitlines() or [""])[0][:200]
        raise PoseError(f"{path}: not a {kind} file with poses ({type(e).__name__}: {said}); export it again") from e

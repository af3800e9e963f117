"""A folder written whole, then put in place of another at one stroke: whoever is killed or reads, finds one of the two.

A writer fills ``.<name>.*.part`` beside the folder (:func:`written_whole`), or makes it and calls :func:`put_in_place`.
What killed writers left there :func:`recover` clears.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from finediving_pose.workspace import fsync_directory

_HERE, _SWAP = -100, 2
"""AT_FDCWD and RENAME_EXCHANGE of renameat2(2); macOS's RENAME_SWAP of renamex_np(2) is 2 as well."""


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Give an empty folder beside ``target``; on a clean exit put it in place of ``target``.

    What was at ``target`` stays until then, and is put back where a killed run left it renamed. Raises OSError.
    """
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    recover(target)
    part = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part"))
    try:
        part.chmod(target.parent.stat().st_mode)
        yield part
        put_in_place(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def put_in_place(part: Path, target: Path) -> None:
    """Rename the folder ``part`` to ``target``; a folder that is there is removed.

    The two change places in one step where the system can do that. Where it can't, the old folder is renamed first, to
    ``.old``, and :func:`recover` puts it back if a kill comes between. Raises OSError.
    """
    old = part.with_suffix(".old")
    if not target.exists():
        part.rename(target)
    elif _swapped(part, target):
        old = part
    else:
        target.rename(old)
        part.rename(target)
    fsync_directory(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def recover(target: Path) -> None:
    """Clear what killed writers of this folder left beside it; an old folder caught between two renames goes back."""
    with suppress(OSError):
        for old in target.parent.glob(f".{target.name}.*.old"):
            if target.exists():
                shutil.rmtree(old, ignore_errors=True)
            else:
                old.rename(target)
        for part in target.parent.glob(f".{target.name}.*.part"):
            if part.is_dir():
                shutil.rmtree(part, ignore_errors=True)


def _swapped(first: Path, second: Path) -> bool:
    """Whether two folders have changed places; not where the system or the file system can't do it."""
    libc, names = ctypes.CDLL(None), (os.fsencode(first), os.fsencode(second))
    if hasattr(libc, "renameat2"):
        return libc.renameat2(_HERE, names[0], _HERE, names[1], _SWAP) == 0
    return hasattr(libc, "renamex_np") and libc.renamex_np(*names, _SWAP) == 0

"""Where everything lives in a data directory, and how a file gets there whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from finediving_pose.clip import ClipKey
from finediving_pose.droppings import entries
from finediving_pose.errors import FdposeError


@dataclass(frozen=True, slots=True)
class Workspace:
    """A data directory: clips table, frames, poses, reports, the packed file, runs.

    Paths only; nothing is created until something is written.
    """

    root: Path

    @property
    def clips_table(self) -> Path:
        return self.root / "clips.parquet"

    @property
    def labels_note(self) -> Path:
        """Says where the label files lie that the clips table was made of."""
        return self.root / "labels.json"

    @property
    def frames(self) -> Path:
        return self.root / "frames"

    @property
    def poses(self) -> Path:
        return self.root / "poses"

    @property
    def reviews(self) -> Path:
        """What people say of the poses: ``reviews/<annotator>/<video>/<index>.json``."""
        return self.root / "reviews"

    @property
    def journals(self) -> Path:
        """Everything that people did in ``fdpose review``, one file an annotator."""
        return self.root / "journals"

    @property
    def splashes(self) -> Path:
        """Splash masks, where somebody put the authors' there: ``splash/<video>/<index>.pkl``."""
        return self.root / "splash"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def packed(self) -> Path:
        return self.root / "finediving_pose.h5"

    @property
    def features(self) -> Path:
        """What frozen encoders give of the packed file's clips, kept for other trainings."""
        return self.root / "features"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def exports(self) -> Path:
        """Records of what was exported, by which an import knows what people changed since."""
        return self.root / "exports"

    def owner_of(self, path: Path) -> Path | None:
        """The file or folder of the data directory's own that ``path`` is or lies in; None where it is in none."""
        root, there = self.root.resolve(), path.resolve()
        if there == root or not there.is_relative_to(root):
            return None
        first = root / there.relative_to(root).parts[0]
        own = (self.clips_table, self.labels_note, self.frames, self.poses, self.packed, self.features, self.runs)
        names = {*(p.name for p in own), self.reviews.name, self.journals.name, "exports", "estimators", "splash"}
        return first if first.name in names else None

    def frame_folder(self, key: ClipKey) -> Path:
        """Folder of a clip's pictures: ``frames/<video>/<index>``."""
        return self.frames / key.video / str(key.index)

    def pose_file(self, layer: str, key: ClipKey) -> Path:
        """Part file of a clip's poses. ``layer`` is ``auto``, ``merged`` or ``manual/<annotator>``."""
        return self.poses / layer / key.video / f"{key.index}.parquet"

    def layers(self) -> list[str]:
        """Names of the pose layers that are there: ``auto``, ``manual/<annotator>`` by name, ``merged``."""
        names = ["auto", *self.manual_layers(), "merged"]
        return [name for name in names if (self.poses / name).is_dir()]

    def manual_layers(self) -> list[str]:
        """Those of :meth:`layers` that people made, by the annotator's name."""
        folder = self.poses / "manual"
        return [f"manual/{p.name}" for p in entries(folder) if p.is_dir()] if folder.is_dir() else []


def fsync_directory(folder: Path) -> None:
    """Make a rename inside ``folder`` durable (a no-op where directories can't be opened, as on Windows)."""
    with suppress(OSError):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


@contextmanager
def atomic_write(target: Path) -> Iterator[Path]:
    """Give a temporary path beside ``target``; on a clean exit fsync it and rename it over ``target``.

    The old file stays whole whatever happens inside; the temporary file is removed on any error.
    A kill -9 may leave ``.<name>.*.part`` behind, which :func:`remove_part_files` clears.

    Raises
    ------
    FdposeError
        The folder can't be written (read-only, full, no permission).
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fd, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        os.fchmod(fd, 0o666 & ~_umask())
        os.close(fd)
    except OSError as e:
        raise FdposeError(f"{target}: can't write here ({e.strerror}); free the space or write elsewhere") from e
    part = Path(name)
    try:
        yield part
        with open(part, "rb") as f:
            os.fsync(f.fileno())
        part.replace(target)
        fsync_directory(target.parent)
    except OSError as e:
        raise FdposeError(
            f"{target}: writing failed ({e.strerror or e}); what was there before is untouched; mend that and run the"
            " same command again"
        ) from e
    finally:
        part.unlink(missing_ok=True)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file's bytes; the copy shares the disk's blocks with it where the file system clones files.

    Raises OSError where the one can't be read or the other not written.
    """
    import fcntl

    with open(source, "rb") as read, open(target, "wb") as written:
        try:
            fcntl.ioctl(written, _FICLONE, read.fileno())
        except OSError:
            shutil.copyfileobj(read, written, 1 << 20)


_FICLONE = 0x40049409
"""Linux's request to clone a whole file (ioctl_ficlone(2))."""


def remove_part_files(target: Path) -> None:
    """Remove what a killed writer of ``target`` left beside it; for who holds the lock of ``target``."""
    for part in target.parent.glob(f".{target.name}.*.part"):
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

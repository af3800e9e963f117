"""A clip's frame folder, written whole or not at all.

The pictures go to a hidden folder beside the target, ``clip.json`` last, and
the folder is then put in place. A folder that is there already stays until then.
Every picture is on the disk before ``clip.json`` is, so that a power cut, too,
leaves a folder that is whole or none.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
from itertools import pairwise
from pathlib import Path

from finediving_pose.clip import ClipKey
from finediving_pose.display import Display
from finediving_pose.errors import FrameError
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, size_of_file, write_manifest
from finediving_pose.jpeg import decode_jpeg, jpeg_size, upright
from finediving_pose.replacing import put_in_place
from finediving_pose.workspace import Workspace, fsync_directory

_ROUNDING = 1e-6
"""Seconds that rounding may add to a difference of two times."""


class FrameWriter:
    """Collects a clip's pictures; :meth:`finish` puts the folder in place, :meth:`abandon` leaves no trace.

    Pictures may come in any order and from several threads. Their times are counted in
    steps of ``tick`` seconds.

    Raises
    ------
    FrameError
        The folder can't be written, a picture is damaged, or the pictures differ in size.
    """

    def __init__(
        self,
        workspace: Workspace,
        key: ClipKey,
        source: str,
        fps: float | None,
        tick: float = 0.0,
        display: Display | None = None,
    ) -> None:
        self.key, self.source, self.fps, self.display = key, source, fps, display
        self._tick = tick
        self.target = workspace.frame_folder(key)
        self._lock = threading.Lock()
        self._names: dict[int, str] = {}
        self._bytes: dict[int, int] = {}
        self._times: dict[int, int] = {}
        self._unsynced: list[Path] = []
        self._last = -1
        self._in_order = True
        self._size: tuple[int, int] | None = None
        self._digest = hashlib.sha256()
        try:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            part = tempfile.mkdtemp(dir=self.target.parent, prefix=f".{key.index}.", suffix=".part")
            self.folder = Path(part)
            self.folder.chmod(self.target.parent.stat().st_mode)
        except OSError as e:
            raise self._unwritable(e) from e

    def add(
        self, number: int, name: str, jpeg: bytes, size: tuple[int, int] | None = None, time: int | None = None
    ) -> None:
        """Write one picture, ``name`` being its name at the source, ``time`` when the video shows it (ticks)."""
        target = self.folder / frame_name(number)
        try:
            target.write_bytes(jpeg)
        except OSError as e:
            raise self._unwritable(e) from e
        self._unsynced.append(target)
        self._note(number, name, jpeg, size or jpeg_size(jpeg, name))
        if time is not None:
            self._times[number] = time

    def take(self, number: int, path: Path) -> bool:
        """Take in a picture file as it is: by hard link, or by copy where the file system refuses a link.

        Returns whether it was stored anew, because it asks to be turned when it is shown.
        """
        target = self.folder / frame_name(number)
        try:
            original = path.read_bytes()
            jpeg = upright(original, str(path))
            if jpeg is not original:
                self.add(number, path.name, jpeg)
                return True
            try:
                os.link(path.resolve(), target)
            except OSError:
                target.write_bytes(jpeg)
                self._unsynced.append(target)
        except OSError as e:
            raise FrameError(f"{path}: can't be taken into {self.target} ({e.strerror})") from e
        jpeg_size(jpeg, str(path))
        height, width = decode_jpeg(jpeg, str(path)).shape[:2]
        self._note(number, path.name, jpeg, (width, height))
        return False

    def finish(self) -> FrameFolder:
        """Write ``clip.json`` and put the folder in place."""
        width, height = self._size or (0, 0)
        frames = FrameFolder(
            key=self.key,
            folder=self.folder,
            numbers=tuple(sorted(self._names)),
            width=width,
            height=height,
            source=self.source,
            names=tuple(name for _, name in sorted(self._names.items())),
            fps=self.fps,
            digest=self._digest_in_order(),
            n_bytes=tuple(n for _, n in sorted(self._bytes.items())),
            seconds=self._uneven_times(),
            display=self.display,
            source_bytes=size_of_file(Path(self.source)),
        )
        self._sync()
        write_manifest(frames)
        try:
            put_in_place(self.folder, self.target)
        except OSError as e:
            raise self._unwritable(e) from e
        return frames

    def abandon(self) -> None:
        """Remove what was written; a folder that was there before is untouched."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _note(self, number: int, name: str, jpeg: bytes, size: tuple[int, int]) -> None:
        with self._lock:
            self._size = self._size or size
            if size != self._size:
                raise FrameError(
                    f"{self.key}: {name} is {size[0]} x {size[1]} pixels, the pictures before it"
                    f" {self._size[0]} x {self._size[1]}; all pictures of a clip have one size"
                )
            self._names[number] = name
            self._bytes[number] = len(jpeg)
            self._in_order = self._in_order and number > self._last
            if self._in_order:
                self._digest.update(jpeg)
                self._last = number

    def _uneven_times(self) -> tuple[float, ...]:
        """Seconds from the first frame on, where they are known and not those of a constant rate; else nothing."""
        numbers = sorted(self._names)
        if any(n not in self._times for n in numbers):
            return ()
        first = self._times[numbers[0]]
        times = [round((self._times[n] - first) * self._tick, 9) for n in numbers]
        steady = self.fps and all(
            abs(t - (n - numbers[0]) / self.fps) <= self._tick + _ROUNDING for n, t in zip(numbers, times, strict=True)
        )
        return () if steady or any(a >= b for a, b in pairwise(times)) else tuple(times)

    def _sync(self) -> None:
        """Wait until the pictures are on the disk, and their names in the folder."""
        try:
            for path in self._unsynced:
                with open(path, "rb") as file:
                    os.fsync(file.fileno())
        except OSError as e:
            raise self._unwritable(e) from e
        fsync_directory(self.folder)

    def _digest_in_order(self) -> str:
        """The digest kept while writing; where pictures came out of order, over the files just written."""
        if self._in_order:
            return self._digest.hexdigest()
        return digest_jpegs((self.folder / frame_name(n)).read_bytes() for n in sorted(self._names))

    def _unwritable(self, e: OSError) -> FrameError:
        return FrameError(f"{self.target}: can't write here ({e.strerror}); free the space or choose another --data")

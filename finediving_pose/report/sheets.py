"""Contact sheets of clips as PNG files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2

from finediving_pose.clip import Clip
from finediving_pose.errors import FdposeError, PoseError
from finediving_pose.frames import FrameFolder, open_frames
from finediving_pose.journals.catch_up import catch_up
from finediving_pose.poses import ClipPoses, best_layer, read_poses
from finediving_pose.progress import track
from finediving_pose.report.contact_sheet import contact_sheet, evenly_spaced
from finediving_pose.workspace import Workspace, atomic_write
from finediving_pose.writing import writing

FRAMES = 12


def write_sheets(
    workspace: Workspace, clips: Sequence[Clip], out: Path, *, layer: str | None = None, every: int | None = None
) -> tuple[list[Path], dict[Clip, FdposeError]]:
    """Write ``<video>_<index>.png`` for every clip; return the files, and why a clip has none.

    Parameters
    ----------
    workspace, clips : what to draw
    out : folder of the pictures
    layer : ``auto``, ``merged`` or ``manual/NAME``; the best there is where not given
    every : draw every so many frames; 12 evenly spaced ones where not given
    """

    def write(clip: Clip, target: Path) -> None:
        _write_sheet(workspace, clip, target, layer, every)

    return render_each(workspace, clips, out, layer, "drawing", ".png", write)


def render_each(
    workspace: Workspace,
    clips: Sequence[Clip],
    out: Path,
    layer: str | None,
    doing: str,
    suffix: str,
    write: Callable[[Clip, Path], None],
) -> tuple[list[Path], dict[Clip, FdposeError]]:
    """Have ``write`` make a file of every clip in the folder; the files, and why a clip has none."""
    written: list[Path] = []
    failed: dict[Clip, FdposeError] = {}
    with rendering(workspace, out, layer):
        for clip in track(clips, doing):
            target = picture_file(out, clip, suffix)
            try:
                write(clip, target)
                written.append(target)
            except FdposeError as e:
                failed[clip] = e
    return written, failed


@contextmanager
def rendering(workspace: Workspace, out: Path, layer: str | None) -> Iterator[None]:
    """Hold the lock of ``fdpose render`` on a folder of pictures, and on the frames and poses that it reads."""
    catch_up(workspace, "fdpose render")
    layers = [layer] if layer else ["auto", "merged"]
    with writing("fdpose render", [out / "sheets"], [workspace.frames, *(workspace.poses / name for name in layers)]):
        yield


def picture_file(out: Path, clip: Clip, suffix: str) -> Path:
    """``<video>_<index>`` with the suffix, in the folder."""
    return out / f"{clip.key.video}_{clip.key.index}{suffix}"


def open_posed(workspace: Workspace, clip: Clip, layer: str | None) -> tuple[FrameFolder, ClipPoses, str]:
    """A clip's frames, its poses of a layer, and the layer's name: the best there is where none is given.

    Raises
    ------
    FrameError, PoseError
        The clip has no frames, or no such poses.
    """
    chosen = layer or best_layer(workspace, clip.key)
    if chosen is None:
        raise PoseError(f"{clip.key}: no automatic or merged poses; make some with: fdpose annotate --auto")
    return open_frames(workspace, clip.key), read_poses(workspace.pose_file(chosen, clip.key)), chosen


def _write_sheet(workspace: Workspace, clip: Clip, target: Path, layer: str | None, every: int | None) -> None:
    frames, poses, chosen = open_posed(workspace, clip, layer)
    numbers = frames.numbers[::every] if every else evenly_spaced(frames.numbers, FRAMES)
    sheet = contact_sheet(frames, poses, numbers, clip, layer=chosen)
    ok, data = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    assert ok
    with atomic_write(target) as part:
        part.write_bytes(data.tobytes())

"""Dives as Rerun recordings (https://rerun.io): frames, joints and angles on a timeline, to look at and to zoom into.

Needs the Rerun SDK: ``pip install 'fdpose[rerun]'``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from finediving_pose.clip import Clip
from finediving_pose.errors import FdposeError, SetupError
from finediving_pose.frames import FrameFolder
from finediving_pose.poses import ClipPoses, Visibility
from finediving_pose.report.contact_sheet import stage_name
from finediving_pose.report.overlay import LEFT, MIDDLE, RIGHT
from finediving_pose.report.sheets import open_posed, render_each
from finediving_pose.skeleton import JOINTS, LIMBS
from finediving_pose.workspace import Workspace, atomic_write

if TYPE_CHECKING:
    from rerun import RecordingStream  # pyright: ignore[reportMissingImports]

ANGLES = ("trunk_deg", "hip_deg", "knee_deg", "elbow_deg", "shoulder_deg", "somersault_rate_deg_s")
"""Quantities of ``fdpose kinematics`` that are drawn as curves."""


def write_recordings(
    workspace: Workspace, clips: Sequence[Clip], out: Path, *, layer: str | None = None
) -> tuple[list[Path], dict[Clip, FdposeError]]:
    """Write ``<video>_<index>.rrd`` for every clip, each whole or not at all; the files, and why a clip has none.

    A recording holds, on the timelines ``frame`` (the frame number) and ``time`` (seconds from the clip's first frame,
    where they are known): the stored pictures under ``picture``, each diver's joints with confidence under
    ``picture/diver_0`` and ``picture/diver_1``, the stages under ``stage``, and the angles that were measured under
    ``diver_0/...``.

    Parameters
    ----------
    layer : ``auto``, ``merged`` or ``manual/NAME``; the best there is where not given

    Raises
    ------
    SetupError
        The Rerun SDK is not installed.
    """
    try:
        import rerun  # noqa: F401  # pyright: ignore[reportMissingImports]
    except ImportError as e:
        raise SetupError(f"the Rerun SDK is missing ({e}); install it with: pip install 'fdpose[rerun]'") from e

    def write(clip: Clip, target: Path) -> None:
        _write(workspace, clip, layer, target)

    return render_each(workspace, clips, out, layer, "recording", ".rrd", write)


def _write(workspace: Workspace, clip: Clip, wanted: str | None, target: Path) -> None:
    import rerun as rr  # pyright: ignore[reportMissingImports]

    frames, poses, layer = open_posed(workspace, clip, wanted)
    with atomic_write(target) as part:
        recording = rr.RecordingStream("fdpose", recording_id=f"{clip.key} {layer}")
        recording.save(part)
        _describe_skeleton(recording)
        times = frames.times
        for number, seconds in zip(frames.numbers, times.tolist(), strict=True):
            recording.set_time("frame", sequence=number)
            if np.isfinite(seconds):
                recording.set_time("time", duration=seconds)
            recording.log("picture", rr.EncodedImage(contents=frames.jpeg(number), media_type="image/jpeg"))
            for person in (0, 1):
                _log_joints(recording, poses, number, person)
            if stage := stage_name(frames, clip, number):
                recording.log("stage", rr.TextLog(stage))
        _log_angles(recording, workspace, clip, layer, frames)
        recording.flush()
        recording.disconnect()


def _describe_skeleton(recording: RecordingStream) -> None:
    import rerun as rr  # pyright: ignore[reportMissingImports]

    colours = {"right": RIGHT, "left": LEFT}
    joints = [
        rr.AnnotationInfo(id=i, label=name.replace("_", " "), color=colours.get(name.partition("_")[0], MIDDLE))
        for i, name in enumerate(JOINTS)
    ]
    diver = rr.ClassDescription(
        info=rr.AnnotationInfo(id=0, label="diver"), keypoint_annotations=joints, keypoint_connections=list(LIMBS)
    )
    recording.log("picture", rr.AnnotationContext(diver), static=True)


def _log_joints(recording: RecordingStream, poses: ClipPoses, number: int, person: int) -> None:
    """The joints that are there; nothing of the diver where none is."""
    import rerun as rr  # pyright: ignore[reportMissingImports]

    row = poses.row(number, person)
    place = f"picture/diver_{person}"
    there = np.flatnonzero(poses.visibility[row] != Visibility.ABSENT) if row is not None else np.array([], int)
    if row is None or not len(there):
        if (poses.person == person).any():
            recording.log(place, rr.Clear(recursive=False))
        return
    recording.log(
        place,
        rr.Points2D(poses.keypoints[row, there] + 0.5, class_ids=0, keypoint_ids=there),
        rr.AnyValues(confidence=poses.confidence[row, there], visibility=poses.visibility[row, there]),
    )


def _log_angles(recording: RecordingStream, workspace: Workspace, clip: Clip, layer: str, frames: FrameFolder) -> None:
    import rerun as rr  # pyright: ignore[reportMissingImports]

    from finediving_pose.kinematics.measure import measure_clip

    times = frames.times
    for diver, name, i, value in _measured(measure_clip(workspace, clip, layer)):
        recording.set_time("frame", sequence=frames.numbers[i])
        if np.isfinite(times[i]):
            recording.set_time("time", duration=times[i])
        recording.log(f"diver_{diver}/{name}", rr.Scalars(value))


def _measured(divers: Sequence) -> Iterator[tuple[int, str, int, float]]:
    """Diver, quantity, position of the frame and value, of everything that was measured."""
    for diver in divers:
        for name in ANGLES:
            series = diver.series[name]
            for i in np.flatnonzero(series.measured).tolist():
                yield diver.person, name, i, float(series.values[i])

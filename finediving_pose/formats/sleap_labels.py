"""What SLEAP and NWB files have in common: sleap-io's labels of clips, and joints by the names of nodes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finediving_pose.errors import PoseError, SetupError
from finediving_pose.formats.registry import PosedClip
from finediving_pose.poses import JointSource, Visibility
from finediving_pose.skeleton import INDEX, JOINTS, LIMBS, N_JOINTS

TRACKS = ("diver0", "diver1")


def labels_of(sio: Any, clips: Sequence[PosedClip]) -> Any:
    """``sleap_io.Labels``: a clip is one video made of its pictures; predicted instances have scores."""
    skeleton = sio.Skeleton(list(JOINTS), edges=[(JOINTS[a], JOINTS[b]) for a, b in LIMBS], name="diver")
    tracks = [sio.Track(name) for name in TRACKS]
    frames, videos = [], []
    for posed in clips:
        pictures = [str(posed.frames.path(n).resolve()) for n in posed.frames.numbers]
        video = sio.Video.from_filename(pictures)
        videos.append(video)
        position = {number: i for i, number in enumerate(posed.frames.numbers)}
        for number, rows in posed.posed_frames():
            people = [_instance(sio, posed, row, skeleton, tracks) for row in rows]
            frames.append(sio.LabeledFrame(video=video, frame_idx=position[number], instances=people))
    labels = sio.Labels(frames, videos=videos, skeletons=[skeleton], tracks=tracks)
    labels.provenance["creator"] = "fdpose"
    return labels


def _instance(sio: Any, posed: PosedClip, row: int, skeleton: Any, tracks: list[Any]) -> Any:
    poses = posed.poses
    points = poses.keypoints[row].astype(np.float64)
    track = tracks[poses.person[row]]
    if (poses.source[row] == JointSource.MANUAL).any():
        instance = sio.Instance.from_numpy(points, skeleton=skeleton, track=track)
    else:
        scores = np.nan_to_num(poses.confidence[row].astype(np.float64))
        instance = sio.PredictedInstance.from_numpy(
            points, skeleton=skeleton, track=track, point_scores=scores, score=float(scores.mean())
        )
    instance.points["visible"] = poses.visibility[row] == Visibility.VISIBLE
    return instance


def named_points(path: Path, entry: str, names: list[str], points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Points in our order, NaN for joints that the file's skeleton lacks."""
    unknown = next((n for n in names if n not in INDEX), None)
    if unknown:
        raise PoseError(f"{path}: {entry}: node {unknown!r} is none of the joints {', '.join(JOINTS)}; rename it")
    found = np.full((N_JOINTS, 2), np.nan, np.float32)
    found[[INDEX[n] for n in names]] = points
    return found


@contextmanager
def quiet_sleap() -> Iterator[Any]:
    """sleap-io, its warnings on missing metadata left out. Raises SetupError where it is not installed."""
    if find_spec("sleap_io") is None:
        raise SetupError("SLEAP and NWB files need sleap-io; install it with: pip install 'fdpose[formats]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sleap_io

        yield sleap_io


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Whatever a library raises on a damaged file becomes one line that names the file."""
    try:
        yield
    except (PoseError, SetupError):
        raise
    except Exception as e:
        said = (str(e).strip().splitlines() or [""])[0][:200]
        raise PoseError(f"{path}: not a {kind} file with poses ({type(e).__name__}: {said}); export it again") from e

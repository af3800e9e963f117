"""SLEAP's ``.slp`` and ``.pkg.slp``, through sleap-io.

Poses that a person touched are user instances, others predicted ones with scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.errors import PoseError
from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.hdf5_files import reading
from finediving_pose.formats.registry import Annotations, ImagePose, PosedClip, Probe, reads, writes
from finediving_pose.formats.sleap_labels import TRACKS, named_points, node_joints, quiet_sleap
from finediving_pose.poses import JointSource, Visibility
from finediving_pose.skeleton import JOINTS, LIMBS, N_JOINTS


@writes("slp", "SLEAP: one .slp file that points at the pictures", in_parts=True)
def write_slp(out: Path, clips: Sequence[PosedClip]) -> None:
    """Write the file; pictures are named by their absolute paths."""
    with quiet_sleap() as sio:
        sio.save_slp(_labels_of(sio, clips), str(out), verbose=False)


def _labels_of(sio: Any, clips: Sequence[PosedClip]) -> Any:
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


def _is_slp(probe: Probe) -> bool:
    return probe.is_hdf5(".slp")


@reads("slp", _is_slp)
def read_slp(path: Path, index: FrameIndex) -> Annotations:
    """Every instance; a user's takes the place of the prediction that it corrects.

    A package holds pictures and says where they came from. Where that is a competition's video, the joints are scaled
    from the video's size to that of the stored frames.
    """
    found = Annotations()
    with quiet_sleap() as sio, reading(path, "SLEAP"):
        labels = sio.load_slp(str(path), open_videos=False)
        for i, frame in enumerate(labels.labeled_frames):
            image, size, scale = _picture(path, f"labeled frame {i}", frame, index)
            instances = [(p, isinstance(p, sio.PredictedInstance)) for p in _instances(sio, frame)]
            predictions = sum(predicted for _, predicted in instances)
            if len(instances) > 2 >= len(instances) - predictions:
                found.left_out["predictions in frames with more than two instances"] += predictions
                instances = [(p, predicted) for p, predicted in instances if not predicted]
            for instance, predicted in instances:
                known = {"size": size, "listing": f"labeled frame {i}", "predicted": predicted}
                found.poses.append(_pose(path, f"labeled frame {i}, image {image}", image, instance, scale, known))
    return found


def _instances(sio: Any, frame: Any) -> Iterator[Any]:
    """The user's instances, then the predictions that no instance of a user corrects, as SLEAP shows them."""
    users = [p for p in frame.instances if not isinstance(p, sio.PredictedInstance)]
    yield from users
    users = [p for p in users if np.isfinite(p.points["xy"]).all(1).any()]
    corrected = {id(p.from_predicted) for p in users}
    tracks = {id(p.track) for p in users if p.track is not None}
    for instance in frame.instances:
        on_track = instance.track is not None and id(instance.track) in tracks
        if isinstance(instance, sio.PredictedInstance) and id(instance) not in corrected and not on_track:
            yield instance


def _picture(
    path: Path, entry: str, frame: Any, index: FrameIndex
) -> tuple[str, tuple[int, int] | None, tuple[float, float]]:
    """The picture's name, the size that joints are in once scaled, and the scale."""
    video, number = frame.video, int(frame.frame_idx)
    shape = _shape(video)
    while video.source_video is not None:  # of a package
        video = video.source_video
        shape = _shape(video) or shape
    names = video.filename
    if isinstance(names, list):
        if not 0 <= number < len(names):
            raise PoseError(f"{path}: {entry}: picture {number} of {len(names)}; export it again")
        return str(names[number]), shape, (1.0, 1.0)
    if str(names) in (".", str(path)):
        raise PoseError(
            f"{path}: {entry}: the package does not say where its pictures came from; save the project as .slp, or"
            " export the package with a newer SLEAP"
        )
    key, number = index.find_in_video(str(names), number, f"{path}: {entry}")
    if shape is None:
        raise PoseError(
            f"{path}: {entry}: the size of the video {names} is not in the file; save it where the video can be opened"
        )
    frames = index.folders[key]
    size = frames.width, frames.height
    return f"{key}/{frames.path(number).name}", size, (size[0] / shape[0], size[1] / shape[1])


def _shape(video: Any) -> tuple[int, int] | None:
    """Width and height of a video's pictures where the file says it."""
    known = video.backend_metadata or {}
    shape = known.get("shape")
    if shape is None or len(shape) != 4 or not all(isinstance(n, int) and n > 0 for n in shape[1:3]):
        return None
    return shape[2], shape[1]


def _pose(
    path: Path, entry: str, image: str, instance: Any, scale: tuple[float, float], known: dict[str, Any]
) -> ImagePose:
    points = instance.points
    names = [str(name) for name in points["name"]]
    keypoints = named_points(path, entry, names, np.asarray(points["xy"], np.float32))
    if scale != (1.0, 1.0):  # pixel centres lie at whole numbers
        keypoints = ((keypoints + 0.5) * np.array(scale) - 0.5).astype(np.float32)
    order = node_joints(path, entry, names)
    visibility = np.zeros(N_JOINTS, np.uint8)
    visibility[order] = np.where(points["visible"], Visibility.VISIBLE, Visibility.OCCLUDED)
    visibility[~np.isfinite(keypoints).all(1)] = Visibility.ABSENT
    keypoints[visibility == Visibility.ABSENT] = np.nan
    confidence = None
    if "score" in (points.dtype.names or ()):
        confidence = np.zeros(N_JOINTS, np.float32)
        confidence[order] = np.nan_to_num(points["score"])
    track = instance.track.name if instance.track is not None else ""
    person = TRACKS.index(track) if track in TRACKS else None
    return ImagePose(image, entry, keypoints, visibility, confidence, person=person, **known)

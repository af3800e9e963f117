"""NWB with ndx-pose: a clip's pictures are a source video, its poses are training annotations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from finediving_pose.errors import PoseError
from finediving_pose.formats.frame_index import FrameIndex, flat_clip
from finediving_pose.formats.hdf5_files import reading
from finediving_pose.formats.registry import Annotations, ImagePose, PosedClip, Probe, reads, writes
from finediving_pose.formats.sleap_labels import TRACKS, named_points, node_joints, quiet_sleap
from finediving_pose.poses import Visibility
from finediving_pose.skeleton import JOINTS, LIMBS, N_JOINTS

MOST = 20_000
"""Poses: pynwb keeps 0.1 MB of each and takes 15 ms, on one core."""


@writes("nwb", "NWB with ndx-pose: one .nwb file that points at the pictures", most=MOST)
def write_nwb(out: Path, clips: Sequence[PosedClip]) -> None:
    """Write training annotations (PoseTraining); pictures are named by their absolute paths.

    A joint that is occluded has a place and is not visible. Time is that of the source video.
    """
    with quiet_sleap():
        import ndx_pose
        import pynwb

        pose, nwb = _untyped(ndx_pose), _untyped(pynwb)
        skeleton = pose.Skeleton(name="diver", nodes=list(JOINTS), edges=np.array(LIMBS, np.uint8))
        videos, frames = [], []
        for posed in clips:
            videos.append(_source_video(nwb, posed))
            position = {number: i for i, number in enumerate(posed.frames.numbers)}
            for number, rows in posed.posed_frames():
                people = [_instance(pose, posed, row, skeleton) for row in rows]
                frames.append(
                    pose.TrainingFrame(
                        name=f"{videos[-1].name}__{number:05d}",
                        skeleton_instances=pose.SkeletonInstances(skeleton_instances=people),
                        source_video=videos[-1],
                        source_video_frame_index=np.uint32(position[number]),
                    )
                )
        file = nwb.NWBFile(
            session_description="Diving poses, 16 joints in MPII order",
            identifier=str(uuid4()),
            session_start_time=datetime.now(UTC),
        )
        behaviour = file.create_processing_module(name="behavior", description="poses of divers")
        behaviour.add(pose.Skeletons(skeletons=[skeleton]))
        behaviour.add(
            pose.PoseTraining(
                training_frames=pose.TrainingFrames(training_frames=frames),
                source_videos=pose.SourceVideos(image_series=videos),
            )
        )
        with nwb.NWBHDF5IO(str(out), "w") as io:
            io.write(file)


def _untyped(module: Any) -> Any:
    """The module without types: pynwb makes its classes when it is imported."""
    return module


def _source_video(nwb: Any, posed: PosedClip) -> Any:
    """The clip's pictures: at its frame rate, or at their times where frames are missing or there is no rate."""
    frames = posed.frames
    consecutive = all(b == a + 1 for a, b in pairwise(frames.numbers))
    if frames.fps and consecutive:
        time = {"rate": float(frames.fps), "starting_time": frames.numbers[0] / frames.fps}
        time["num_samples"] = len(frames.numbers)
    else:
        time = {"timestamps": np.array(frames.numbers) / (frames.fps or 1)}
    return nwb.image.ImageSeries(
        name=flat_clip(posed.clip.key),
        description=f"frames of {posed.clip.key}",
        comments="" if frames.fps else "The frame rate is not known; timestamps are frame numbers.",
        unit="n.a.",
        format="external",
        external_file=[str(frames.path(n).resolve()) for n in frames.numbers],
        starting_frame=list(range(len(frames.numbers))),
        dimension=[frames.width, frames.height],
        **time,
    )


def _instance(pose: Any, posed: PosedClip, row: int, skeleton: Any) -> Any:
    person = int(posed.poses.person[row])
    return pose.SkeletonInstance(
        name=TRACKS[person],
        id=np.uint8(person),
        node_locations=posed.poses.keypoints[row].astype(np.float64),
        node_visibility=posed.poses.visibility[row] == Visibility.VISIBLE,
        skeleton=skeleton,
    )


def _is_nwb(probe: Probe) -> bool:
    return probe.is_hdf5(".nwb")


@reads("nwb", _is_nwb)
def read_nwb(path: Path, index: FrameIndex) -> Annotations:
    """Every skeleton instance of the file's PoseTraining."""
    poses = []
    with quiet_sleap(), reading(path, "NWB"):
        import pynwb

        with _untyped(pynwb).NWBHDF5IO(str(path), mode="r", load_namespaces=True) as io:
            file = io.read()
            table = getattr(file, "subjects_table", None)
            subjects = [str(s) for s in table["subject_id"][:]] if table is not None else []
            for name, frame in _training_frames(path, file).items():
                image = _image(path, name, frame, index)
                for label, instance in frame.skeleton_instances.skeleton_instances.items():
                    of_table = subjects[int(instance.id)] if instance.id is not None and subjects else label
                    person = TRACKS.index(of_table) if of_table in TRACKS else None
                    known = {"person": person, "annotator": frame.annotator or None, "listing": name}
                    poses.append(_pose(path, f"{name}, image {image}", image, instance, known))
    return Annotations(poses)


def _training_frames(path: Path, file: Any) -> dict[str, Any]:
    found = [i for m in file.processing.values() for i in m.data_interfaces.values() if hasattr(i, "training_frames")]
    if len(found) != 1:
        raise PoseError(
            f"{path}: {len(found)} PoseTraining in it, expected one; poses of ndx-pose's other kinds are not read"
        )
    return found[0].training_frames.training_frames if found[0].training_frames is not None else {}


def _image(path: Path, name: str, frame: Any, index: FrameIndex) -> str:
    if frame.source_video is None or frame.source_video_frame_index is None:
        raise PoseError(
            f"{path}: {name}: does not say which picture of which source video it is; add that and export again"
        )
    files, number = list(frame.source_video.external_file or []), int(frame.source_video_frame_index)
    if len(files) == 1 and Path(str(files[0])).suffix.lower() not in _PICTURES:
        key, number = index.find_in_video(str(files[0]), number, f"{path}: {name}")
        size = tuple(int(n) for n in frame.source_video.dimension or ())
        frames = index.folders[key]
        if size != (frames.width, frames.height):
            raise PoseError(
                f"{path}: {name}: annotated on a video of {' x '.join(map(str, size)) or 'unknown size'}, but the"
                f" stored frames have {frames.width} x {frames.height}; scale the joints, or extract at that size"
            )
        return f"{key}/{frames.path(number).name}"
    if number >= len(files):
        raise PoseError(f"{path}: {name}: picture {number} of {len(files)} of its source video; export it again")
    return str(files[number])


_PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")


def _pose(path: Path, entry: str, image: str, instance: Any, known: dict[str, Any]) -> ImagePose:
    nodes = [str(node) for node in instance.skeleton.nodes[:]]
    joints = named_points(path, entry, nodes, np.asarray(instance.node_locations[:], np.float32))
    pose = ImagePose.of_joints(image, entry, joints, **known)
    if instance.node_visibility is not None:
        seen = np.ones(N_JOINTS, bool)
        seen[node_joints(path, entry, nodes)] = np.asarray(instance.node_visibility[:], bool)
        pose.visibility[~seen & (pose.visibility > Visibility.ABSENT)] = Visibility.OCCLUDED
    return pose

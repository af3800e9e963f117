"""SLEAP's ``.slp``, through sleap-io.

Poses that a person touched are user instances, others predicted ones with scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.registry import Annotations, ImagePose, PosedClip, Probe, reads, writes
from finediving_pose.formats.sleap_labels import TRACKS, labels_of, named_points, quiet_sleap, reading
from finediving_pose.poses import Visibility
from finediving_pose.skeleton import INDEX, N_JOINTS


@writes("slp", "SLEAP: one .slp file that points at the pictures")
def write_slp(out: Path, clips: Sequence[PosedClip]) -> None:
    """Write the file; pictures are named by their absolute paths."""
    with quiet_sleap() as sio:
        sio.save_slp(labels_of(sio, clips), str(out), verbose=False)


def _is_slp(probe: Probe) -> bool:
    return probe.is_hdf5(".slp")


@reads("slp", "an HDF5 file that ends in .slp", _is_slp)
def read_slp(path: Path, index: FrameIndex) -> Annotations:
    """Every instance. A user instance that was made of a predicted one takes its place."""
    poses = []
    with quiet_sleap() as sio, reading(path, "SLEAP"):
        labels = sio.load_slp(str(path), open_videos=False)
        for i, frame in enumerate(labels.labeled_frames):
            names = frame.video.filename
            image = names[frame.frame_idx] if isinstance(names, list) else f"{names} frame {frame.frame_idx}"
            replaced = {id(getattr(p, "from_predicted", None)) for p in frame.instances}
            for instance in frame.instances:
                if id(instance) not in replaced:
                    poses.append(_pose(path, f"labeled frame {i}, image {image}", image, instance))
    return Annotations(poses)


def _pose(path: Path, entry: str, image: str, instance: Any) -> ImagePose:
    points = instance.points
    names = [str(name) for name in points["name"]]
    keypoints = named_points(path, entry, names, np.asarray(points["xy"], np.float32))
    order = [INDEX[name] for name in names]
    visibility = np.zeros(N_JOINTS, np.uint8)
    visibility[order] = np.where(points["visible"], Visibility.VISIBLE, Visibility.OCCLUDED)
    visibility[np.isnan(keypoints).any(1)] = Visibility.ABSENT
    confidence = None
    if "score" in (points.dtype.names or ()):
        confidence = np.zeros(N_JOINTS, np.float32)
        confidence[order] = points["score"]
    track = instance.track.name if instance.track is not None else ""
    person = TRACKS.index(track) if track in TRACKS else None
    return ImagePose(image, entry, keypoints, visibility, confidence, person=person)

"""NWB with ndx-pose: written by sleap-io, read with pynwb.

sleap-io 0.9.5 can't read back an NWB file whose video is a list of pictures, as every clip is here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.registry import Annotations, ImagePose, PosedClip, Probe, reads, writes
from finediving_pose.formats.sleap_labels import TRACKS, labels_of, named_points, quiet_sleap, reading


@writes("nwb", "NWB with ndx-pose: one .nwb file that points at the pictures")
def write_nwb(out: Path, clips: Sequence[PosedClip]) -> None:
    """Write training annotations (PoseTraining); pictures are named by their absolute paths.

    sleap-io leaves out the position of a joint that is not visible, so occluded joints are written as visible.
    """
    with quiet_sleap() as sio:
        from sleap_io.io.nwb_annotations import save_labels

        labels = labels_of(sio, clips)
        people = [instance for frame in labels.labeled_frames for instance in frame.instances]
        for instance in people:
            instance.points["visible"] = ~np.isnan(instance.points["xy"][:, 0])
        save_labels(labels, out, session_description="Diving poses, 16 joints in MPII order", use_multisubjects=True)


def _is_nwb(probe: Probe) -> bool:
    return probe.is_hdf5(".nwb")


@reads("nwb", "an HDF5 file that ends in .nwb", _is_nwb)
def read_nwb(path: Path, index: FrameIndex) -> Annotations:
    """Every skeleton instance of the file's PoseTraining."""
    poses = []
    with quiet_sleap(), reading(path, "NWB"):
        import pynwb

        open_nwb: Any = pynwb.NWBHDF5IO
        with open_nwb(str(path), mode="r", load_namespaces=True) as io:
            file = io.read()
            table = getattr(file, "subjects_table", None)
            subjects = [str(s) for s in table["subject_id"][:]] if table is not None else []
            frames = file.processing["behavior"]["PoseTraining"].training_frames.training_frames
            for name, frame in frames.items():
                image = str(frame.source_video.external_file[int(frame.source_video_frame_index)])
                for instance in frame.skeleton_instances.skeleton_instances.values():
                    poses.append(_pose(path, f"{name}, image {image}", image, instance, subjects))
    return Annotations(poses)


def _pose(path: Path, entry: str, image: str, instance: Any, subjects: list[str]) -> ImagePose:
    nodes = [str(node) for node in instance.skeleton.nodes[:]]
    joints = named_points(path, entry, nodes, np.asarray(instance.node_locations[:], np.float32))
    subject = subjects[int(instance.id)] if instance.id is not None and subjects else ""
    return ImagePose.of_joints(image, entry, joints, person=TRACKS.index(subject) if subject in TRACKS else None)

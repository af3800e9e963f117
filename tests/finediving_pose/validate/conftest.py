"""A frame folder and a packed file without fault, to be damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from finediving_pose.clip import Clip
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, write_manifest
from finediving_pose.packed.writer import write_packed
from finediving_pose.poses import write_poses
from finediving_pose.workspace import Workspace
from tests.finediving_pose.packed.made_up import add_clip
from tests.finediving_pose.validate.made_up_frames import CLIP, jpeg, picture
from tests.finediving_pose.validate.made_up_packed import KEYS, poses


@pytest.fixture
def folder(workspace: Workspace) -> Path:
    """Fifteen whole pictures of one clip, as extraction leaves them."""
    folder, numbers = workspace.frame_folder(CLIP.key), tuple(range(10, 25))
    folder.mkdir(parents=True)
    jpegs = [jpeg(picture(n)) for n in numbers]
    for number, data in zip(numbers, jpegs, strict=True):
        (folder / frame_name(number)).write_bytes(data)
    names = tuple(map(frame_name, numbers))
    write_manifest(FrameFolder(CLIP.key, folder, numbers, 96, 54, "v.mp4", names, 25.0, digest_jpegs(jpegs)))
    return folder


@pytest.fixture
def packed(workspace: Workspace) -> Workspace:
    """A data directory with three clips of eight frames, two with poses, and their packed file with a cache."""
    for i, key in enumerate(KEYS):
        clip = Clip(key, start_frame=20 * i, end_frame=20 * i + 7, stage_starts=(2, 5), sub_actions=(3, 24, 36))
        add_clip(workspace, clip, list(range(20 * i, 20 * i + 8)))
    for key in KEYS[:2]:
        write_poses(workspace.pose_file("auto", key), poses(KEYS.index(key)))
    write_packed(workspace, cache=True)
    return workspace

"""A small synthetic competition, extracted, with its true poses; made once for all tests of poses."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.extract import add_clips, extract_videos
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, write_manifest
from finediving_pose.labels.read import read_labels
from finediving_pose.labels.table import write_clips
from finediving_pose.synth.competition import make_competition
from finediving_pose.workspace import Workspace


@pytest.fixture(scope="session")
def competition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two synthetic dives of seed 0, on which no bundled estimator was trained."""
    folder = tmp_path_factory.mktemp("competition")
    make_competition(folder, dives=2, seed=0, jobs=1)
    return folder


@pytest.fixture(scope="session")
def extracted_once(competition: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("extracted") / "data"
    clips = read_labels(competition / "labels")
    add_clips(Workspace(root), clips)
    extract_videos(Workspace(root), competition / "videos", clips, 1, False)
    return root


@pytest.fixture
def dives(extracted_once: Path, tmp_path: Path) -> Workspace:
    """A data directory with the two dives' frames and no poses."""
    shutil.copytree(extracted_once, tmp_path / "data")
    return Workspace(tmp_path / "data")


@pytest.fixture
def grey(workspace: Workspace) -> Workspace:
    """A data directory with two clips of three grey frames each, under names that a user may have given them."""
    clips = []
    for index, names in enumerate((("a0.jpg", "a1.jpg", "same.jpg"), ("b0.jpg", "b1.jpg", "same.jpg"))):
        clips.append(Clip(ClipKey("meet", index), n_frames=3))
        _grey_frames(workspace, clips[-1].key, names)
    write_clips(workspace.clips_table, clips)
    return workspace


def _grey_frames(workspace: Workspace, key: ClipKey, names: tuple[str, ...]) -> None:
    folder = workspace.frame_folder(key)
    folder.mkdir(parents=True)
    jpeg = simplejpeg.encode_jpeg(np.full((64, 112, 3), 128, np.uint8), colorspace="RGB")
    for number in range(len(names)):
        (folder / frame_name(number)).write_bytes(jpeg)
    write_manifest(
        FrameFolder(
            key=key,
            folder=folder,
            numbers=tuple(range(len(names))),
            width=112,
            height=64,
            source="made up",
            names=names,
            fps=25.0,
            digest=digest_jpegs([jpeg] * len(names)),
        )
    )

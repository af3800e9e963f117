"""A small synthetic competition, extracted, with its true poses; made once for all tests of poses."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from annotate.merge import merge_clips
from finediving_pose.extraction.clips_table import add_clips
from finediving_pose.extraction.run import extract_videos
from finediving_pose.formats.intake import take_in
from finediving_pose.labels.read import read_labels
from finediving_pose.labels.table import read_clips
from finediving_pose.synth.competition import make_competition
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import grey_clips


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
def true_poses(dives: Workspace, competition: Path) -> Workspace:
    """The two dives with their true poses merged, as if a person had placed them."""
    clips = read_clips(dives)
    take_in(dives, clips, [competition / "truth" / "annotations.json"], "truth")
    merge_clips(dives, clips)
    return dives


@pytest.fixture
def grey(workspace: Workspace) -> Workspace:
    """A data directory with two clips of three grey frames each, under names that a user may have given them."""
    grey_clips(workspace)
    return workspace

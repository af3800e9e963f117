"""What can be wrong when poses are estimated: one line that says what, where and what to do; nothing is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
import torch
from click.testing import CliRunner

from annotate.estimators.config import read_config
from annotate.estimators.mmpose import build_model
from finediving_pose.cli import main
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.extraction.clips_table import add_clips
from finediving_pose.frames import open_frames, write_manifest
from finediving_pose.poses import JointSource, read_poses, write_poses
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import KEY, TINY, table

pytestmark = pytest.mark.slow

REGRESSION = """
model = dict(
    type="TopdownPoseEstimator",
    backbone=dict(type="ResNet", depth=18, stem_channels=8, base_channels=8),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(type="RegressionHead", in_channels=64, num_joints=16, loss=dict(type="SmoothL1Loss"),
        decoder=dict(type="RegressionLabel", input_size=(64, 96))),
)
"""
OTHER = ClipKey("meet", 1)


def auto(workspace: Workspace, *args: object) -> Any:
    return CliRunner().invoke(main, ["annotate", "--auto", "--data", str(workspace.root), "--json", *map(str, args)])


@dataclass(frozen=True)
class Files:
    """A config of one's own, ``config.py``, with random weights, ``weights.pth``, and room for others."""

    folder: Path

    @property
    def own(self) -> tuple[object, ...]:
        return "--config", self.folder / "config.py", "--checkpoint", self.folder / "weights.pth", "--trust-config"

    def write(self, name: str, text: str) -> Path:
        (self.folder / name).write_text(text)
        return self.folder / name


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(tmp_path)
    config = made.write("config.py", TINY.replace("{joints}", "16"))
    torch.save({"state_dict": build_model(read_config(config)["model"]).state_dict()}, tmp_path / "weights.pth")
    return made


def without_weights(f: Files) -> tuple[object, ...]:
    (f.folder / "weights.pth").unlink()
    return f.own


def weights_of_another(f: Files) -> tuple[object, ...]:
    torch.save({"state_dict": {"backbone.other": torch.zeros(3)}}, f.folder / "weights.pth")
    return f.own


def weights_with_code(f: Files) -> tuple[object, ...]:
    torch.save({"state_dict": {"a": Trap(f.folder / "ran")}}, f.folder / "weights.pth")
    return f.own


def config_untrusted(f: Files) -> tuple[object, ...]:
    f.write("config.py", f"open({str(f.folder / 'ran')!r}, 'w')")
    return f.own[:-1]


def config_of(text: str) -> Callable[[Files], tuple[object, ...]]:
    def write(f: Files) -> tuple[object, ...]:
        f.write("config.py", text)
        return f.own

    return write


class Trap:
    """Unpickling it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (without_weights, 1, "weights.pth: no such checkpoint; train one with: fdpose finetune"),
        (weights_of_another, 1, "weights: these weights are of another model than the config says"),
        (weights_with_code, 1, "weights.pth: not a checkpoint of tensors and plain values"),
        (config_untrusted, 2, "config.py is Python code and reading it runs it; if you trust it, add --trust-config"),
        (config_of("model = ("), 1, "config.py: not an mmengine config"),
        (config_of("raise OSError('no')"), 1, "config.py: not an mmengine config"),
        (config_of("lr = 1"), 1, "config.py: names no model; give a top-down config of mmpose"),
        (config_of(TINY.replace("{joints}", "17")), 1, "17 outputs; a top-down model of the 16 MPII joints is needed"),
        (config_of("model = dict(type='Nonsense')"), 1, "mmpose can't build this model"),
        (config_of(REGRESSION), 1, "a RegressionHead; a top-down model with heatmaps or SimCC of the 16 MPII joints"),
        (lambda f: f.own[:2], 2, "--config and --checkpoint go together"),
        (lambda f: (*f.own, "--estimator", "diver-r18"), 2, "not both"),
        (lambda f: ("--estimator", "nobody"), 2, "--estimator nobody: no such estimator; there is diver-r18"),
        (lambda f: ("--device", "cpu,cuda:77"), 1, "--device cuda:77: not usable here"),
        (lambda f: ("--jobs", 2, "--scheduler", "tcp://127.0.0.1:9"), 2, "give only one"),
        (lambda f: ("--scheduler", "tcp://127.0.0.1:9"), 1, "no Dask scheduler answers at tcp://127.0.0.1:9"),
    ],
)
def test_what_is_wrong_with_the_estimator_is_one_line_and_the_poses_there_are_stay(
    grey: Workspace, files: Files, monkeypatch: pytest.MonkeyPatch,
    arguments: Callable[[Files], tuple[object, ...]], code: int, said: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("finediving_pose.parallel.SECONDS_TO_CONNECT", 1)
    before = grey.pose_file("auto", KEY)
    write_poses(before, table("earlier", JointSource.AUTOMATIC, frames=(0, 1, 2)))
    content = before.read_bytes()
    result = auto(grey, "--force", *arguments(files))
    assert result.exit_code == code, result.output
    lines = [line for line in result.stderr.splitlines() if said in line]
    assert len(lines) == 1 and "Traceback" not in result.stderr, result.stderr
    assert before.read_bytes() == content and not grey.pose_file("auto", OTHER).exists()
    assert not (files.folder / "ran").exists()


def other_size(workspace: Workspace) -> None:
    picture = simplejpeg.encode_jpeg(np.zeros((32, 56, 3), np.uint8), colorspace="RGB")
    open_frames(workspace, KEY).path(1).write_bytes(picture)


def cut_short(workspace: Workspace) -> None:
    path = open_frames(workspace, KEY).path(2)
    path.write_bytes(path.read_bytes()[:200])


def gone(workspace: Workspace) -> None:
    open_frames(workspace, KEY).path(0).unlink()


def empty(workspace: Workspace) -> None:
    write_manifest(replace(open_frames(workspace, KEY), numbers=(), names=()))


def no_folder(workspace: Workspace) -> None:
    shutil.rmtree(workspace.frame_folder(KEY))


def broken_manifest(workspace: Workspace) -> None:
    (workspace.frame_folder(KEY) / "clip.json").write_text("{")


@pytest.mark.parametrize(
    ("harm", "said", "jobs"),
    [
        (other_size, "meet/0: frame 00001.jpg is 56 x 32, the clip's frames are 112 x 64", 1),
        (other_size, "meet/0: frame 00001.jpg is 56 x 32, the clip's frames are 112 x 64", 2),
        (cut_short, "meet/0: frame 00002.jpg is cut short", 1),
        (gone, "meet/0: frame 00000.jpg is missing", 1),
        (empty, "meet/0: has no frames", 1),
        (no_folder, "meet/0: no complete frames in", 1),
        (broken_manifest, "not a frame manifest", 1),
    ],
)
def test_a_clip_that_can_not_be_annotated_is_named_and_the_others_are_done(
    grey: Workspace, harm: Callable[[Workspace], None], said: str, jobs: int
) -> None:
    harm(grey)
    add_third(grey)
    result = auto(grey, "--jobs", jobs)
    assert result.exit_code == 1
    assert said in result.stderr.splitlines()[-1] and "Traceback" not in result.stderr
    answer = json.loads(result.stdout)
    assert answer["annotated"] == 2 and len(answer["failed"]) == 1 and said in answer["failed"][0]
    assert not grey.pose_file("auto", KEY).exists() and len(read_poses(grey.pose_file("auto", OTHER))) == 3


def test_clips_without_frames_are_counted_in_one_line(grey: Workspace) -> None:
    """As after an extraction that was not finished: what is there is annotated."""
    add_third(grey)
    for key in (KEY, OTHER):
        shutil.rmtree(grey.frame_folder(key))
    result = auto(grey)
    assert (result.exit_code, json.loads(result.stdout)["annotated"], json.loads(result.stdout)["without_frames"]) == (
        1, 1, 2,
    )  # fmt: skip
    last = result.stderr.splitlines()[-1]
    assert "2 clips were not annotated (2 have no frames: extract them, then run this command again)" in last


def add_third(workspace: Workspace) -> None:
    """A clip of another size, with one frame."""
    third = ClipKey("meet", 2)
    shutil.copytree(workspace.frame_folder(OTHER), workspace.frame_folder(third))
    folder = replace(open_frames(workspace, third), numbers=(0,), names=("c.jpg",), width=90, height=160)
    folder.path(0).write_bytes(simplejpeg.encode_jpeg(np.full((160, 90, 3), 90, np.uint8), colorspace="RGB"))
    write_manifest(folder)
    add_clips(workspace, [Clip(third, n_frames=1)])


def test_clips_of_one_frame_of_other_sizes_and_without_a_diver_are_annotated_and_said(grey: Workspace) -> None:
    add_third(grey)
    result = auto(grey)
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    assert (answer["annotated"], answer["frames"], answer["failed"]) == (3, 7, [])
    assert answer["no_diver_found"] == ["meet/0", "meet/1", "meet/2"]
    path = grey.pose_file("auto", ClipKey("meet", 2))
    assert len(read_poses(path)) == 1 and not read_poses(path).has_diver.any()
    assert auto(grey, "--no-presence", "--force").exit_code == 0
    assert read_poses(path).box[0].tolist() == [0, 0, 89, 159], "the whole frame is looked at"

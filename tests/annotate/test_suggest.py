"""Frames worth a person's look."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from annotate.auto import Machinery, annotate_clips
from annotate.estimators.presets import DEFAULT, Preset, resolve
from annotate.suggest import Suggestion, suggest
from finediving_pose.cli import main
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PoseError, SetupError
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import JointSource, read_poses, take_rows, write_poses
from finediving_pose.reviews import Review, ReviewState, review_file, write_reviews
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import grey_clips, table

LONG = tuple(range(60))


def posed(workspace: Workspace, clips: int = 2, seed: int = 0) -> tuple[list[Clip], dict[tuple[ClipKey, int], float]]:
    """Clips of 60 frames whose confidence falls with their error, which differs from clip to clip, and that error."""
    rng, errors, made = np.random.default_rng(seed), {}, []
    for i in range(clips):
        key = ClipKey("meet", i)
        made.append(Clip(key, action_type="107b", n_frames=60))
        poses = table("auto", JointSource.AUTOMATIC, frames=LONG)
        error = rng.exponential(rng.uniform(3, 17), 60)
        poses.keypoints[:] += rng.normal(0, 1, poses.keypoints.shape) * error[:, None, None]
        poses.confidence[:] = (0.15 + 0.8 * np.exp(-error / 20))[:, None] * rng.uniform(0.8, 1, (60, 1))
        write_poses(workspace.pose_file("auto", key), poses)
        errors |= {(key, f): float(error[f]) for f in LONG}
    return made, errors


@pytest.mark.slow
def test_every_other_frame_is_of_a_dive_that_is_known_least_the_rest_of_any(workspace: Workspace) -> None:
    """Within a dive they are drawn alike: easy frames come, too."""
    hardest, usual = [], []
    for seed in range(3):
        clips, errors = posed(workspace, clips=24, seed=seed)
        chosen = suggest(workspace, clips, 16)
        assert len(chosen) == 16 == len({(s.key, s.frame) for s in chosen})
        of_dive = {c.key: np.mean([errors[c.key, f] for f in LONG]) for c in clips}
        for half, found in ((chosen[::2], hardest), (chosen[1::2], usual)):
            found.append(np.mean([of_dive[s.key] for s in half]) / np.mean(list(of_dive.values())))
        assert len({s.key for s in chosen[1::2]}) == 8
        assert [s.why == "drawn at random" for s in chosen] == [False, True] * 8
    assert min(hardest) > 1.15 and np.mean(hardest) > 1.25
    assert 0.6 < np.mean(usual) < 1.1, "of the dives that are left"
    assert suggest(workspace, clips, 16) == chosen, "the same frames whenever it is asked"
    assert any(errors[s.key, s.frame] < 3 for s in chosen)


def test_they_are_spread_over_dives_and_time(workspace: Workspace) -> None:
    clips, _ = posed(workspace, clips=6)
    chosen = suggest(workspace, clips, 12)
    of_dive = Counter(s.key for s in chosen)
    assert len(of_dive) >= 4 and max(of_dive.values()) <= 4
    for a in chosen:
        assert all(abs(a.frame - b.frame) >= 8 for b in chosen if a is not b and a.key == b.key)


def test_what_a_person_did_already_is_not_suggested_again(workspace: Workspace) -> None:
    clips, _ = posed(workspace, clips=1)
    first = suggest(workspace, clips, 1)[0]
    write_poses(workspace.pose_file("manual/anna", first.key), table("anna", JointSource.MANUAL, frames=(first.frame,)))
    assert first.frame not in {s.frame for s in suggest(workspace, clips, 60)}


@pytest.mark.parametrize("state", ReviewState)
def test_what_a_person_looked_at_is_not_suggested_again(workspace: Workspace, state: ReviewState) -> None:
    clips, _ = posed(workspace, clips=1)
    first = suggest(workspace, clips, 1)[0]
    review = Review("anna", first.key, first.frame, 0, state, "", "t")
    write_reviews(review_file(workspace, "anna", first.key), [review])
    assert first.frame not in {s.frame for s in suggest(workspace, clips, 60)}


def test_a_diver_under_water_is_not_suggested(workspace: Workspace) -> None:
    clips, _ = posed(workspace, clips=1)
    staged = [Clip(clips[0].key, n_frames=60, start_frame=0, stage_starts=(10, 30), sub_actions=(1, 17, 36))]
    assert max(s.frame for s in suggest(workspace, staged, 60)) < 40


def test_a_frame_without_a_diver_is_not_suggested(workspace: Workspace) -> None:
    clips, _ = posed(workspace, clips=1)
    path = workspace.pose_file("auto", clips[0].key)
    poses = read_poses(path)
    poses.keypoints[:40] = poses.box[:40] = np.nan
    poses.confidence[:40] = poses.source[:40] = poses.visibility[:40] = 0
    write_poses(path, poses)
    assert min(s.frame for s in suggest(workspace, clips, 60)) >= 40
    write_poses(path, take_rows(poses, np.arange(40)))
    with pytest.raises(PoseError, match="show a diver only in frames that are annotated"):
        suggest(workspace, clips, 5)


@pytest.mark.slow
def test_the_estimator_that_made_the_poses_is_asked_about_their_mirror_images(dives: Workspace) -> None:
    clips = read_clips(dives)
    annotate_clips(dives, clips, Machinery(resolve(DEFAULT)))
    found = suggest(dives, clips, 6)
    assert len(found) == 6
    for s in found:
        assert s.mirrored is not None and 0 < s.mirrored <= 1
        assert s.worth == pytest.approx((s.doubt + s.moved + s.long_limbs + s.mirrored) / 4)
        assert 0 < s.dive < 1
    sought = Suggestion(found[0].key, 0, doubt=0.1, moved=0.1, long_limbs=0.0, mirrored=0.3)
    assert sought.why == "joints differ in the mirror image"
    nobody = Suggestion(found[0].key, 0, doubt=0.95, moved=0.05, long_limbs=0.2, dive=0.5)
    assert nobody.promise == pytest.approx(0.25), "hardly a diver in it"


@pytest.mark.slow
def test_the_estimator_is_loaded_once_on_the_device_asked_for_and_may_be_gone(
    dives: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = read_clips(dives)
    annotate_clips(dives, clips, Machinery(resolve(DEFAULT)))
    devices: list[str] = []
    load = Preset.load

    def watched(preset: Preset, device: str = "cpu", **kwargs: Any) -> Any:
        devices.append(device)
        return load(preset, device, **kwargs)

    monkeypatch.setattr(Preset, "load", watched)
    assert all(s.mirrored is not None for s in suggest(dives, clips, 4, "cpu:0"))
    assert devices == ["cpu:0"]
    with pytest.raises(SetupError, match="--device nowhere: not usable here"):
        suggest(dives, clips, 4, "nowhere")
    monkeypatch.setattr("annotate.suggest.resolve", lambda name, workspace: resolve("deleted", workspace))
    assert [s.mirrored for s in suggest(dives, clips, 4)] == [None] * 4


def test_without_poses_there_is_nothing_to_suggest(workspace: Workspace) -> None:
    with pytest.raises(PoseError, match="no automatic poses; run: fdpose annotate --auto"):
        suggest(workspace, [Clip(ClipKey("meet", 0))], 5)


def test_the_command_writes_a_list_and_pictures(workspace: Workspace, tmp_path: Path) -> None:
    grey_clips(workspace)
    for i in range(2):
        frames = table("auto", JointSource.AUTOMATIC, frames=(0, 1, 2))
        write_poses(workspace.pose_file("auto", ClipKey("meet", i)), frames)
    at = ["--data", str(workspace.root), "--out", str(tmp_path / "out"), "--json"]
    assert (
        "2 of 5 frames: all others are within 8 frames of one of these"
        in CliRunner().invoke(main, ["suggest", "5", *at]).stderr
    )
    result = CliRunner().invoke(main, ["suggest", "2", *at])
    assert (result.exit_code, "all others" in result.stderr) == (0, False), result.output
    said = json.loads(result.stdout)
    assert (said["suggested"], said["clips"]) == (2, 2)
    rows = list(csv.DictReader(Path(said["csv"]).read_text().splitlines()))
    assert {r["image"].rpartition("/")[0] for r in rows} == {"meet/0", "meet/1"}
    sheet = cv2.imread(said["pictures"])
    assert sheet is not None
    assert sheet.shape[1] == 2 * 220 + 6

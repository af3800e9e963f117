"""Training an estimator on joints placed by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import annotate.finetune
import annotate.training_loop
from annotate.augment import RandomBlur, RandomOcclusion, UniformBBoxTransform, motion_kernel
from annotate.estimators.mmpose import from_checkpoint, read_checkpoint
from annotate.estimators.presets import DEFAULT, resolve
from annotate.finetune import Training, finetune
from annotate.manual import take_in
from annotate.merge import merge_clips
from annotate.samples import PoseFrames, hand_placed, hold_out
from finediving_pose.cli import main
from finediving_pose.errors import PoseError
from finediving_pose.labels.table import read_clips
from finediving_pose.skeleton import FLIP
from finediving_pose.workspace import Workspace


@pytest.fixture
def taught(dives: Workspace, competition: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Two dives with true poses merged; an epoch is one batch of eight."""
    clips = read_clips(dives)
    take_in(dives, clips, [competition / "truth" / "annotations.json"], "truth")
    merge_clips(dives, clips)
    monkeypatch.setattr(annotate.finetune, "STEPS_PER_EPOCH", 1)
    monkeypatch.setattr(annotate.finetune, "MEASURED", 8)
    return dives


@pytest.mark.parametrize(("network", "outputs", "figure"), [("pose", 16, "pckh"), ("locator", 5, "iou_over_half")])
def test_training_writes_a_checkpoint_that_works_and_says_how_good_it_is(
    taught: Workspace, network: str, outputs: int, figure: str
) -> None:
    result = CliRunner().invoke(
        main, ["annotate", "--finetune", "--network", network, "--name", "mine", "--steps", "2", "--seed", "3",
               "--data", str(taught.root), "--json"],
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    path = taught.root / "estimators" / "mine" / f"{network}.pth"
    assert said["checkpoint"] == str(path)
    assert 0 <= said["before"][figure] <= 1 and 0 <= said["after"][figure] <= 1
    checkpoint = read_checkpoint(path)
    assert checkpoint["meta"]["training"]["seed"] == 3
    assert f"--network {network} --name mine --estimator diver-r18 --steps 2" in checkpoint["meta"]["command"]
    assert {v.dtype for v in checkpoint["state_dict"].values() if torch.is_floating_point(v)} == {torch.float16}
    estimator = from_checkpoint(path, outputs=outputs)
    width, height = estimator.input_size
    assert estimator.estimate(np.zeros((1, height, width, 3), np.uint8))[0].shape == (1, outputs, 2)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_training_starts_from_the_weights_it_is_given(taught: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a learning rate of nothing, what comes out is what went in."""
    start = read_checkpoint(resolve(DEFAULT).pose)["state_dict"]
    monkeypatch.setattr(annotate.finetune, "_schedule", lambda epochs: [{"type": "ConstantLR", "factor": 1e-12}])
    finetune(taught, read_clips(taught), Training("mine", "pose", DEFAULT, steps=1))
    end = read_checkpoint(taught.root / "estimators" / "mine" / "pose.pth")["state_dict"]
    weights = [k for k, v in start.items() if k.endswith("weight")]
    assert len(weights) > 20
    for key in weights:
        np.testing.assert_allclose(end[key].float(), start[key].float(), atol=2e-3, err_msg=key)


def test_a_training_that_is_stopped_goes_on_and_leaves_nothing_half_done(
    taught: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = Training("mine", "locator", None, steps=3, seed=0)
    steps: list[int] = []
    real = annotate.training_loop.ProgressHook.after_train_epoch

    def stop_after_two(self: object, runner: object) -> None:
        real(self, runner)  # type: ignore[arg-type]
        steps.append(runner.iter)  # type: ignore[attr-defined]
        if len(steps) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("annotate.training_loop.ProgressHook.after_train_epoch", stop_after_two)
    monkeypatch.setattr("annotate.training_loop.WORKERS", 0)  # Ctrl-C reaches them in a terminal, not in a test
    with pytest.raises(KeyboardInterrupt):
        finetune(taught, read_clips(taught), training)
    folder = taught.root / "estimators" / "mine"
    assert not (folder / "locator.pth").exists()
    finetune(taught, read_clips(taught), training)
    assert len(steps) == 4  # only the third step was done again
    assert (folder / "locator.pth").is_file()


def test_held_out_clips_are_whole_and_not_trained_on(taught: Workspace) -> None:
    samples = hand_placed(taught, read_clips(taught))
    train, held = hold_out(samples, seed=0)
    assert {s.frames.key for s in train}.isdisjoint({s.frames.key for s in held})
    assert len(train) + len(held) == sum(map(len, samples.values()))
    assert [s.number for s in hold_out(samples, seed=0)[1]] == [s.number for s in held]


def test_without_poses_by_hand_it_says_how_to_get_them(dives: Workspace) -> None:
    with pytest.raises(PoseError, match="training needs 2 or more; add some with: fdpose annotate --manual"):
        finetune(dives, read_clips(dives), Training("mine"))
    assert not (dives.root / "estimators").exists()


def test_a_mirrored_picture_has_its_joints_swapped_and_mirrored(taught: Workspace) -> None:
    samples = next(iter(hand_placed(taught, read_clips(taught)).values()))
    steps = [{"type": "RandomFlip", "prob": 1.0}]
    plain, flipped = PoseFrames(samples, [], "joints")[5], PoseFrames(samples, steps, "joints")[5]
    width = plain["img"].shape[1]
    np.testing.assert_array_equal(flipped["img"], plain["img"][:, ::-1])
    expected = plain["keypoints"][0, list(FLIP)]
    known = flipped["keypoints_visible"][0] > 0
    np.testing.assert_allclose(flipped["keypoints"][0, known, 0], width - 1 - expected[known, 0], atol=1e-4)
    np.testing.assert_allclose(flipped["keypoints"][0, known, 1], expected[known, 1], atol=1e-4)


def test_rotation_reaches_all_the_way_round() -> None:
    np.random.seed(0)  # noqa: NPY002
    turn = UniformBBoxTransform(rotate_factor=180, rotate_prob=1.0)
    box = {"bbox_scale": np.ones((1, 2)), "bbox_center": np.zeros((1, 2))}
    angles = [(turn.transform(dict(box)) or {})["bbox_rotation"][0] for _ in range(400)]
    assert np.histogram(angles, bins=8, range=(-180, 180))[0].min() > 25


def test_blur_and_occlusion_change_the_picture_and_keep_its_shape() -> None:
    np.random.seed(0)  # noqa: NPY002
    image = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    for change in (RandomBlur(1.0), RandomOcclusion(1.0)):
        for _ in range(20):
            after = change.transform({"img": image.copy()})["img"]
            assert after.shape == image.shape and after.dtype == np.uint8 and (after != image).any()
    assert motion_kernel(7).sum() == pytest.approx(1)

"""Training an estimator on joints placed by hand."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from annotate.estimators.checkpoint import read_checkpoint
from annotate.estimators.mmpose import from_checkpoint
from annotate.estimators.presets import DEFAULT, resolve
from annotate.locate import POINTS
from annotate.training import train
from annotate.training.augment import RandomBlur, RandomOcclusion, UniformBBoxTransform, motion_kernel
from annotate.training.candidates import best_of, candidates
from annotate.training.dataset import LabelledFrameDataset
from annotate.training.finetune import finetune
from annotate.training.labelled_frames import draw_weights, hold_out, read_labelled_frames
from annotate.training.measure import in_words
from annotate.training.plan import FinetunePlan
from annotate.training.runner import BestHook, ProgressHook
from annotate.training.work_folder import work_folder
from finediving_pose.cli import main
from finediving_pose.clip import ClipKey
from finediving_pose.errors import PoseError
from finediving_pose.labels.table import read_clips
from finediving_pose.skeleton import FLIP, JOINTS, N_JOINTS
from finediving_pose.workspace import Workspace

pytestmark = pytest.mark.slow

WORDS = ["finetune", "--name", "mine"]


def run(data: Workspace, *words: str) -> dict[str, Any]:
    """Fine-tune, expect success, return what it said."""
    result = CliRunner().invoke(main, [*WORDS, *words, "--data", str(data.root), "--json"])
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def taught(true_poses: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Two dives with true poses merged; an epoch is one batch of eight."""
    monkeypatch.setattr("annotate.training.train.STEPS_PER_EPOCH", 1)
    monkeypatch.setattr("annotate.training.finetune.MEASURED", 8)
    monkeypatch.setattr("annotate.training.labelled_frames.FEWEST_CLIPS", 2)
    return true_poses


def test_training_writes_checkpoints_that_work_and_says_how_good_they_are(taught: Workspace) -> None:
    """Both networks, without being asked for one of them."""
    said = run(taught, "--steps", "2", "--seed", "3")
    for network, outputs, figure in (("locator", len(POINTS), "iou"), ("pose", N_JOINTS, "pckh")):
        summary, path = said[network], taught.root / "estimators" / "mine" / f"{network}.pth"
        assert summary["checkpoint"] == str(path)
        assert 0 <= summary["before"][figure] <= 1 and 0 <= summary["after"][figure] <= 1
        assert network == "pose" or 0 <= summary["after"]["iou_over_half"] <= 1
        checkpoint = read_checkpoint(path)
        assert checkpoint["meta"]["training"]["seed"] == 3
        assert f"--network {network} --name mine --estimator diver-r18 --steps 2" in checkpoint["meta"]["command"]
        many = json.loads(checkpoint["meta"]["config"])["all_round"]
        assert (summary["thorough"] is not None) == many
        assert {v.dtype for v in checkpoint["state_dict"].values() if torch.is_floating_point(v)} == {torch.float16}
        estimator = from_checkpoint(path, outputs=outputs)
        width, height = estimator.input_size
        assert estimator.estimate(np.zeros((1, height, width, 3), np.uint8))[0].shape == (1, outputs, 2)
    assert set(said["pose"]["after"]["by_joint"]) == set(JOINTS)
    assert 0 <= said["pose"]["after"]["oks_ap"] <= 1
    assert sorted(p.name for p in path.parent.iterdir()) == ["locator.pth", "pose.pth"]
    assert resolve("mine", taught).pose == path


def test_one_network_can_be_trained_alone_and_people_read_before_and_after(taught: Workspace) -> None:
    result = CliRunner().invoke(main, [*WORDS, "--network", "pose", "--steps", "2", "--data", str(taught.root)])
    assert result.exit_code == 0, result.stderr
    assert re.search(r"^PCKh@0.5 +0\.\d{3} -> 0\.\d{3}$", result.stdout, re.M)
    assert re.search(r"^left ankle +0\.\d{3} -> 0\.\d{3}$", result.stdout, re.M)
    assert not (taught.root / "estimators" / "mine" / "locator.pth").exists()


def test_of_a_single_clip_nothing_is_held_out_and_it_says_so(taught: Workspace) -> None:
    clip = str(read_clips(taught)[0].key)
    said = run(taught, "--network", "locator", "--steps", "2", "--clip", clip)["locator"]
    assert said["held_out"] == 0 and said["before"] is None and said["after"] is None and said["frames"] > 0
    words = str(in_words({"locator": said}))
    assert "with fewer than 5 clips" in words and "nothing is held out" in words


def test_an_estimator_is_made_from_nothing_and_says_by_which_command(taught: Workspace) -> None:
    run(taught, "--network", "pose", "--from-scratch", "--steps", "2")
    meta = read_checkpoint(taught.root / "estimators" / "mine" / "pose.pth")["meta"]
    assert meta["command"] == "fdpose finetune --network pose --name mine --from-scratch --steps 2 --seed 0"


def test_samples_are_turned_by_as_much_as_asked_and_later_trainings_by_any_angle(
    taught: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[float] = []

    class Watched(LabelledFrameDataset):
        def __init__(self, samples: Any, pipeline: list[dict[str, Any]], boxes: str) -> None:
            turns.extend(step["rotate_factor"] for step in pipeline if "rotate_factor" in step)
            super().__init__(samples, pipeline, boxes)

    monkeypatch.setattr("annotate.training.dataset.LabelledFrameDataset", Watched)
    run(taught, "--steps", "2", "--turn", "30")
    assert turns == [0, 30], "the locator's samples stay upright, for its boxes are"
    meta = read_checkpoint(taught.root / "estimators" / "mine" / "pose.pth")["meta"]
    assert meta["command"].endswith("--seed 0 --turn 30")
    run(taught, "--network", "pose", "--steps", "2", "--estimator", "mine")
    assert turns[2:] == [180]


def test_training_starts_from_the_weights_it_is_given(taught: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a learning rate of nothing, what comes out is what went in."""
    start = read_checkpoint(resolve(DEFAULT).pose)["state_dict"]
    monkeypatch.setattr("annotate.training.train._schedule", lambda epochs: [{"type": "ConstantLR", "factor": 1e-12}])
    finetune(taught, read_clips(taught), FinetunePlan("mine", "pose", DEFAULT, steps=1))
    end = read_checkpoint(taught.root / "estimators" / "mine" / "pose.pth")["state_dict"]
    weights = [k for k, v in start.items() if k.endswith("weight")]
    assert len(weights) > 20
    for key in weights:
        np.testing.assert_allclose(end[key].float(), start[key].float(), atol=2e-3, err_msg=key)


def test_a_training_that_is_stopped_goes_on_and_gives_what_it_would_have_given(
    taught: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = FinetunePlan("mine", "locator", None, steps=3, seed=0)
    steps: list[int] = []
    real = ProgressHook.after_train_epoch

    def stop_after_two(self: object, runner: object) -> None:
        real(self, runner)  # type: ignore[arg-type]
        steps.append(runner.iter)  # type: ignore[attr-defined]
        if len(steps) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("annotate.training.runner.ProgressHook.after_train_epoch", stop_after_two)
    monkeypatch.setattr("annotate.training.batches.WORKERS", 0)  # Ctrl-C reaches them in a terminal, not in a test
    with pytest.raises(KeyboardInterrupt):
        finetune(taught, read_clips(taught), plan)
    folder = taught.root / "estimators" / "mine"
    assert not (folder / "locator.pth").exists()
    finetune(taught, read_clips(taught), plan)
    assert len(steps) == 4  # only the third step was done again
    stopped = read_checkpoint(folder / "locator.pth")["state_dict"]
    monkeypatch.setattr("annotate.training.batches.WORKERS", 2)
    finetune(taught, read_clips(taught), plan)
    whole = read_checkpoint(folder / "locator.pth")["state_dict"]
    assert len(steps) == 7
    for key, value in whole.items():
        torch.testing.assert_close(stopped[key], value, rtol=0, atol=0, msg=key)


def test_a_stopped_training_goes_on_only_on_the_same_joints_and_starting_weights(
    taught: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    frames = [f for found in read_labelled_frames(taught, read_clips(taught)).values() for f in found]
    config, weights = resolve(DEFAULT).read("locator")
    target, plan = taught.root / "estimators" / "mine" / "locator.pth", FinetunePlan("mine", "locator")

    def folder(frames: Any = frames, weights: Any = weights, config: Any = config, plan: Any = plan) -> Path:
        return work_folder(target, config, weights, plan, frames)

    stopped = folder()
    stopped.mkdir(parents=True)
    assert folder() == stopped
    assert capfd.readouterr().err == ""
    moved = frames[3].keypoints.copy()
    moved[5] += 1
    first = next(name for name, tensor in weights.items() if torch.is_floating_point(tensor))
    others = {
        "a joint moved": folder([*frames[:3], replace(frames[3], keypoints=moved), *frames[4:]]),
        "a joint taken away": folder([*frames[:3], replace(frames[3], known=frames[3].known & False), *frames[4:]]),
        "a frame less": folder(frames[1:]),
        "other weights": folder(weights=weights | {first: weights[first] + 1}),
        "random weights": folder(weights=None),
        "another seed": folder(plan=FinetunePlan("mine", "locator", seed=1)),
        "another rate": folder(config=config | {"learning_rate": 1.0}),
    }
    assert len({stopped, *others.values()}) == 1 + len(others)
    said = capfd.readouterr().err
    assert said.count("training locator afresh: a training that was stopped was on other joints") == len(others)
    assert str(stopped) in said.replace("\n", "")


def test_lost_best_weights_are_told_and_training_goes_on(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for content in (b"", b"PK", b"x" * 99):
        (tmp_path / "best.pth").write_bytes(content)
        hook = BestHook(None, None, tmp_path / "best.pth")  # type: ignore[arg-type]
        hook.before_train(None)
        assert hook.best["quality"] == -1.0
        assert "the best weights so far are lost, later ones are taken (" in capfd.readouterr().err
    torch.save({"epoch": 2}, tmp_path / "best.pth")
    hook.before_train(None)
    assert hook.best["quality"] == -1.0


def test_the_best_weights_are_kept_and_training_ends_when_nothing_is_gained(tmp_path: Path) -> None:
    """Quality by epoch: 0.1 0.5 0.4 0.5 0.3 of at most nine; the second epoch is best, the fifth is the last."""
    weight = torch.zeros(1)
    average = SimpleNamespace(ema_model=SimpleNamespace(module=SimpleNamespace(state_dict=lambda: {"w": weight})))
    figures = iter([0.1, 0.5, 0.4, 0.5, 0.3])
    loop = SimpleNamespace(stop_training=False)
    for epoch in range(5):
        weight.fill_(epoch + 1)
        hook = BestHook(average, lambda _: next(figures), tmp_path / "best.pth")  # type: ignore[arg-type]
        hook.before_train(None)  # as after a stop: what was best is read from the file
        hook.after_train_epoch(SimpleNamespace(epoch=epoch, max_epochs=9, train_loop=loop))
        assert loop.stop_training == (epoch == 4)
    assert hook.state["w"].item() == 2 and hook.best["quality"] == 0.5


def test_real_clips_are_held_out_and_not_drowned_by_synthetic_ones(taught: Workspace) -> None:
    samples = read_labelled_frames(taught, read_clips(taught))
    first, second = sorted(samples)
    few = samples[first][:5]
    both = [*few, *samples[second]]
    weights = draw_weights(both, {second})
    assert weights.sum() == pytest.approx(1)
    assert weights[:5].sum() == pytest.approx(0.5)
    assert draw_weights(few).tolist() == pytest.approx([0.2] * 5)


def test_of_few_clips_none_is_held_out_and_of_real_ones_first() -> None:
    def held(real: int, synthetic: int, frames: int = 30) -> tuple[int, int]:
        keys = [ClipKey("real", i) for i in range(real)] + [ClipKey("made", i) for i in range(synthetic)]
        clips: Any = {k: [SimpleNamespace(folder=SimpleNamespace(key=k))] * frames for k in keys}
        train, out = hold_out(clips, 0, {k for k in keys if k.video == "made"})
        assert len(train) + len(out) == len(keys) * frames
        found = {s.folder.key for s in out}
        return sum(k.video == "real" for k in found), sum(k.video == "made" for k in found)

    assert [held(r, 0) for r in (1, 2, 4)] == [(0, 0)] * 3
    assert held(0, 50) == (0, 5)
    assert [held(r, 50) for r in (1, 4)] == [(0, 0)] * 2, "synthetic dives do not tell what was learned from real ones"
    assert [held(r, 50) for r in (5, 30)] == [(1, 0), (3, 0)]
    assert [held(30, 50, n) for n in (9, 10)] == [(0, 0), (3, 0)], "fewer than 30 frames say nothing"


def test_held_out_clips_are_whole_and_not_trained_on(taught: Workspace) -> None:
    samples = read_labelled_frames(taught, read_clips(taught))
    train, held = hold_out(samples, seed=0)
    assert {s.folder.key for s in train}.isdisjoint({s.folder.key for s in held})
    assert len(train) + len(held) == sum(map(len, samples.values()))
    assert [s.number for s in hold_out(samples, seed=0)[1]] == [s.number for s in held]


def test_without_poses_by_hand_it_says_how_to_get_them(dives: Workspace) -> None:
    with pytest.raises(PoseError, match=r"no clip has joints placed by hand.* fdpose annotate --manual"):
        finetune(dives, read_clips(dives), FinetunePlan("mine"))
    assert not (dives.root / "estimators").exists()


def test_a_mirrored_picture_has_its_joints_swapped_and_mirrored(taught: Workspace) -> None:
    samples = next(iter(read_labelled_frames(taught, read_clips(taught)).values()))
    steps = [{"type": "RandomFlip", "prob": 1.0}]
    plain, flipped = LabelledFrameDataset(samples, [], "joints")[5], LabelledFrameDataset(samples, steps, "joints")[5]
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


def test_weights_are_mixed_and_the_choice_is_the_best_on_what_is_held_out() -> None:
    config = {"model": {"head": {"decoder": {"type": "UDPHeatmap", "input_size": (96, 96)}}}}
    start, end = ({"w": torch.full((2,), v), "n": torch.tensor(int(v))} for v in (0.0, 10.0))
    found = candidates(config, start, end, FinetunePlan("mine"))
    looks = [(True, [64, 96, 128]), (True, None), (False, None)]
    assert [(c["all_round"], c["sizes"], s["w"][0].item()) for c, s in found] == [
        (*look, pytest.approx(w)) for look in looks for w in (8.0, 10.0)
    ]
    assert all(s["n"] == 10 for _, s in found)
    tall = {"model": {"head": {"decoder": {"type": "SimCCLabel", "input_size": (192, 256)}}}}
    once = (
        (config, FinetunePlan("mine", "locator")),
        (tall, FinetunePlan("mine")),
    )
    for its_config, plan in once:
        plain = candidates(its_config, None, end, plan)
        assert [(c["all_round"], c["sizes"]) for c, _ in plain] == [(False, None)]
    said = iter([0.2, 0.1, 0.2, 0.3, 0.4, 0.3])
    picked, state, figures = best_of(found, lambda c, s: {"pckh": next(said)}, "pose")
    assert picked["all_round"] is False and state["w"][0].item() == pytest.approx(8.0) and figures == {"pckh": 0.4}
    picked, _, figures = best_of(found, lambda c, s: None, "pose")
    assert picked["all_round"] is True and figures is None


def test_a_core_is_left_to_what_prepares_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "default_jobs", lambda: 4)
    assert [train._threads(usual) for usual in (1, 2, 4, 8)] == [1, 2, 3, 3]
    monkeypatch.setattr(train, "default_jobs", lambda: 1)
    assert train._threads(1) == 1

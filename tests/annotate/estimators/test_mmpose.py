"""Estimators of mmpose: the bundled ones, and those of a user's own config."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from annotate.crop import crop, to_frame
from annotate.estimators import mmpose as estimators
from annotate.estimators.checkpoint import read_checkpoint
from annotate.estimators.config import crop_sides, read_config
from annotate.estimators.device import has_bf16
from annotate.estimators.presets import CHECKPOINTS, DEFAULT, bundled, names, resolve
from annotate.training.plan import FinetunePlan
from finediving_pose.errors import PoseError, SetupError, UsageError
from finediving_pose.frames import open_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.skeleton import FLIP
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import TINY


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.py"
    path.write_text(TINY.replace("{joints}", "16"))
    return path


@pytest.fixture
def checkpoint(config: Path, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.pth"
    torch.save({"meta": {}, "state_dict": estimators.build_model(model_of(config)).state_dict()}, path)
    return path


def published(name: str) -> Path:
    """A config that comes with mmpose."""
    import mmpose

    return Path(mmpose.__file__).parent / ".mim/configs/body_2d_keypoint" / name


def model_of(config: Path) -> Any:
    return read_config(config)["model"]


@pytest.mark.parametrize("bf16", [False, True])
def test_a_config_of_ones_own_estimates_joints_inside_the_crop(config: Path, checkpoint: Path, bf16: bool) -> None:
    estimator = estimators.from_config(config, checkpoint, trust_config=True, bf16=bf16)
    assert (estimator.input_size, estimator.padding, estimator.unbiased) == ((64, 96), 1.5, False)
    crops = np.random.default_rng(0).integers(0, 256, (70, 96, 64, 3), np.uint8)
    keypoints, confidence = estimator.estimate(crops)
    assert keypoints.shape == (70, 16, 2) and confidence.shape == (70, 16)
    assert ((confidence >= 0) & (confidence <= 1)).all()
    np.testing.assert_array_equal(np.isnan(keypoints).any(-1), confidence == 0)
    found = keypoints[confidence > 0]
    assert len(found) and ((found >= 0) & (found <= 1.1)).all()


def test_the_size_of_the_batch_does_not_change_the_joints(config: Path, checkpoint: Path) -> None:
    estimator = estimators.from_config(config, checkpoint, trust_config=True)
    crops = np.random.default_rng(0).integers(0, 256, (5, 96, 64, 3), np.uint8)
    together, _ = estimator.estimate(crops)
    alone = np.concatenate([estimator.estimate(c[None])[0] for c in crops])
    np.testing.assert_allclose(together, alone, atol=1e-3)
    assert estimator.estimate(crops[:0])[0].shape == (0, 16, 2)


@pytest.mark.slow
@pytest.mark.parametrize("flip", [False, True], ids=["plain", "flip test"])
@pytest.mark.parametrize("kind", ["heatmaps", "SimCC"])
def test_joints_are_where_mmpose_itself_puts_them(config: Path, kind: str, flip: bool) -> None:
    """The same pictures and boxes through ``inference_topdown``, one at a time: the same pixels."""
    from mmengine.config import Config
    from mmpose.apis import inference_topdown, init_model

    path = config if kind == "heatmaps" else published("rtmpose/mpii/rtmpose-m_8xb64-210e_mpii-256x256.py")
    settings = estimators.mmpose_compat.mmpose_scope(Config.fromfile(path).to_dict())
    settings["model"]["test_cfg"] = {"flip_test": flip, "flip_mode": "heatmap", "shift_heatmap": True}
    pipeline = [{"type": "LoadImage"}, *settings["val_pipeline"][-3:-1], {"type": "PackPoseInputs"}]
    if kind == "heatmaps":
        pipeline = [{"type": "LoadImage"}, *settings["val_pipeline"], {"type": "PackPoseInputs"}]
    settings["test_dataloader"] = {"dataset": {"type": "CocoDataset", "pipeline": pipeline}}
    torch.manual_seed(0)
    model: Any = init_model(Config(settings), None, device="cpu")
    model.dataset_meta["flip_indices"] = list(FLIP)
    if kind == "heatmaps":
        torch.nn.init.constant_(model.head.final_layer.bias, 1)  # no map without any heat
    rng = np.random.default_rng(0)
    frames = list(rng.integers(0, 256, (3, 120, 200, 3), np.uint8))
    boxes = np.array([[20, 10, 80, 100], [-5, 30, 90, 60], [100, 60, 140, 119]], np.float32)
    mmposes: Any = inference_topdown
    theirs = [
        mmposes(model, np.ascontiguousarray(f[..., ::-1]), b[None])[0].pred_instances.keypoints[0]
        for f, b in zip(frames, boxes, strict=True)
    ]
    ours = estimators.MMPoseEstimator(settings, model.state_dict(), id="same", flip=flip)
    found = to_frame(ours.estimate(crop(frames, boxes, ours))[0], boxes, ours)
    np.testing.assert_allclose(found, np.stack(theirs), atol=0.01)


def test_a_flip_test_needs_left_and_right(config: Path) -> None:
    with pytest.raises(ValueError, match="a flip test needs the 16 joints"):
        estimators.MMPoseEstimator(model_of(config), {}, id="box", flip=True, outputs=5)


def test_bfloat16_is_native_or_not_and_a_wrong_device_is_named() -> None:
    assert has_bf16("cpu") in (True, False)
    assert not has_bf16("meta")
    with pytest.raises(SetupError, match="--device toaster"):
        has_bf16("toaster")


@pytest.mark.slow
def test_in_bfloat16_the_weights_are_kept_so_and_joints_stay_where_they_are(dives: Workspace) -> None:
    """Within a pixel of the crop; colours are taken off in float32."""
    frames = [open_frames(dives, c.key) for c in read_clips(dives)]
    pictures = [f.read(f.numbers[i]) for f in frames for i in range(5, 45, 10)]
    boxes = np.array([[0, 0, p.shape[1], p.shape[0]] for p in pictures], np.float32)
    exact, short = (estimators.from_checkpoint(resolve(DEFAULT).pose, bf16=bf16) for bf16 in (False, True))
    kinds = {name: {v.dtype for v in part.parameters()} for name, part in short.model.named_children()}
    assert kinds["backbone"] == kinds["head"] == {torch.bfloat16}
    assert short.model.data_preprocessor.mean.dtype == torch.float32
    crops = crop(pictures, boxes, exact)
    apart = np.linalg.norm((exact.estimate(crops)[0] - short.estimate(crops)[0]) * exact.input_size, axis=-1)
    assert np.median(apart) < 0.2 and np.percentile(apart, 90) < 1


def test_a_processor_works_on_fewer_crops_at_once_the_larger_they_are(config: Path, checkpoint: Path) -> None:
    preset = resolve(DEFAULT)
    locator, pose = estimators.from_checkpoint(preset.locator, outputs=5), estimators.from_checkpoint(preset.pose)
    small = estimators.from_config(config, checkpoint, trust_config=True)
    sizes = [(e.input_size[0] * e.input_size[1], e.batch) for e in (small, pose, locator)]
    assert sizes == sorted(sizes) and [b for _, b in sizes] == sorted((b for _, b in sizes), reverse=True)
    assert all(b * pixels <= 8 * 256 * 256 for pixels, b in sizes)


@pytest.mark.slow
def test_a_published_mmpose_config_of_the_mpii_joints_works(tmp_path: Path) -> None:
    """RTMPose takes its backbone from mmdet, its head decodes SimCC, its warp is unbiased only where it says so."""
    path = published("rtmpose/mpii/rtmpose-m_8xb64-210e_mpii-256x256.py")
    torch.save(estimators.build_model(model_of(path)).state_dict(), tmp_path / "rtmpose.pth")
    estimator = estimators.from_config(path, tmp_path / "rtmpose.pth", trust_config=True)
    keypoints, confidence = estimator.estimate(np.zeros((2, 256, 256, 3), np.uint8))
    assert keypoints.shape == (2, 16, 2) and np.isfinite(keypoints).all() and np.isfinite(confidence).all()


@pytest.mark.slow
def test_mmpose_imports_in_a_fresh_process_and_leaves_no_false_mmdet() -> None:
    code = (
        "import annotate.estimators.mmpose_compat, sys\n"
        "import mmpose.models, xtcocotools.coco\n"
        "assert not [m for m in sys.modules if m.startswith('mmdet')]\n"
        "from mmpose.apis import init_model, inference_topdown\n"
        "import mmdet; assert mmdet.__version__\n"
        "from mmcv.ops import MultiScaleDeformableAttention as attention\n"
        "try: attention(); raise SystemExit('built')\n"
        "except ImportError: pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning:mmcv", "-c", code], capture_output=True, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_config_is_not_run_unless_it_is_trusted(tmp_path: Path, checkpoint: Path) -> None:
    trap = tmp_path / "trap.py"
    trap.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(UsageError, match="add --trust-config"):
        estimators.from_config(trap, checkpoint, trust_config=False)
    assert not (tmp_path / "ran").exists()


def test_a_checkpoint_with_code_in_it_is_not_run(tmp_path: Path) -> None:
    import pickle

    class Trap:
        def __reduce__(self) -> Any:
            return (open, (str(tmp_path / "ran"), "w"))

    path = tmp_path / "trap.pth"
    torch.save({"state_dict": {"a": Trap()}}, path, pickle_module=pickle)
    with pytest.raises(PoseError, match=r"trap\.pth: not a checkpoint of tensors"):
        read_checkpoint(path)
    assert not (tmp_path / "ran").exists()


def test_weights_of_another_model_are_refused(config: Path, tmp_path: Path) -> None:
    torch.save({"state_dict": {"backbone.other": torch.zeros(3)}}, tmp_path / "other.pth")
    with pytest.raises(PoseError, match="other: these weights are of another model than the config says") as e:
        estimators.from_config(config, tmp_path / "other.pth", trust_config=True)
    assert "\n" not in str(e.value)


def test_a_model_of_other_joints_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "coco.py"
    path.write_text(TINY.replace("{joints}", "17"))
    with pytest.raises(PoseError, match="17 outputs; a top-down model of the 16 MPII joints"):
        estimators.build_model(model_of(path))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a checkpoint of tensors"),
        (b"PK\x03\x04 cut short", "not a checkpoint of tensors"),
    ],
)
def test_a_damaged_checkpoint_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "cut.pth"
    path.write_bytes(content)
    with pytest.raises(PoseError) as e:
        estimators.from_checkpoint(path)
    assert str(e.value).startswith(str(path)) and said in str(e.value)


def test_a_missing_checkpoint_or_config_is_named(tmp_path: Path, checkpoint: Path) -> None:
    with pytest.raises(PoseError, match=r"none\.pth: no such checkpoint"):
        estimators.from_checkpoint(tmp_path / "none.pth")
    with pytest.raises(PoseError, match=r"none\.py: no such config"):
        estimators.from_config(tmp_path / "none.py", checkpoint, trust_config=True)


def test_a_checkpoint_without_a_config_asks_for_one(checkpoint: Path) -> None:
    with pytest.raises(PoseError, match="give its config with --config"):
        estimators.from_checkpoint(checkpoint)


def test_a_device_that_is_not_there_is_named(config: Path, checkpoint: Path) -> None:
    with pytest.raises(SetupError, match="--device cuda:99"):
        estimators.from_config(config, checkpoint, trust_config=True, device="cuda:99")
    with pytest.raises(SetupError, match="--device toaster"):
        estimators.from_config(config, checkpoint, trust_config=True, device="toaster")


def test_the_bundled_checkpoints_are_what_the_manifest_says() -> None:
    import hashlib

    total = 0
    for preset in bundled().values():
        for network in ("pose", "locator"):
            path = CHECKPOINTS / preset[network]["file"]
            assert hashlib.sha256(path.read_bytes()).hexdigest() == preset[network]["sha256"]
            meta = read_checkpoint(path)["meta"]
            plan = FinetunePlan(**{k: v for k, v in meta["training"].items() if k != "quick"})  # an option of that time
            assert plan.command == preset[network]["command"]
            assert json.loads(meta["config"])["model"]["type"] == "TopdownPoseEstimator"
            total += path.stat().st_size
    assert total < 15e6


def test_an_estimator_trained_here_goes_before_a_bundled_one(workspace: Workspace) -> None:
    own = workspace.root / "estimators" / "mine" / "pose.pth"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"")
    preset = resolve("mine", workspace)
    assert preset.pose == own and preset.locator == resolve(DEFAULT).locator
    assert names(workspace) == [DEFAULT, "hrnet-w48-dark", "rtmpose-m", "mine"]
    with pytest.raises(UsageError, match="there is diver-r18, hrnet-w48-dark, rtmpose-m, mine"):
        resolve("other", workspace)


def soft_crops() -> np.ndarray:
    """Three crops of soft colours, uint8 (3, 128, 128, 3): in hard noise peaks are flat, and no place is exact."""
    coarse = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)
    return np.stack([cv2.resize(c, (128, 128), interpolation=cv2.INTER_CUBIC) for c in coarse])


@pytest.mark.slow
def test_all_round_a_turned_or_mirrored_crop_has_its_joints_turned_or_mirrored(config: Path, checkpoint: Path) -> None:
    """Whatever the network says of one crop, the mean over its eight sides turns with it."""
    square = read_checkpoint(resolve(DEFAULT).pose)
    settings = json.loads(square["meta"]["config"]) | {"all_round": True}
    estimator = estimators.MMPoseEstimator(settings, square["state_dict"], id="round").thorough
    crops = soft_crops()
    quarter, mirror = (np.ascontiguousarray(c) for c in (np.rot90(crops, 1, (1, 2)), crops[:, :, ::-1]))
    with torch.inference_mode():
        maps, turned_maps, mirrored_maps = (estimator._raw(estimator._normalised(c)) for c in (crops, quarter, mirror))
    torch.testing.assert_close(turned_maps, maps.rot90(1, (2, 3)), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(mirrored_maps[:, list(FLIP)], maps.flip(-1), atol=1e-5, rtol=1e-4)
    (there, sure), (turned, as_sure), (mirrored, _) = map(estimator.estimate, (crops, quarter, mirror))
    np.testing.assert_allclose(sure, as_sure, atol=1e-4)
    np.testing.assert_allclose(turned, np.stack([there[..., 1], 1 - there[..., 0]], -1), atol=5e-3)
    np.testing.assert_allclose(mirrored[:, list(FLIP), 0], 1 - there[..., 0], atol=5e-3)
    tall = read_config(config) | {"all_round": True}
    with pytest.raises(PoseError, match="all_round needs square crops"):
        estimators.MMPoseEstimator(tall, read_checkpoint(checkpoint)["state_dict"], id="tall")


def test_joints_of_a_crop_are_as_far_from_those_of_its_mirror_image_as_the_other_way_round() -> None:
    bundled = estimators.from_checkpoint(resolve(DEFAULT).pose)
    crops = soft_crops()
    gaps = bundled.mirror_gaps(crops)
    assert gaps.shape == (3, 16) and gaps.max() > 0.05, "colours tell a network nothing about places"
    back = bundled.mirror_gaps(np.ascontiguousarray(crops[:, :, ::-1]))
    np.testing.assert_allclose(gaps, back[:, list(FLIP)], atol=5e-3)
    assert bundled.mirror_gaps(crops[:0]).shape == (0, 16)


def test_in_several_sizes_a_network_wants_the_largest_crop_and_finds_joints_at_the_same_places() -> None:
    bundled = read_checkpoint(resolve(DEFAULT).pose)
    config = json.loads(bundled["meta"]["config"])
    assert crop_sides(config) == [96, 128, 160]

    def estimator(sizes: list[int] | None) -> estimators.MMPoseEstimator:
        return estimators.MMPoseEstimator(config | {"sizes": sizes}, bundled["state_dict"], id="sizes")

    crops = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3), np.uint8)
    once, twice = estimator(None).estimate(crops), estimator([128, 128]).thorough.estimate(crops)
    for one, two in zip(once, twice, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-4)
    several = estimator([96, 128, 160]).thorough
    assert several.input_size == (160, 160)
    joints, sure = several.estimate(np.zeros((2, 160, 160, 3), np.uint8))
    assert joints.shape == (2, 16, 2) and sure.shape == (2, 16)
    large = np.random.default_rng(0).integers(0, 256, (2, 160, 160, 3), np.uint8)
    np.testing.assert_allclose(several.mirror_gaps(large), estimator(None).mirror_gaps(large), atol=1e-6)
    assert np.nanmin(joints) > -0.1 and np.nanmax(joints) < 1.1, "fractions of the crop"


def test_a_fine_tuned_network_looks_once_unless_it_is_asked_to_look_many_times() -> None:
    bundled = read_checkpoint(resolve(DEFAULT).pose)
    config = json.loads(bundled["meta"]["config"])
    looks = config | {"all_round": True, "sizes": [96, 128, 160]}
    plain, tuned = (estimators.MMPoseEstimator(c, bundled["state_dict"], id="x") for c in (config, looks))
    crops = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3), np.uint8)
    many = tuned.thorough
    assert (tuned.input_size, many.input_size) == ((128, 128), (160, 160))
    for found, once in zip(tuned.estimate(crops), plain.estimate(crops), strict=True):
        np.testing.assert_array_equal(found, once)
    large = np.random.default_rng(0).integers(0, 256, (2, 160, 160, 3), np.uint8)
    assert many.heatmaps(large).shape == (2, 16, 32, 32), "of the size that the network learned"
    flipped = estimators.MMPoseEstimator(looks, bundled["state_dict"], id="x", flip=True)
    assert np.abs(flipped.estimate(crops)[0] - plain.estimate(crops)[0]).max() > 1e-3, "a flip test is still one"
    assert plain.thorough is plain, "one look is all it has"


def test_what_is_resized_keeps_its_corners() -> None:
    ramp = torch.linspace(0, 1, 32).expand(1, 1, 32, 32)
    torch.testing.assert_close(estimators._resized(ramp, 16)[0, 0, 3], torch.linspace(0, 1, 16))
    assert estimators._resized(ramp, 32) is ramp

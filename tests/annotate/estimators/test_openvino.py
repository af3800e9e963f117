"""Networks compiled by OpenVINO: the same joints as torch's."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from annotate.crop import crop
from annotate.estimators import mmpose as estimators
from annotate.estimators.openvino import compiled
from annotate.estimators.presets import DEFAULT, resolve
from finediving_pose.cli import main
from finediving_pose.errors import PoseError, SetupError, UsageError
from finediving_pose.frames import open_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.poses import read_poses
from finediving_pose.workspace import Workspace

if find_spec("openvino") is None:
    pytest.skip("no OpenVINO: pip install 'fdpose[openvino]'", allow_module_level=True)


def both(**how: Any) -> tuple[estimators.MMPoseEstimator, estimators.MMPoseEstimator]:
    """The bundled estimator, computed by torch and by OpenVINO."""
    path = resolve(DEFAULT).pose
    return estimators.from_checkpoint(path, **how), estimators.from_checkpoint(path, engine="openvino", **how)


def crops_of(dives: Workspace, estimator: estimators.MMPoseEstimator) -> np.ndarray:
    frames = [open_frames(dives, c.key) for c in read_clips(dives)]
    pictures = [f.read(f.numbers[i]) for f in frames for i in range(5, 45, 10)]
    return crop(pictures, np.array([[0, 0, p.shape[1], p.shape[0]] for p in pictures], np.float32), estimator)


@pytest.mark.parametrize("how", [{}, {"flip": True}], ids=["plain", "flip test"])
def test_joints_are_where_torch_puts_them(dives: Workspace, how: dict[str, Any]) -> None:
    exact, fast = both(**how)
    crops = crops_of(dives, exact)
    for ours, theirs in zip(fast.estimate(crops), exact.estimate(crops), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert fast.estimate(crops[:0])[0].shape == (0, 16, 2)
    np.testing.assert_allclose(fast.mirror_gaps(crops[:3]), exact.mirror_gaps(crops[:3]), atol=1e-4)
    np.testing.assert_allclose(fast.heatmaps(crops[:3]), exact.heatmaps(crops[:3]), atol=1e-4)


@pytest.mark.slow
def test_in_bfloat16_nearly_all_joints_stay_within_half_a_pixel(dives: Workspace) -> None:
    """Also where it looks from many sides, in other sizes than it was compiled with."""
    path = resolve(DEFAULT).pose
    exact, fast = estimators.from_checkpoint(path), estimators.from_checkpoint(path, bf16=True, engine="openvino")
    crops = crops_of(dives, exact)
    apart = np.linalg.norm((exact.estimate(crops)[0] - fast.estimate(crops)[0]) * exact.input_size, axis=-1)
    assert np.median(apart) < 0.2 and np.percentile(apart, 90) < 0.5
    many, fast_many = exact.thorough, fast.thorough
    np.testing.assert_allclose(fast_many.estimate(crops[:2])[1], many.estimate(crops[:2])[1], atol=0.05)


@pytest.mark.slow
def test_a_network_that_puts_out_two_maps_puts_out_two() -> None:
    """RTMPose: what it says of x and of y."""
    import mmpose

    from annotate.estimators.config import read_config

    folder = Path(mmpose.__file__).parent / ".mim/configs/body_2d_keypoint/rtmpose/mpii"
    torch.manual_seed(0)
    model = estimators.build_model(read_config(folder / "rtmpose-m_8xb64-210e_mpii-256x256.py")["model"]).eval()
    inputs = torch.rand(2, 3, 256, 256)
    with torch.inference_mode():
        theirs = model(inputs, None, mode="tensor")
    ours = compiled(model, inputs[:1], bf16=False, id="rtm")(inputs)
    assert len(ours) == len(theirs) == 2
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, atol=1e-3, rtol=1e-3)


def test_nothing_is_sent_to_anybody(tmp_path: Path) -> None:
    """openvino_telemetry, which comes with OpenVINO, gives every user a number and sends from the import on."""
    code = """
import sys
from annotate.estimators.mmpose import from_checkpoint
from annotate.estimators.presets import DEFAULT, resolve

from_checkpoint(resolve(DEFAULT).pose, engine="openvino")
assert "openvino" in sys.modules
print([name for name in sys.modules if name.startswith("openvino_telemetry")])
"""
    told = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"HOME": str(tmp_path)}, capture_output=True, text=True
    )
    assert (told.returncode, told.stdout) == (0, "[]\n"), told.stderr
    assert not (tmp_path / "intel").exists()  # where the number is kept


@pytest.mark.slow
def test_the_command_writes_the_same_poses_with_it(dives: Workspace) -> None:
    """To a fifth of a pixel; in two processes, which compile it each for itself."""

    def run(*words: str) -> list[np.ndarray]:
        command = ["annotate", "--auto", "--device", "cpu", "--no-bf16", "--force", "--data", str(dives.root), *words]
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 0, result.output
        return [read_poses(dives.pose_file("auto", c.key)).keypoints for c in read_clips(dives)]

    for ours, theirs in zip(run("--engine", "openvino", "--jobs", "2"), run(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=0.2)


def test_on_a_gpu_and_where_it_is_missing_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="--engine openvino computes on the processor, not on meta; add --device cpu"):
        estimators.from_checkpoint(resolve(DEFAULT).pose, device="meta", engine="openvino")
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(SetupError, match=r"install it with: pip install 'fdpose\[openvino\]'"):
        both()


def test_a_model_that_it_cannot_read_is_named() -> None:
    class Odd(torch.nn.Module):
        def forward(self, inputs: torch.Tensor, _: None, mode: str) -> torch.Tensor:
            raise ValueError(f"no {mode} here")

    with pytest.raises(PoseError, match=r"odd: OpenVINO can't compile this model .*leave --engine out"):
        compiled(Odd(), torch.zeros(1, 3, 8, 8), bf16=False, id="odd")

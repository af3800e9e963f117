"""Estimating joints: against mmpose's own ``inference_topdown``, one frame a call, same models, same run.

The work: frames of 455 x 256 with a box each, as an annotated dive has them; joints in pixels of the frame.
mmpose's way is the one its documentation shows: ``inference_topdown(model, frame, box)`` for every frame. Ours
crops a batch in threads while the model computes the batch before, in channels-last order, and decodes the batch
in one call; in float32 and, where the processor has it, in bfloat16; computed by torch and, on a processor where it is
installed, by OpenVINO. All with the same flip test or without. The rounds are interleaved; a figure is the median of
the rounds. Weights are random: the time does not depend on them.

That both find the same joints is checked in float32 in the same run: the largest distance is printed. What bfloat16
does to joints depends on weights that mean something, so random ones do not tell it.

Run: python benchmarks/annotation.py --frames 64 --rounds 5
     python benchmarks/annotation.py --frames 64 --rounds 5 --flip
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from annotate.crop import crop, to_frame
from annotate.estimators.config import read_config
from annotate.estimators.device import has_bf16
from annotate.estimators.mmpose import MMPoseEstimator
from finediving_pose.prefetch import prefetch

MODELS = {
    "HRNet-w32": "topdown_heatmap/mpii/td-hm_hrnet-w32_8xb64-210e_mpii-256x256.py",
    "RTMPose-m": "rtmpose/mpii/rtmpose-m_8xb64-210e_mpii-256x256.py",
}
WIDTH, HEIGHT = 455, 256


def made_up(n: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Soft coloured pictures and boxes in them."""
    rng = np.random.default_rng(0)
    scene = cv2.resize(rng.integers(0, 255, (14, 60, 3), np.uint8), (WIDTH + n, HEIGHT), interpolation=cv2.INTER_CUBIC)
    corner = rng.uniform((100, 40), (250, 120), (n, 2))
    size = rng.uniform((50, 70), (90, 130), (n, 2))
    frames = [np.ascontiguousarray(scene[:, i : i + WIDTH]) for i in range(n)]
    return frames, np.concatenate([corner, corner + size], axis=1).astype(np.float32)


def config_path(name: str) -> Path:
    """mmpose's own config, out of the installed package."""
    import mmpose

    return Path(mmpose.__file__).parent / ".mim/configs/body_2d_keypoint" / MODELS[name]


def mmpose_way(path: Path, flip: bool, device: str) -> tuple[Any, Callable[[list[np.ndarray], np.ndarray], np.ndarray]]:
    """The model with random weights, and a function from frames and boxes to joints (n, 16, 2)."""
    from mmengine.config import Config
    from mmpose.apis import inference_topdown, init_model

    from annotate.estimators.mmpose_compat import mmpose_scope

    config = Config(mmpose_scope(Config.fromfile(path).to_dict()))
    config.model.test_cfg.flip_test = flip
    config.test_dataloader.dataset.pipeline[0] = {"type": "LoadImage"}
    model = init_model(config, None, device=device)

    def joints(frames: list[np.ndarray], boxes: np.ndarray) -> np.ndarray:
        found = []
        for frame, box in zip(frames, boxes, strict=True):
            bgr = np.ascontiguousarray(frame[..., ::-1])
            sample: Any = inference_topdown(model, bgr, box[None])[0]
            found.append(sample.pred_instances.keypoints[0])
        return np.stack(found)

    return model, joints


def our_way(estimator: MMPoseEstimator) -> Callable[[list[np.ndarray], np.ndarray], np.ndarray]:
    """The same with an estimator of ours."""

    def joints(frames: list[np.ndarray], boxes: np.ndarray) -> np.ndarray:
        parts = [slice(i, i + estimator.batch) for i in range(0, len(frames), estimator.batch)]
        crops = prefetch(lambda part: crop(frames[part], boxes[part], estimator), parts)
        found = np.concatenate([estimator.estimate(c)[0] for c in crops])
        return to_frame(found, boxes, estimator)

    return joints


def compare(name: str, n: int, rounds: int, flip: bool, baseline_frames: int, device: str) -> None:
    """Time both ways on one model and print the table."""
    frames, boxes = made_up(n)
    model, reference = mmpose_way(config_path(name), flip, device)
    config, weights = read_config(config_path(name)), {k: v.cpu() for k, v in model.state_dict().items()}
    ways: dict[str, tuple[Any, int]] = {"mmpose inference_topdown": (reference, min(n, baseline_frames))}
    for engine in ("torch", "openvino") if device == "cpu" and find_spec("openvino") else ("torch",):
        for bf16 in (False, True) if has_bf16(device) else (False,):
            how: dict[str, Any] = {"device": device, "bf16": bf16, "flip": flip, "engine": engine}
            estimator = MMPoseEstimator(config, weights, id=name, **how)
            ways[f"{engine}, {'bfloat16' if bf16 else 'float32'}"] = our_way(estimator), n
    times: dict[str, list[float]] = {way: [] for way in ways}
    found: dict[str, np.ndarray] = {}
    for turn in range(rounds + 1):  # the first warms up
        for way, (joints, count) in ways.items():
            started = time.perf_counter()
            found[way] = joints(frames[:count], boxes[:count])
            if turn:
                times[way].append((time.perf_counter() - started) / count)
    theirs = found["mmpose inference_topdown"]
    apart = np.linalg.norm(found["torch, float32"][: len(theirs)] - theirs, axis=-1)
    where = f"{torch.get_num_threads()} threads" if device == "cpu" else torch.cuda.get_device_name(device)
    print(f"{name}, {'flip test' if flip else 'no flip test'}, {where}")
    slowest = statistics.median(times["mmpose inference_topdown"])
    for way, values in times.items():
        seconds = statistics.median(values)
        print(f"  {way:<26}{1000 * seconds:8.1f} ms a frame   {slowest / seconds:5.1f} x")
    print(f"  joints apart, float32 against mmpose: at most {np.nanmax(apart):.4f} pixels")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--baseline-frames", type=int, default=16, help="frames a round for the slow way")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--flip", action="store_true", help="with mmpose's flip test, in both")
    parser.add_argument("--device", default="cpu", help="as torch names it, e.g. cuda:0")
    parser.add_argument("--model", choices=list(MODELS), action="append", help="only this one; repeatable")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in options.model or MODELS:
        torch.manual_seed(0)
        compare(name, options.frames, options.rounds, options.flip, options.baseline_frames, options.device)


if __name__ == "__main__":
    main()

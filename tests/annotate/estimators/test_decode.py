"""Decoding a batch of heatmaps at once gives what mmpose gives picture by picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import annotate.estimators.mmpose_compat  # noqa: F401  (before mmpose)
from annotate.estimators.decode import decode

SIZES: dict[str, Any] = {"input_size": (192, 256), "heatmap_size": (48, 64), "sigma": 2}


def codec(type: str, **settings: Any) -> Any:
    from mmpose.registry import KEYPOINT_CODECS

    return KEYPOINT_CODECS.build({"type": type, **settings})


def peaks(n: int = 6, joints: int = 16) -> np.ndarray:
    """Gaussian peaks everywhere, at the border and outside as well, with noise, and one map without any heat."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-3, 51, (n, joints)), rng.uniform(-3, 67, (n, joints))
    columns, rows = np.arange(48)[None, None, None, :], np.arange(64)[None, None, :, None]
    far = (columns - x[..., None, None]) ** 2 + (rows - y[..., None, None]) ** 2
    heat = np.exp(-far / 8) + rng.normal(0, 0.004, (n, joints, 64, 48))
    heat[2, 3] = 0
    return heat.astype(np.float32)


@pytest.mark.parametrize(
    "made",
    [
        codec("MSRAHeatmap", **SIZES),
        codec("MSRAHeatmap", **SIZES, unbiased=True),
        codec("UDPHeatmap", **SIZES),
        codec("UDPHeatmap", **SIZES, heatmap_type="combined"),
    ],
    ids=["quarter pixel", "DARK", "UDP", "UDP with offsets"],
)
def test_heatmaps_of_a_batch_are_decoded_as_mmpose_decodes_each(made: Any) -> None:
    heat = peaks(joints=48 if getattr(made, "heatmap_type", "") == "combined" else 16)
    keypoints, scores = decode(made, torch.from_numpy(heat))
    each = [made.decode(h) for h in heat]
    np.testing.assert_array_equal(scores, np.concatenate([s for _, s in each]))
    found = scores > 0
    assert keypoints.shape == (6, 16, 2) and not found.all() and found.sum() > 90
    np.testing.assert_allclose(keypoints[found], np.concatenate([k for k, _ in each])[found], atol=2e-3)


@pytest.mark.parametrize("dark", [False, True])
def test_simcc_vectors_of_a_batch_are_decoded_as_mmpose_decodes_each(dark: bool) -> None:
    made = codec("SimCCLabel", input_size=(192, 256), sigma=6.0, simcc_split_ratio=2.0, use_dark=dark)
    rng = np.random.default_rng(0)
    x, y = rng.random((5, 16, 384), np.float32), rng.random((5, 16, 512), np.float32)
    keypoints, scores = decode(made, (torch.from_numpy(x.copy()), torch.from_numpy(y.copy())))
    each = [made.decode(a[None].copy(), b[None].copy()) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(keypoints, np.concatenate([k for k, _ in each]), atol=1e-4)
    np.testing.assert_array_equal(scores, np.concatenate([s for _, s in each]))


def test_of_two_peaks_in_a_map_the_second_is_found_as_well_as_the_first() -> None:
    made, one, two = codec("UDPHeatmap", **SIZES), peaks(8), np.roll(peaks(8), 1, axis=0)
    at = [decode(made, torch.from_numpy(heat)) for heat in (one, two)]
    keypoints, scores = decode(made, torch.from_numpy(np.maximum(one, 0.8 * two)), places=2)
    assert keypoints.shape == (8, 32, 2) and scores.shape == (8, 32)
    inside = [np.asarray(((k > 8) & (k < (184, 248))).all(-1)) & (s > 0.9) for k, s in at]
    apart = np.linalg.norm(at[0][0] - at[1][0], axis=-1) > 40
    clear = inside[0] & inside[1] & apart
    assert clear.sum() > 20
    for half, (wanted, _) in zip((slice(0, 16), slice(16, 32)), at, strict=True):
        np.testing.assert_allclose(keypoints[:, half][clear], wanted[clear], atol=1.0)
    assert (scores[:, 16:][clear] < 0.85).all() and (scores[:, 16:][clear] > 0.7).all()


def test_a_map_with_one_peak_has_no_second() -> None:
    made, columns, rows = codec("UDPHeatmap", **SIZES), np.arange(48)[None, :], np.arange(64)[:, None]
    heat = np.exp(-((columns - 20.3) ** 2 + (rows - 30.6) ** 2) / 8)[None, None].astype(np.float32)
    _, scores = decode(made, torch.from_numpy(heat), places=2)
    assert scores[0, 0] > 0.9 and scores[0, 1] <= 0

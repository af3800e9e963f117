"""Places of the joints out of a whole batch of heatmaps in one go.

mmpose decodes its heatmaps picture by picture and joint by joint. The same formulas are applied here to all
joints of a batch at once; the result is mmpose's to within rounding. Sources: Zhang et al., "Distribution-Aware
Coordinate Representation for Human Pose Estimation" (DARK), arXiv 1910.06278, section 3.2; Huang et al., "The
Devil is in the Details" (UDP), arXiv 1911.07524, section 4.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from scipy.ndimage import maximum_filter

_LEAST_DARK = 1e-10
_LEAST_UDP, _MOST_UDP = 1e-3, 50.0
"""Heat is held between these before its logarithm is taken, as mmpose does."""


def decode(codec: Any, raw: Any, places: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Joints of a batch as the model's codec means them.

    Parameters
    ----------
    codec : the head's decoder (an mmpose codec)
    raw : what the head put out: a float tensor (n, k, height, width), or a tuple of tensors
    places : 2 also for the second highest peak of every heatmap, as another k points after the first k; of what is no
        heatmap (SimCC, combined with offsets) there is none, its score is 0

    Returns
    -------
    keypoints : float32 (n, k, 2), pixels of the crop; anything where nothing was found
    scores : float32 (n, k), 0 or less where nothing was found
    """
    arrays = [part.float().cpu().numpy() for part in (raw if isinstance(raw, (tuple, list)) else (raw,))]
    found = [_decode(codec, arrays, None)]
    if places == 2:
        found.append(_decode(codec, arrays, _second(arrays[0])) if _is_heatmap(codec) else _nothing(found[0]))
    keypoints, scores = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
    return keypoints.astype(np.float32), scores.astype(np.float32)


def _is_heatmap(codec: Any) -> bool:
    kind = type(codec).__name__
    return kind == "MSRAHeatmap" or (kind == "UDPHeatmap" and codec.heatmap_type == "gaussian")


def _decode(codec: Any, arrays: list[np.ndarray], where: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Joints and scores; of heatmaps at the highest peaks of ``where``, if that is given."""
    kind = type(codec).__name__
    if _is_heatmap(codec):
        return (_msra if kind == "MSRAHeatmap" else _udp)(codec, arrays[0], arrays[0] if where is None else where)
    if kind == "SimCCLabel":
        keypoints, scores = codec.decode(*arrays)[:2]
        return keypoints, scores[0] if isinstance(scores, tuple) else scores
    each = [codec.decode(*parts)[:2] for parts in zip(*arrays, strict=True)]
    keypoints, scores = (np.concatenate(parts) for parts in zip(*each, strict=True))
    return keypoints, scores


def _nothing(like: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros_like(like[0]), np.zeros_like(like[1])


def _second(heat: np.ndarray) -> np.ndarray:
    """The maps with nothing left in them but their peaks, the highest one left out."""
    peaks = np.where(heat == maximum_filter(heat, size=(1, 1, 3, 3)), heat, 0)
    return np.where(peaks == peaks.max((2, 3), keepdims=True), 0, peaks)


def _msra(codec: Any, heat: np.ndarray, where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y, scores = _peaks(where)
    if codec.unbiased:
        offset = _dark_offset(_blurred(heat, codec.blur_kernel_size), x, y)
    else:
        offset = _quarter_offset(heat, x, y)
    return (np.stack([x, y], -1) + offset) * np.asarray(codec.scale_factor), scores


def _udp(codec: Any, heat: np.ndarray, where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y, scores = _peaks(where)
    offset = _udp_offset(_blurred(heat, codec.blur_kernel_size), x, y)
    height, width = heat.shape[2:]
    return (np.stack([x, y], -1) + offset) / (width - 1, height - 1) * codec.input_size, scores


def _peaks(heat: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Column, row and height of the highest point of each map (n, k, h, w): int (n, k) twice, float (n, k)."""
    flat = heat.reshape(*heat.shape[:2], -1)
    at = flat.argmax(-1)
    return at % heat.shape[3], at // heat.shape[3], np.take_along_axis(flat, at[..., None], -1)[..., 0]


def _blurred(heat: np.ndarray, size: int) -> np.ndarray:
    """Each map blurred with a Gaussian of ``size`` taps, nothing around it, its peak as high as before."""
    n, k, height, width = heat.shape
    border = size // 2
    tall = np.zeros((n * k, height + border, width), np.float32)  # the maps one below the other, with room between
    tall[:, :height] = heat.reshape(-1, height, width)
    rows = cv2.GaussianBlur(tall.reshape(-1, width), (size, size), 0, borderType=cv2.BORDER_CONSTANT)
    blurred = rows.reshape(n, k, height + border, width)[:, :, :height]
    highest = blurred.max((2, 3), keepdims=True)
    return blurred * (heat.max((2, 3), keepdims=True) / np.where(highest == 0, 1, highest))


def _around(heat: np.ndarray, x: np.ndarray, y: np.ndarray, dx: int, dy: int) -> np.ndarray:
    """Heat at an offset from (x, y) of every map, that of the border beyond it: (n, k)."""
    n, k, height, width = heat.shape
    rows, columns = np.ogrid[:n, :k]
    return heat[rows, columns, (y + dy).clip(0, height - 1), (x + dx).clip(0, width - 1)]


def _quarter_offset(heat: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A quarter of a cell towards the higher neighbour, away from the borders: (n, k, 2)."""
    height, width = heat.shape[2:]
    dx = _around(heat, x, y, 1, 0) - _around(heat, x, y, -1, 0)
    dy = _around(heat, x, y, 0, 1) - _around(heat, x, y, 0, -1)
    inside_x = (x > 1) & (x < width - 1) & (y > 0)
    inside_y = (y > 1) & (y < height - 1) & (x > 0)
    return 0.25 * np.stack([np.sign(dx) * inside_x, np.sign(dy) * inside_y], -1)


def _dark_offset(heat: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """One Newton step on the logarithm of the heat, derivatives over two cells (DARK, equation 9): (n, k, 2)."""
    height, width = heat.shape[2:]

    def log(dx: int, dy: int) -> np.ndarray:
        return np.log(np.maximum(_around(heat, x, y, dx, dy), _LEAST_DARK))

    gx, gy = (log(1, 0) - log(-1, 0)) / 2, (log(0, 1) - log(0, -1)) / 2
    xx = (log(2, 0) - 2 * log(0, 0) + log(-2, 0)) / 4
    yy = (log(0, 2) - 2 * log(0, 0) + log(0, -2)) / 4
    xy = (log(1, 1) - log(1, -1) - log(-1, 1) + log(-1, -1)) / 4
    inside = (x > 1) & (x < width - 2) & (y > 1) & (y < height - 2)
    return np.where(inside[..., None], _newton(gx, gy, xx, xy, yy), 0)


def _udp_offset(heat: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """One Newton step on the logarithm of the heat, derivatives over one cell, up to the border: (n, k, 2)."""

    def log(dx: int, dy: int) -> np.ndarray:
        return np.log(_around(heat, x, y, dx, dy).clip(_LEAST_UDP, _MOST_UDP))

    here, right, left, below, above = log(0, 0), log(1, 0), log(-1, 0), log(0, 1), log(0, -1)
    gx, gy = (right - left) / 2, (below - above) / 2
    slope = np.finfo(np.float32).eps  # a flat map moves nothing
    xx, yy = right - 2 * here + left + slope, below - 2 * here + above + slope
    xy = (log(1, 1) - right - below + 2 * here - left - above + log(-1, -1)) / 2
    return _newton(gx, gy, xx, xy, yy)


def _newton(gx: np.ndarray, gy: np.ndarray, xx: np.ndarray, xy: np.ndarray, yy: np.ndarray) -> np.ndarray:
    """The step from gradient and Hessian, (n, k) each, to where the gradient is 0: (n, k, 2); 0 where there is none."""
    determinant = xx * yy - xy * xy
    step = np.stack([xy * gy - yy * gx, xy * gx - xx * gy], -1)
    return step / np.where(determinant == 0, np.inf, determinant)[..., None]

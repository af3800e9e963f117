"""Pictures of a clip as a model reads them: of some frames, small, cropped. Fast rather than exact.

Pictures are 112 high and 200 wide, as published, before the crop. From the cache they are read; from JPEG they
are decoded at half size, which libjpeg does in the frequency domain, and brought to size with bilinear
interpolation, the crop alone. The two differ by a few grey levels (``docs/format.md``);
:meth:`~finediving_pose.packed.arrays.PackedArrays.training_frames` gives the cache's pixels from JPEG exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from finediving_pose.errors import FrameError
from finediving_pose.jpeg import jpeg_size
from finediving_pose.packed.schema import TRAINING_HEIGHT, TRAINING_WIDTH
from finediving_pose.packed.views import TRAINING_SIZE, View

if TYPE_CHECKING:
    from finediving_pose.packed.reader import PackedFile

MEAN = np.array((0.485, 0.456, 0.406), np.float32)
DEVIATION = np.array((0.229, 0.224, 0.225), np.float32)
"""Of ImageNet's RGB values in [0, 1], as published networks expect their input."""

_NORMALISED = ((np.arange(256, dtype=np.float32)[:, None] / 255 - MEAN) / DEVIATION).T.copy()
"""(3, 256): what each value of each channel becomes."""


def snippet(packed: PackedFile, i: int, positions: NDArray[np.int64], view: View) -> NDArray[np.uint8]:
    """Pictures of clip ``i`` at ``positions``, cropped, not mirrored: uint8 (len(positions), side, side, 3), RGB.

    Raises PackedError where a picture can't be decoded, ValueError where the view is not inside 200 x 112.
    """
    if not view.is_inside(TRAINING_SIZE):
        raise ValueError(f"{view} is not inside {TRAINING_WIDTH} x {TRAINING_HEIGHT}")
    cached = packed.cached_block(i, positions)
    out = np.empty((len(positions), view.side, view.side, 3), np.uint8)
    if cached is not None:
        block, at = cached
        for picture, k in zip(out, at, strict=True):
            picture[:] = block[k, view.y : view.y + view.side, view.x : view.x + view.side]
        return out
    scratch = None  # one for all pictures, which stays in the processor's cache
    for picture, jpeg in zip(out, packed.jpegs(i, positions), strict=True):
        scratch = _decode(packed, i, jpeg, view, picture, scratch)
    return out


def normalised(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 (n, height, width, 3) -> float32 (3, n, height, width): to [0, 1], less the mean, over the deviation."""
    n, height, width, _ = pictures.shape
    out = np.empty((3, n, height, width), np.float32)
    rows = pictures.reshape(-1, width, 3)
    for c in range(3):  # a table look-up of OpenCV's is faster than arithmetic on floats
        cv2.LUT(cv2.extractChannel(rows, c), _NORMALISED[c], dst=out[c].reshape(-1, width))
    return out


def mirrored(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 (n, height, width, 3) with left and right exchanged."""
    width = pictures.shape[2]
    return np.asarray(cv2.flip(pictures.reshape(-1, width, 3), 1), np.uint8).reshape(pictures.shape)


def _decode(
    packed: PackedFile, i: int, jpeg: bytes, view: View, out: np.ndarray, scratch: np.ndarray | None
) -> np.ndarray:
    """Decode one picture into ``out`` by way of ``scratch``, made for the first; returns that for the next."""
    try:
        jpeg_size(jpeg, "it")
        half = simplejpeg.decode_jpeg(
            jpeg, colorspace="RGB", fastdct=True, fastupsample=True, min_height=TRAINING_HEIGHT,
            min_width=TRAINING_WIDTH, min_factor=1, buffer=scratch,
        )  # fmt: skip
    except (ValueError, FrameError) as e:
        raise packed.undecodable(i, e) from e
    height, width = half.shape[:2]
    x_scale, y_scale = width / TRAINING_WIDTH, height / TRAINING_HEIGHT
    # a pixel's centre is its coordinate
    to_source = np.array(
        [
            [x_scale, 0, (view.x + 0.5) * x_scale - 0.5],
            [0, y_scale, (view.y + 0.5) * y_scale - 0.5],
        ]
    )
    cv2.warpAffine(
        half, to_source, (view.side, view.side), dst=out, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return half

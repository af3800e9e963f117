"""One JPEG picture: its size and its pixels, read within bounds.

What follows the end mark is passed over, as every viewer does: editors and transfers add line ends there, cameras a
second picture (MPO). CMYK and grey pictures become RGB. Pixels come as they are coded: an orientation note (EXIF)
is not obeyed, and ``fdpose extract`` refuses pictures with one.
"""

from __future__ import annotations

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from finediving_pose.bounds import check_pixels
from finediving_pose.clip import ClipKey
from finediving_pose.errors import FrameError

MOST_PIXELS_A_BYTE = 1024
"""A block of 8 x 8 pixels takes a bit at least, so a byte holds no more than 512 of them; the rest is leeway."""

_END = b"\xff\xd9"
_OTHER_KINDS = {
    b"\x89PNG": "PNG", b"GIF8": "GIF", b"RIFF": "WebP", b"BM": "BMP", b"II*\0": "TIFF", b"MM\0*": "TIFF",
    b"\xff\x4f\xff\x51": "JPEG 2000", b"\0\0\0\x0cjP": "JPEG 2000", b"<": "a web page",
}  # fmt: skip


def jpeg_size(data: bytes, where: str) -> tuple[int, int]:
    """Width and height from a JPEG header.

    Raises FrameError naming ``where`` for anything else, and for a size that is beyond the limit or that the bytes
    can't hold.
    """
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError as e:
        raise FrameError(f"{where}: not a JPEG picture, can't be decoded ({_kind(data) or e}); {_mend(data)}") from e
    check_pixels(width, height, where, FrameError)
    if width * height > MOST_PIXELS_A_BYTE * len(data):
        raise FrameError(
            f"{where} is damaged: {len(data):,} bytes can't hold the {width:,} x {height:,} pixels that it declares;"
            " replace the file, or leave the frame out"
        )
    return int(width), int(height)


def decode_jpeg(
    data: bytes, where: str, key: ClipKey | None = None, least_height: int | None = None
) -> NDArray[np.uint8]:
    """Decode to uint8 (height, width, 3), RGB.

    With ``least_height``, at a reduced size where that is no lower. Raises FrameError for a damaged or cut picture,
    and as :func:`jpeg_size`.
    """
    mend = f"extract it again with: fdpose extract --clip {key} --force" if key else "replace the file"
    if _END not in data:
        raise FrameError(f"{where} is cut short ({len(data):,} bytes, no end mark); {mend}")
    jpeg_size(data, where)
    try:
        return simplejpeg.decode_jpeg(data, colorspace="RGB", min_height=least_height or 0, min_factor=1)
    except ValueError as e:
        if str(e).startswith("Premature end of JPEG file"):  # the end mark was that of a thumbnail in it
            raise FrameError(f"{where} is cut short ({len(data):,} bytes, no end mark); {mend}") from e
        raise FrameError(f"{where} can't be decoded ({e}); {mend}") from e


def _kind(data: bytes) -> str | None:
    """What the bytes are in place of a JPEG picture, None where that is not known."""
    if not data.strip(b"\0"):
        return f"{len(data):,} bytes, all zero" if data else "an empty file"
    return next((f"it is {kind}" for start, kind in _OTHER_KINDS.items() if data.startswith(start)), None)


def _mend(data: bytes) -> str:
    picture = any(data.startswith(start) for start in _OTHER_KINDS if start != b"<")
    return "convert it to JPEG first" if picture else "replace the file, or leave the frame out"

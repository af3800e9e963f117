"""One JPEG picture: its size and its pixels, read within bounds.

What follows the end mark is passed over, as every viewer does: editors and transfers add line ends there, cameras a
second picture (MPO). CMYK and grey pictures become RGB. Pixels come as they are coded; :func:`upright` obeys an
orientation note (EXIF), as browsers and annotation tools do.
"""

from __future__ import annotations

from collections.abc import Callable

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
        height, width = map(int, simplejpeg.decode_jpeg_header(data)[:2])
    except ValueError as e:
        raise FrameError(f"{where}: not a JPEG picture, can't be decoded ({_kind(data) or e}); {_mend(data)}") from e
    check_pixels(width, height, where, FrameError)
    if width * height > MOST_PIXELS_A_BYTE * len(data):
        raise FrameError(
            f"{where} is damaged: {len(data):,} bytes can't hold the {width:,} x {height:,} pixels that it declares;"
            " replace the file, or leave the frame out"
        )
    return width, height


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


def upright(data: bytes, where: str) -> bytes:
    """The picture as it is meant to be seen: the same bytes, or where a note asks to turn it (EXIF), a new JPEG.

    Raises FrameError as :func:`decode_jpeg`.
    """
    turn = _TURNS.get(_orientation(data))
    if turn is None:
        return data
    turned = np.ascontiguousarray(turn(decode_jpeg(data, where)))
    return simplejpeg.encode_jpeg(turned, quality=TURNED_QUALITY, colorsubsampling="444")


TURNED_QUALITY = 95

_TURNS: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: p[::-1].transpose(1, 0, 2),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: p[:, ::-1].transpose(1, 0, 2),
}
"""By the number that EXIF gives an orientation (JEITA CP-3451, tag 274)."""

_EXIF, _SEGMENT = b"Exif\0\0", 1 << 16


def _orientation(data: bytes) -> int:
    """EXIF's number, 1 where there is none."""
    at = data.find(_EXIF, 0, _SEGMENT)
    if at < 0:
        return 1
    from PIL import Image

    exif = Image.Exif()
    try:
        exif.load(data[at : at + _SEGMENT])
        return int(exif.get(274, 1))
    except Exception:  # a damaged note, of which Pillow raises anything, asks for nothing
        return 1


def _kind(data: bytes) -> str | None:
    """What the bytes are in place of a JPEG picture, None where that is not known."""
    if not data.strip(b"\0"):
        return f"{len(data):,} bytes, all zero" if data else "an empty file"
    return next((f"it is {kind}" for start, kind in _OTHER_KINDS.items() if data.startswith(start)), None)


def _mend(data: bytes) -> str:
    picture = any(data.startswith(start) for start in _OTHER_KINDS if start != b"<")
    return "convert it to JPEG first" if picture else "replace the file, or leave the frame out"

"""How large a picture may be that a file declares, before it is decoded: a few bytes can ask for any memory."""

from __future__ import annotations

import os

from finediving_pose.errors import FdposeError, UsageError

SETTING = "FDPOSE_MAX_PIXELS"
DEFAULT_MAX_PIXELS = 8192 * 8192
"""Pixels of one picture or video frame, 200 MB decoded; more where the environment variable SETTING says so."""


def max_pixels() -> int:
    """The limit that holds. Raises UsageError where SETTING is not a whole number above 0."""
    text = os.environ.get(SETTING, "").strip()
    if not text:
        return DEFAULT_MAX_PIXELS
    if not text.isdecimal() or not int(text):
        raise UsageError(f"{SETTING} is {text!r}; set it to a number of pixels, such as {DEFAULT_MAX_PIXELS}")
    return int(text)


def check_pixels(width: int, height: int, where: str, error: type[FdposeError]) -> None:
    """Raise ``error`` for a picture, named ``where``, that declares more pixels than the limit."""
    if width * height > max_pixels():
        raise error(
            f"{where} declares {width:,} x {height:,} pixels, the limit is {max_pixels():,}; make it smaller, or if you"
            f" trust the file, set {SETTING}={width * height}"
        )

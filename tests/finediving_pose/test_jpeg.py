"""A JPEG picture is read as viewers show it, and never takes more memory than its bytes explain."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import simplejpeg
from PIL import Image, ImageDraw, ImageOps

from finediving_pose.bounds import SETTING
from finediving_pose.errors import FrameError, UsageError
from finediving_pose.jpeg import decode_jpeg, jpeg_size, upright


def drawn() -> Image.Image:
    """No two corners alike."""
    picture = Image.new("RGB", (64, 48), (20, 90, 140))
    draw = ImageDraw.Draw(picture)
    draw.rectangle([4, 4, 20, 14], fill=(250, 240, 230))
    draw.rectangle([40, 30, 60, 44], fill=(200, 40, 30))
    return picture


def coded(mode: str = "RGB", kind: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    drawn().convert(mode).save(out, kind, quality=95, **options)
    return out.getvalue()


def with_note(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[274] = orientation
    return coded(exif=exif)


def declaring(width: int, height: int) -> bytes:
    """A picture of 16 x 16 whose header says another size."""
    data = bytearray(simplejpeg.encode_jpeg(np.zeros((16, 16, 3), np.uint8)))
    at = data.find(b"\xff\xc0")
    data[at + 5 : at + 9] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(data)


@pytest.mark.parametrize("tail", [b"\n", b"\r\n", b"\0" * 4096, b"photo editor's notes", coded(), b"\xff"])
def test_bytes_after_the_end_mark_change_nothing(tail: bytes) -> None:
    assert np.array_equal(decode_jpeg(coded() + tail, "it"), decode_jpeg(coded(), "it"))


@pytest.mark.parametrize(
    "data",
    [
        coded(progressive=True),
        coded("CMYK"),
        coded("L"),
        coded(kind="MPO", save_all=True, append_images=[Image.new("RGB", (64, 48))]),
    ],
    ids=["progressive", "CMYK", "grey", "MPO"],
)
def test_every_kind_of_jpeg_is_what_pillow_shows(data: bytes) -> None:
    shown = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int)
    assert np.abs(decode_jpeg(data, "it").astype(int) - shown).max() <= 4


@pytest.mark.parametrize("keep", range(20, len(coded()), 37))
def test_a_cut_picture_is_told_to_be_cut_whatever_follows_it(keep: int) -> None:
    for tail in (b"", b"\r\n"):
        with pytest.raises(FrameError, match="it is cut short"):
            decode_jpeg(coded()[:keep] + tail, "it")


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_picture_with_a_note_to_turn_it_is_stored_as_it_is_shown(orientation: int) -> None:
    data = with_note(orientation)
    shown = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))), int)
    turned = upright(data, "it")
    assert np.abs(decode_jpeg(turned, "it").astype(int) - shown).mean() < 2
    assert upright(turned, "it") is turned


@pytest.mark.parametrize("data", [coded(), with_note(1), b"Exif\0\0nonsense" + coded(), coded()[:2] + b"Exif\0\0"])
def test_a_picture_without_such_a_note_keeps_its_bytes(data: bytes) -> None:
    assert upright(data, "it") is data


@pytest.mark.parametrize("side", [8193, 20000, 65500])
def test_a_picture_beyond_the_limit_is_refused_before_it_is_decoded(side: int) -> None:
    with pytest.raises(
        FrameError, match=rf"it declares {side:,} x {side:,} pixels, the limit is .*{SETTING}={side**2}"
    ):
        jpeg_size(declaring(side, side), "it")


def test_a_size_that_the_bytes_can_not_hold_is_damage() -> None:
    with pytest.raises(FrameError, match=r"it is damaged: \d+ bytes can't hold the 8,000 x 8,000 pixels"):
        decode_jpeg(declaring(8000, 8000), "it")


def test_the_limit_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "3071")
    with pytest.raises(FrameError, match="64 x 48 pixels, the limit is 3,071"):
        decode_jpeg(coded(), "it")
    monkeypatch.setenv(SETTING, "3072")
    assert decode_jpeg(coded(), "it").shape == (48, 64, 3)
    monkeypatch.setenv(SETTING, "many")
    with pytest.raises(UsageError, match="FDPOSE_MAX_PIXELS is 'many'"):
        decode_jpeg(coded(), "it")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (coded(kind="PNG"), "it is PNG.*convert it to JPEG first"),
        (b"RIFF\0\0\0\0WEBP", "it is WebP"),
        (b"<html>", "it is a web page"),
        (bytes(900), "900 bytes, all zero"),
        (b"", "an empty file"),
    ],
)
def test_what_is_no_jpeg_is_called_what_it_is(data: bytes, says: str) -> None:
    with pytest.raises(FrameError, match=f"not a JPEG picture.*{says}"):
        jpeg_size(data, "it")

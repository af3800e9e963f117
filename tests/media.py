"""Small videos and pictures whose frames carry their own number, painted as blocks."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np
import simplejpeg

BITS = 8
WIDTH, HEIGHT = 320, 192


def painted(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A picture that shows ``number`` in binary, one vertical block a bit, the lowest bit on the left."""
    bits = np.array([number >> b & 1 for b in range(BITS)], np.uint8) * 200 + 20
    columns = bits[np.arange(width) * BITS // width]
    return np.broadcast_to(columns[None, :, None], (height, width, 3)).copy()


def painted_number(rgb: np.ndarray) -> int:
    """The number that a picture shows, at any size."""
    height, width = rgb.shape[:2]
    at = ((np.arange(BITS) + 0.5) * width / BITS).astype(int)
    return int(sum(1 << b for b, bright in enumerate(rgb[height // 2, at].mean(-1) > 128) if bright))


def jpeg(number: int, width: int = WIDTH, height: int = HEIGHT) -> bytes:
    return simplejpeg.encode_jpeg(painted(number, width, height), quality=95)


def write_video(
    path: Path,
    n: int,
    codec: str = "libx264",
    codec_options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    times: Iterable[int] | None = None,
    *,
    rate: int = 25,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    picture: Callable[[int, int, int], np.ndarray] = painted,
    prepare: Callable[[Any, Any], None] | None = None,
) -> Path:
    """A video of ``n`` numbered frames at ``rate`` frames a second, or at ``times`` in 1/1000 s.

    ``picture`` gives a frame by its number, width and height; ``prepare`` gets the container and the stream before
    anything is written.
    """
    stamps = list(times) if times is not None else [40 * i for i in range(n)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(path, "w", options=container_options or {}) as container:
        stream: Any = container.add_stream(codec, rate=rate, options=codec_options or {})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        base = Fraction(1, 1000) if times is not None else Fraction(1, rate)
        stream.codec_context.time_base = base
        if prepare:
            prepare(container, stream)
        for i in range(n):
            frame = av.VideoFrame.from_ndarray(picture(i, *size), format="rgb24")
            frame.time_base, frame.pts = base, stamps[i] if times is not None else i
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def ffmpeg() -> str:
    """The ffmpeg program of the imageio-ffmpeg package: the one on the path may be too old for an option."""
    return imageio_ffmpeg.get_ffmpeg_exe()


def remux(source: Path, target: Path, before: Sequence[str] = (), after: Sequence[str] = ()) -> Path:
    """Copy a video's packets into another file with the ffmpeg program, ``before`` and ``after`` being its options."""
    words = [ffmpeg(), "-v", "error", "-y", *before, "-i", str(source), *after, "-c", "copy", str(target)]
    subprocess.run(words, check=True)
    return target


def write_pictures(folder: Path, numbers: Iterable[int], prefix: str = "") -> Path:
    """A folder of numbered JPEG pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        (folder / f"{prefix}{number:05d}.jpg").write_bytes(jpeg(number))
    return folder

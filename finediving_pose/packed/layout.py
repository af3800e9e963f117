"""Whether the datasets of a packed file have the types and shapes that format 1 gives them (``docs/format.md``)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from finediving_pose.packed import schema
from finediving_pose.packed.arrays import PackedArrays


def wrong_datasets(file: PackedArrays) -> Iterator[tuple[str, str]]:
    """Datasets whose type or shape is not that of format 1, and what is wrong."""
    n_clips, n_frames = (next(iter(file.shape(name)), 0) for name in ("clips/video", "frames/number"))
    expected: dict[str, tuple[str, tuple[int, ...]]] = {
        "clips/frame_offset": ("<i8", (n_clips + 1,)),
        "frames/jpeg": ("|u1", (-1,)),
        "frames/jpeg_offset": ("<i8", (n_frames + 1,)),
        "frames/number": ("<i4", (n_frames,)),
        "labels/sub_action": ("<i2", (n_frames,)),
        "digest/clip": ("|u1", (n_clips, 32)),
        **{f"clips/{c.name}": (c.dtype, (n_clips, -1) if c.width else (n_clips,)) for c in schema.COLUMNS},
        **{f"pose/{name}": (dtype, (n_frames, *shape)) for name, (dtype, shape, _) in schema.POSE.items()},
    }
    if file.has_cache:
        expected[schema.CACHE] = ("|u1", (n_frames, schema.TRAINING_HEIGHT, schema.TRAINING_WIDTH, 3))
    for name, (dtype, shape) in expected.items():
        real = file.shape(name)
        fits = len(real) == len(shape) and all(want in (-1, n) for want, n in zip(shape, real, strict=True))
        if not fits:
            yield name, f"shape {real}, expected {tuple('any' if n < 0 else n for n in shape)}"
            continue
        kind = file.dataset(name, slice(0, 0)).dtype
        if (kind.kind not in "SO") if dtype == "S" else kind != np.dtype(dtype):
            yield name, f"type {kind}, expected {dtype}"

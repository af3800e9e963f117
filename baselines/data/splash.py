"""How large a dive's splash is: supervision of the paper's second version.

The packed file has no splashes; their sizes are read from beside it, the masks of the authors' ``FineDiving-splash``
or the truth of a synthetic competition.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from finediving_pose import droppings
from finediving_pose.clip import composed
from finediving_pose.documents import read_json
from finediving_pose.errors import LabelError, UsageError
from finediving_pose.labels.unpickler import load_pickle
from finediving_pose.synth.camera import HEIGHT, WIDTH

UNKNOWN = -1.0
"""Size of a splash of which no frame has a mask."""


def splash_size(areas: ArrayLike, pixels: int) -> float:
    """Area of the splash over the frames that show one, by the trapezoid rule: (n,) pixels -> about 5 x its share.

    The step is 5, and the sum is divided by the picture's area and by n. :data:`UNKNOWN` where n is 0.
    Source: ``datasets/FineDiving_Pair.py`` of the public code (commit 712bca1).
    """
    areas = np.asarray(areas, float)
    return float(np.trapezoid(areas, dx=5) / (pixels * len(areas))) if len(areas) else UNKNOWN


def read_splashes(source: Path) -> dict[str, float]:
    """Sizes by ``video/index``, from a folder ``<video>/<index>.pkl`` or from ``truth/dives.json`` of ``fdpose synth``.

    A pickle holds ``splash_pred_masks``: a mask (112, 112) for every frame, None where there is no splash.

    Raises
    ------
    UsageError
        There is nothing of the kind.
    LabelError
        A file holds something else.
    """
    if source.is_dir():
        files = sorted(droppings.found(source, "*/*.pkl"))
        found = {f"{composed(p.parent.name)}/{p.stem}": _size_of_masks(p) for p in files}
    elif source.is_file():
        found = _of_synthetic_dives(source)
    else:
        found = {}
    if not found:
        raise UsageError(f"{source}: no splashes; name a folder with <video>/<index>.pkl, or a truth/dives.json")
    return found


def _size_of_masks(path: Path) -> float:
    content = load_pickle(path)
    masks = content.get("splash_pred_masks") if isinstance(content, dict) else None
    if not isinstance(masks, Sequence):
        raise LabelError(f"{path}: has no splash_pred_masks; copy the file again")
    seen = [np.asarray(m) for m in masks if m is not None]
    if any(m.shape != seen[0].shape or m.ndim != 2 for m in seen):
        raise LabelError(f"{path}: its masks are not pictures of one size; copy the file again")
    return splash_size([np.count_nonzero(m) for m in seen], seen[0].size if seen else 1)


def _of_synthetic_dives(path: Path) -> dict[str, float]:
    content = read_json(path, LabelError)
    try:
        areas = {f"{d['video']}/{d['index']}": [float(a) for a in d["splash_area"] if a] for d in content["dives"]}
    except (ValueError, KeyError, TypeError) as e:
        raise LabelError(f"{path}: no dives with a splash_area ({type(e).__name__}: {e}); make it again") from e
    return {key: splash_size(shown, WIDTH * HEIGHT) for key, shown in areas.items()}

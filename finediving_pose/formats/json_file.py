"""JSON of other tools, read with care."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finediving_pose.errors import PoseError


def load_json(path: Path) -> Any:
    """The file's content. Raises PoseError where it is missing or not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PoseError(f"{path}: no such annotation file") from None
    except (OSError, ValueError) as e:
        raise PoseError(f"{path}: not a JSON file ({e})") from e


def numbers(value: Any, shape: tuple[int, ...]) -> NDArray[np.float64] | None:
    """The value as float64 of that shape, all finite, or None."""
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        return None
    return array if array.shape == shape and np.isfinite(array).all() else None

"""What SLEAP and NWB files have in common: sleap-io, and joints by the names of nodes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from finediving_pose.errors import PoseError, SetupError
from finediving_pose.skeleton import INDEX, JOINTS, N_JOINTS

TRACKS = ("diver0", "diver1")


def named_points(path: Path, entry: str, names: list[str], points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Points in our order, NaN for joints that the file's skeleton lacks."""
    unknown = next((n for n in names if n not in INDEX), None)
    if unknown:
        raise PoseError(f"{path}: {entry}: node {unknown!r} is none of the joints {', '.join(JOINTS)}; rename it")
    found = np.full((N_JOINTS, 2), np.nan, np.float32)
    found[[INDEX[n] for n in names]] = points
    return found


@contextmanager
def quiet_sleap() -> Iterator[Any]:
    """sleap-io, its warnings on missing metadata left out. Raises SetupError where it is not installed."""
    if find_spec("sleap_io") is None:
        raise SetupError("SLEAP and NWB files need sleap-io; install it with: pip install 'fdpose[formats]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sleap_io

        yield sleap_io

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
from finediving_pose.formats.joint_names import joint_index
from finediving_pose.skeleton import JOINTS, N_JOINTS

TRACKS = ("diver0", "diver1")


def named_points(path: Path, entry: str, names: list[str], points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Points in our order, NaN for joints that the file's skeleton lacks."""
    found = np.full((N_JOINTS, 2), np.nan, np.float32)
    found[node_joints(path, entry, names)] = points
    return found


def node_joints(path: Path, entry: str, names: list[str]) -> list[int]:
    """Our index of each node. Raises PoseError for other names, and for two nodes of one joint."""
    joints = [joint_index(name) for name in names]
    unknown = next((name for name, joint in zip(names, joints, strict=True) if joint is None), None)
    if unknown is not None:
        raise PoseError(f"{path}: {entry}: node {unknown!r} is none of the joints {', '.join(JOINTS)}; rename it")
    if len(set(joints)) < len(joints):
        raise PoseError(f"{path}: {entry}: two nodes are one joint: {', '.join(names)}; rename one")
    return [joint for joint in joints if joint is not None]


@contextmanager
def quiet_sleap() -> Iterator[Any]:
    """sleap-io, its warnings on missing metadata left out. Raises SetupError where it is not installed."""
    if find_spec("sleap_io") is None:
        raise SetupError("SLEAP and NWB files need sleap-io; install it with: pip install 'fdpose[formats]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sleap_io

        yield sleap_io

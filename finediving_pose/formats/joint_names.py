"""Which of the 16 joints does a name of another program mean?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from finediving_pose.errors import PoseError
from finediving_pose.skeleton import INDEX, JOINTS, N_JOINTS

_SEPARATORS = re.compile(r"[\s_-]+")
_BY_LETTERS = {name.replace("_", ""): i for name, i in INDEX.items()}


def joint_index(name: Any) -> int | None:
    """Our index of a joint. Case, spaces, hyphens and underscores make no difference; None for any other name."""
    return _BY_LETTERS.get(_SEPARATORS.sub("", name).lower()) if isinstance(name, str) else None


def joint_indices(names: Any, where: str) -> list[int]:
    """Our index of each of a file's keypoints, which are the 16 joints in any order.

    Raises PoseError beginning with ``where`` for any other list.
    """
    if not isinstance(names, Sequence) or isinstance(names, str):
        raise PoseError(f"{where}: the keypoint names are {_short(names)}, expected a list of the {N_JOINTS} joints")
    found = [joint_index(name) for name in names]
    missing = [joint for i, joint in enumerate(JOINTS) if i not in found]
    unknown = [_short(name) for name, i in zip(names, found, strict=True) if i is None]
    if missing or unknown or len(found) != N_JOINTS:
        raise PoseError(
            f"{where} has {len(names)} keypoints, expected the {N_JOINTS} joints {JOINTS[0]} to {JOINTS[-1]}"
            + (f"; {missing[0]} is missing" if missing else "")
            + (f"; {unknown[0]} is none of them" if unknown else "")
        )
    return [i for i in found if i is not None]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

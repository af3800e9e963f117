"""Settings of a network, which belong to its method: what presets say of them tells what they can be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from baselines.method import Method
from finediving_pose.errors import UsageError


def check_like_presets(method: Method, path: Sequence[str], value: Any) -> None:
    """Refuse a value of ``model`` that is of another kind than in every preset of the method.

    A number is not negative where none of the presets' is, and not zero where they are whole numbers above it. What no
    preset has is left to the network.

    Parameters
    ----------
    path : names of the setting within the section

    Raises
    ------
    UsageError
        The value can't be meant.
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            check_like_presets(method, [*path, str(key)], inner)
        return
    known = [found for preset in method.presets if (found := _find(method.sections(preset), path)) is not None]
    if not known or value is None:
        return
    kinds = dict.fromkeys(_kind(other) for other in known)
    if _kind(value) not in kinds and not (_kind(value) == "a whole number" and "a number" in kinds):
        raise UsageError(f"model.{'.'.join(path)}={value}: expected {' or '.join(kinds)}, such as {known[0]}")
    numbers = [other for other in known if isinstance(other, (int, float))]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not numbers:
        return
    least = min(numbers)
    if not math.isfinite(value) or (value < 0 <= least) or (value == 0 < least and isinstance(least, int)):
        floor = "above 0" if isinstance(least, int) and least > 0 else "not below 0"
        raise UsageError(f"model.{'.'.join(path)}={value}: expected a number that is {floor}, such as {known[0]}")


def _find(sections: Mapping[str, Any], path: Sequence[str]) -> Any:
    """The value of a preset; None where it has none."""
    found: Any = sections.get("model", {})
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _kind(value: Any) -> str:
    for kind, name in ((bool, "true or false"), (int, "a whole number"), (float, "a number"), (str, "a word")):
        if isinstance(value, kind):
            return name
    return "a section" if isinstance(value, Mapping) else "a list"

"""Which dives are for training and which for testing: pickled lists of dive keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

from finediving_pose.clip import Split
from finediving_pose.errors import LabelError


def is_split(content: Any, video_type: type) -> bool:
    """Whether a pickle's content is a list of (video, index), the video being a ``video_type``."""
    return isinstance(content, list) and all(
        isinstance(k, tuple) and len(k) == 2 and isinstance(k[0], video_type) and isinstance(k[1], Integral)
        for k in content
    )


def read_splits(lists: Mapping[Path, Any], known: Iterable[Any]) -> dict[Any, Split]:
    """Split of every listed dive.

    Only a list's file name says which split it is, by the word train or test in it.

    Raises
    ------
    LabelError
        The name says neither, a dive is in both splits, or no label file describes a listed dive.
    """
    splits: dict[Any, Split] = {}
    known = set(known)
    for path, keys in lists.items():
        split = _split_of(path)
        for key in keys:
            if splits.setdefault(key, split) != split:
                raise LabelError(f"{path}: dive {_name(key)} is in the train and the test split; it may be in one only")
        strangers = [k for k in keys if k not in known]
        if strangers:
            raise LabelError(
                f"{path}: lists {len(strangers):,} dives that no label file beside it describes, for example"
                f" {_name(strangers[0])}; use the split of the same release as the labels"
            )
    return splits


def _split_of(path: Path) -> Split:
    train, test = "train" in path.name.lower(), "test" in path.name.lower()
    if train == test:
        raise LabelError(
            f"{path}: a list of dives, but its name does not say which split it is; name it train_split.pkl"
            " or test_split.pkl"
        )
    return "train" if train else "test"


def _name(key: Any) -> str:
    return f"{key[0]}/{key[1]}"

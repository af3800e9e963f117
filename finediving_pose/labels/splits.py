"""Which dives are for training and which for testing: pickled lists of dive keys, or dealt by event."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import Any, Literal, get_args

from finediving_pose.clip import Clip, ClipKey, Split
from finediving_pose.errors import LabelError, UsageError
from finediving_pose.events import competition, diver, event

By = Literal["event", "competition", "diver"]
"""What is kept on one side of a split."""
BY: tuple[By, ...] = get_args(By)


def units(clips: Sequence[Clip], by: By) -> dict[ClipKey, str]:
    """The event, competition or diver of every clip.

    The diver is only known where the start order tells (:func:`finediving_pose.events.diver`). In an event with a dive
    of an unknown diver all dives are one unit.
    """
    if by == "event":
        return {c.key: event(c) for c in clips}
    if by == "competition":
        return {c.key: competition(c) for c in clips}
    unknown = {event(c) for c in clips if diver(c) is None}
    return {c.key: event(c) if event(c) in unknown else diver(c) or "" for c in clips}


def split_by(by: By, clips: Sequence[Clip], test_share: float = 0.25, seed: int = 0) -> list[Clip]:
    """Deal the clips into train and test so that no event (competition, diver) is on both sides.

    Units are shuffled by the seed and put into the test split until it holds ``test_share`` of the clips; one that
    would take it further from that share than it was is passed over. The same clips and seed give the same split,
    whatever the order of the clips.

    Raises
    ------
    UsageError
        ``test_share`` is not between 0 and 1, or there are fewer than two units.
    """
    if not 0 < test_share < 1:
        raise UsageError(f"the share of the test split has to lie between 0 and 1, not {test_share:g}")
    unit = units(clips, by)
    sizes = Counter(unit[c.key] for c in clips)
    if len(sizes) < 2:
        raise UsageError(f"all clips are of one {by} ({', '.join(sizes) or 'none'}); a split needs two at least")
    names = sorted(sizes)
    random.Random(seed).shuffle(names)
    wanted, held, test = test_share * len(clips), 0, set[str]()
    for name in names:
        if not test or abs(held + sizes[name] - wanted) < abs(held - wanted):
            test.add(name)
            held += sizes[name]
        if len(test) == len(sizes) - 1:
            break
    return [replace(c, split="test" if unit[c.key] in test else "train") for c in clips]


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

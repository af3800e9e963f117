"""MTL-AQA's label pickles: annotations keyed by (video number, dive number), and the two splits.

FineDiving names these videos by their two-digit number (``01``, ``26``) and counts their
dives alike, so the two data sets' clips share their keys. Frame numbers are taken as
inclusive at both ends; FineDiving cut most of the same dives a little differently.

Source: https://github.com/ParitoshParmar/MTL-AQA (Parmar and Morris, CVPR 2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import LabelError
from finediving_pose.labels.splits import is_split, read_splits
from finediving_pose.lexicon import DiveNumber

Kind = Literal["annotations", "split"]


def kind(content: Any) -> Kind | None:
    """Which of MTL-AQA's files a pickle's content is, None for anything else."""
    if is_split(content, int):
        return "split"
    if not isinstance(content, dict) or not content:
        return None
    key, value = next(iter(content.items()))
    keyed = isinstance(key, tuple) and len(key) == 2 and isinstance(key[0], int)
    return "annotations" if keyed and isinstance(value, dict) and "final_score" in value else None


def join(contents: Mapping[Path, Any]) -> list[Clip]:
    """One clip a dive, sorted by key.

    Raises
    ------
    LabelError
        There is no annotation file or more than one, or a dive lacks a field.
    """
    annotations = {p: c for p, c in contents.items() if kind(c) == "annotations"}
    if len(annotations) != 1:
        raise LabelError(
            f"{next(iter(contents)).parent}: {len(annotations)} MTL-AQA annotation files; there has to be one,"
            " final_annotations_dict_with_dive_number.pkl"
        )
    path, dives = next(iter(annotations.items()))
    splits = read_splits({p: c for p, c in contents.items() if kind(c) == "split"}, dives)
    return sorted((_clip(path, k, v, splits.get(k, "none")) for k, v in dives.items()), key=lambda c: c.key)


def fields_of_number(dive: DiveNumber) -> dict[str, int]:
    """What the annotations say of a dive beside its number: position, armstand, rotation, halves of both counts."""
    return {
        "position": ("free", "pike", "tuck", "straight").index(dive.position),
        "armstand": int(dive.armstand),
        "rotation_type": ("back", "forward", "inward", "reverse").index(dive.direction),
        "ss_no": dive.half_somersaults,
        "tw_no": dive.half_twists,
    }


def _clip(path: Path, key: Any, fields: dict[str, Any], split: Any) -> Clip:
    try:
        start, end = int(fields["start_frame"]), int(fields["end_frame"])
        number = fields.get("dive_number")  # absent in the release without dive numbers
        return Clip(
            key=ClipKey(f"{int(key[0]):02d}", int(key[1])),
            split=split,
            action_type=str(number).lower() if number else None,
            difficulty=float(fields["difficulty"]),
            dive_score=float(fields["final_score"]),
            judge_scores=tuple(float(a) for a in fields.get("judge_scores", ())),
            start_frame=start,
            end_frame=end,
            n_frames=end - start + 1,
            source="mtl_aqa",
        )
    except LabelError as e:
        raise LabelError(f"{path}: {e}") from None
    except (KeyError, TypeError, ValueError, IndexError) as e:
        what = f"{e} is missing" if isinstance(e, KeyError) else str(e)
        raise LabelError(f"{path}: dive {key!r}: {what}; mend the label file") from e

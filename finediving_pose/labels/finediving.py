"""FineDiving's label pickles: coarse, fine-grained and split files, joined dive by dive.

Layout of the five files, all keyed by (video, index):

* coarse: ``{action_type, start_frame, end_frame, dive_score, difficulty, judge_scores}``
* fine-grained: ``{action_type, dive_score, difficulty, steps_transit_frames, frames_labels, sub-action_types}``
* the same for training code: ``[action_type, dive_score, difficulty, steps_transit_frames, frames_labels]``
* two lists of keys, the train and the test split

A synthetic competition comes in the same files; its videos are called Synthetic..., or bare numbers beside such.

Source: https://github.com/xujinglin/FineDiving (Xu et al., CVPR 2022).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import LabelError
from finediving_pose.labels.splits import is_split, read_splits
from finediving_pose.lexicon import height_from_name, synchronised_from_name

Kind = Literal["coarse", "fine-grained", "fine-grained for training", "split"]

_FINE_ORDER = ("action_type", "dive_score", "difficulty", "steps_transit_frames", "frames_labels")
_WEIGHT: tuple[Kind, ...] = ("fine-grained for training", "fine-grained", "coarse")
"""What counts more comes later."""


def kind(content: Any) -> Kind | None:
    """Which of FineDiving's files a pickle's content is, None for anything else."""
    if is_split(content, str):
        return "split"
    if not isinstance(content, dict) or not content:
        return None
    key, value = next(iter(content.items()))
    if not (isinstance(key, tuple) and len(key) == 2 and isinstance(key[0], str)):
        return None
    if isinstance(value, dict):
        return "coarse" if "start_frame" in value else "fine-grained" if "frames_labels" in value else None
    return "fine-grained for training" if isinstance(value, list) and len(value) == len(_FINE_ORDER) else None


def join(contents: Mapping[Path, Any]) -> list[Clip]:
    """One clip a dive out of any of the files; the more files, the more fields. Sorted by key.

    Where coarse and fine-grained labels differ (they do in one real dive), the coarse ones count,
    since they carry the judges' awards.

    Raises
    ------
    LabelError
        There are splits alone, a kind twice, or a dive's labels contradict each other.
    """
    by_kind: dict[Kind, Path] = {}
    for path, content in contents.items():
        found = kind(content)
        if found and found != "split" and by_kind.setdefault(found, path) != path:
            raise LabelError(f"{path}: {found} labels are in {by_kind[found].name} already; keep one of the two")
    dives: dict[Any, dict[str, Any]] = {}
    for path in (by_kind[k] for k in _WEIGHT if k in by_kind):
        for key, value in contents[path].items():
            dives.setdefault(key, {}).update(_fields(path, key, value))
    if not dives:
        raise LabelError(
            f"{next(iter(contents))}: lists of dives only; put FineDiving_coarse_annotation.pkl or"
            " FineDiving_fine-grained_annotation.pkl beside it"
        )
    splits = read_splits({p: c for p, c in contents.items() if kind(c) == "split"}, dives)
    where = next(iter(by_kind.values())).parent
    made_up = any(isinstance(key, tuple) and _is_made_up(key[0]) for key in dives)
    clips = (_clip(where, k, v, splits.get(k, "none"), made_up) for k, v in dives.items())
    return sorted(clips, key=lambda c: c.key)


def _fields(path: Path, key: Any, value: Any) -> dict[str, Any]:
    if isinstance(value, list) and len(value) == len(_FINE_ORDER):
        return dict(zip(_FINE_ORDER, value, strict=True))
    if isinstance(value, dict):
        return value
    raise LabelError(f"{path}: dive {key!r}: {type(value).__name__} instead of labels; mend the label file")


def _clip(where: Path, key: Any, fields: dict[str, Any], split: Any, made_up: bool) -> Clip:
    """A dive; with ``made_up`` it stands among synthetic ones, and is one where the video's name is a bare number."""
    try:
        labels = np.asarray(fields.get("frames_labels", ()), dtype=np.int64)
        starts, sub_actions = _stages(labels, fields.get("steps_transit_frames", ()))
        start, end = fields.get("start_frame"), fields.get("end_frame")
        n_frames = len(labels) or None
        if start is not None and end is not None:
            start, end = int(start), int(end)
            if n_frames not in (None, end - start + 1):
                raise ValueError(f"{n_frames} frame labels, but frames {start} to {end} are {end - start + 1}")
            n_frames = end - start + 1
        return Clip(
            key=ClipKey(key[0], int(key[1])),
            split=split,
            action_type=str(fields["action_type"]).lower(),
            difficulty=float(fields["difficulty"]),
            dive_score=float(fields["dive_score"]),
            judge_scores=tuple(float(a) for a in fields.get("judge_scores", ())),
            start_frame=start,
            end_frame=end,
            n_frames=n_frames,
            height_m=height_from_name(key[0]),
            synchronised=synchronised_from_name(key[0]),
            stage_starts=starts,
            sub_actions=sub_actions,
            source="synthetic" if _is_made_up(key[0]) or (made_up and key[0].isdecimal()) else "finediving",
        )
    except LabelError as e:
        raise LabelError(f"{where}: {e}") from None
    except (KeyError, TypeError, ValueError, IndexError) as e:
        what = f"{e} is missing" if isinstance(e, KeyError) else str(e)
        raise LabelError(f"{where}: dive {key!r}: {what}; mend the label file") from e


def _is_made_up(video: Any) -> bool:
    return str(video).startswith("Synthetic")


def _stages(labels: np.ndarray, transits: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Stage starts and sub-action ids out of the label of every frame.

    A stage starts where the label changes. ``steps_transit_frames`` are the frames just before,
    but are wrong in nine real dives; they are asked only where the labels change more often than
    there are stages (in one real dive the label flickers back for a frame).
    """
    if not len(labels):
        return (), ()
    starts = [int(i) + 1 for i in np.flatnonzero(np.diff(labels))]
    if len(starts) > len(transits):
        starts = [int(t) + 1 for t in transits]
    return tuple(starts), tuple(int(labels[i]) for i in (0, *starts))

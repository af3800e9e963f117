"""Which clips of a packed file take part: train, validation, test."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from baselines.data.exemplars import Pairing, group, groups_of
from baselines.method import Needs
from finediving_pose.clip import Clip
from finediving_pose.errors import PackedError
from finediving_pose.lexicon import awards_total, known_sub_actions

if TYPE_CHECKING:
    from finediving_pose.packed.reader import PackedFile


@dataclass(frozen=True, slots=True)
class Split:
    """Which clips of a packed file take part.

    Attributes
    ----------
    train, validation, test : indices of clips
    left_out : keys of the train and test clips that can't take part, by reason, see :data:`MENDS`
    """

    train: tuple[int, ...]
    test: tuple[int, ...]
    validation: tuple[int, ...]
    left_out: dict[str, list[str]]


Fallback = Literal["difficulty"]
"""What finds exemplars for a dive whose number no train dive has: the nearest degree of difficulty."""


def split_clips(
    packed: PackedFile,
    needs: Needs,
    validation_share: float = 0.0,
    fallback: Fallback | None = None,
    pairing: Pairing | None = "number",
) -> Split:
    """The clips with everything that a method reads, by their split.

    Parameters
    ----------
    needs : what a clip must have, besides a score
    validation_share : share of the training videos, whole ones, held out for choosing the epoch
    fallback : how test dives find exemplars whose dive number no train dive has; None refuses them
    pairing : see :data:`baselines.data.exemplars.Pairing`; None where dives are not compared

    Raises
    ------
    PackedError
        Nothing to train on, fewer than 2 test clips, or a test dive without an exemplar.
    """
    usable: dict[str, list[int]] = {"train": [], "test": []}
    left_out: dict[str, list[str]] = defaultdict(list)
    for i, clip in enumerate(packed.clips):
        if clip.split not in usable:
            continue
        if missing := find_missing(packed, i, needs):
            left_out[missing].append(str(clip.key))
        else:
            usable[clip.split].append(i)
    train, test = usable["train"], usable["test"]
    _check_enough(packed, train, test, left_out)
    validation = _hold_out(packed.clips, train, validation_share, pairing or "random")
    kept = [i for i in train if i not in validation]
    if pairing:
        _check_exemplars(packed, kept, test, fallback, pairing)
    return Split(tuple(kept), tuple(test), tuple(sorted(validation)), dict(left_out))


MENDS = {
    "no score": "fdpose extract with a label file that has scores",
    "no dive number": "fdpose extract with a label file that has dive numbers",
    "no stages": "fdpose extract with a label file that has stages (three or more a dive)",
    "no sub-actions": "fdpose extract with a label file that has sub-actions or dive numbers",
    "no difficulty": "fdpose extract with a label file that has degrees of difficulty",
    "no awards of three, five or seven judges": "fdpose extract with a label file that has judges' awards",
    "no poses": "fdpose annotate --auto, fdpose merge, then fdpose pack (fdpose validate names clips without a diver)",
}
"""What a clip may lack, and what to type then."""


def find_missing(packed: PackedFile, i: int, needs: Needs) -> str | None:
    """The first thing that clip i lacks of a score and of ``needs``, a key of :data:`MENDS`; None if nothing."""
    clip = packed.clips[i]
    if clip.dive_score is None:
        return "no score"
    if Needs.NUMBER in needs and not clip.action_type:
        return "no dive number"
    if Needs.STAGES in needs and len(clip.stage_starts) < 2:
        return "no stages"
    if Needs.SUB_ACTIONS in needs and not known_sub_actions(clip.sub_actions, clip.action_type):
        return "no sub-actions"
    if Needs.DIFFICULTY in needs and not clip.difficulty:
        return "no difficulty"
    if Needs.AWARDS in needs and awards_total(clip.judge_scores, clip.synchronised) is None:
        return "no awards of three, five or seven judges"
    if Needs.POSES in needs and np.isnan(packed.poses(i).keypoints[:, 0]).all():
        return "no poses"
    return None


def some(names: Sequence[str], most: int = 3) -> str:
    """``a, b, c and 5 more``."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _check_enough(packed: PackedFile, train: list[int], test: list[int], left_out: Mapping[str, list[str]]) -> None:
    labelled = sum(c.split in ("train", "test") for c in packed.clips)
    if not labelled:
        raise PackedError(
            f"{packed.path}: none of its {len(packed.clips)} clips is in the train or test split;"
            " a benchmark needs labelled dives: fdpose extract --labels DIR, then fdpose pack"
        )
    for name, clips, least in (("train", train, 2), ("test", test, 2)):
        if len(clips) < least:
            reason = max(left_out, key=lambda r: len(left_out[r]), default="")
            keys = left_out.get(reason, [])
            why = f"; {len(keys)} of {labelled} have {reason} ({some(keys)}): {MENDS[reason]}" if reason else ""
            raise PackedError(f"{packed.path}: {len(clips)} usable {name} clips, at least {least} are needed{why}")


def _check_exemplars(
    packed: PackedFile, train: list[int], test: list[int], fallback: Fallback | None, pairing: Pairing
) -> None:
    clips = packed.clips
    known = groups_of(clips, train, pairing)
    alone = [i for i in test if group(clips[i], pairing) not in known]
    mend = "pair them by the nearest degree of difficulty with: --exemplar-fallback difficulty"
    if fallback and any(clips[i].difficulty is not None for i in train):
        alone = [i for i in alone if clips[i].difficulty is None]
        mend = "nor a degree of difficulty to be paired by: give them one in the label file"
    elif fallback:
        mend = "no train dive has a degree of difficulty to be paired by: give them one in the label file"
    if alone:
        named = some([f"{clips[i].key} ({group(clips[i], pairing)})" for i in alone])
        what = {"rotation": "rotation", "difficulty": "difficulty"}.get(pairing, "dive number")
        raise PackedError(
            f"{packed.path}: {len(alone)} of {len(test)} test dives have a {what} that no train dive has, and so"
            f" no exemplar: {named}; {mend}, or move a dive of each {what.split()[-1]} to the train split"
        )


def _hold_out(clips: Sequence[Clip], train: list[int], share: float, pairing: Pairing) -> set[int]:
    """Whole videos, spread over the sorted names, keeping an exemplar of every group in train."""
    videos = sorted({clips[i].key.video for i in train})
    wanted = share * len(train)
    held: set[int] = set()
    step = max(round(1 / share), 1) if share else len(videos) + 1
    for video in videos[step // 2 :: step]:
        candidate = held | {i for i in train if clips[i].key.video == video}
        left = groups_of(clips, [i for i in train if i not in candidate], pairing)
        if len(candidate) <= max(wanted, 1) * 1.5 and left.keys() == groups_of(clips, train, pairing).keys():
            held = candidate
    return held

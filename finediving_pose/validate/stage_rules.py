"""Rules on the stages and frames of one clip's labels. A field that is missing is never wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from finediving_pose.clip import Clip
from finediving_pose.lexicon import ENTRY, SUB_ACTIONS
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.words import counted, listed, stage_names

SHORTEST_STAGE = 3
LONG_CLIP, SHORT_CLIP = 200, 60


@rule("label.sub-action-known", severity="error")
def sub_actions_are_known(clip: Clip) -> Iterator[Finding]:
    """Every sub-action id is one of the 29 (``data_manifest/sub_actions.csv``)."""
    wrong = [s for s in clip.sub_actions if s not in SUB_ACTIONS]
    if wrong:
        what = f"sub-action {listed(wrong)} is not one of the {len(SUB_ACTIONS)} known ids"
        yield Finding(clip.key, what, "sub_actions", listed(wrong), "a known id")


@rule("label.last-stage-is-entry", severity="warning")
def ends_in_entry(clip: Clip) -> Iterator[Finding]:
    """Every dive ends in an entry."""
    if clip.sub_actions and clip.sub_actions[-1] != ENTRY:
        last = clip.sub_actions[-1]
        what = f"the last stage is {stage_names([last])}, not the entry"
        at = f"sub_actions[{len(clip.sub_actions) - 1}]"
        if is_slip_of_entry(clip.sub_actions):
            evidence = f"every dive ends in the entry, id {ENTRY}; id {last} is one less, and no dive has twists last"
            yield Finding(
                clip.key, what, at, stage_names([last]), stage_names([ENTRY]), level="certain", evidence=evidence
            )
        else:
            yield Finding(clip.key, what, at, stage_names([last]), stage_names([ENTRY]))


def is_slip_of_entry(sub_actions: Sequence[int]) -> bool:
    """Whether the last id is the one below the entry's, and no other stage is the entry."""
    return bool(sub_actions) and sub_actions[-1] == ENTRY - 1 and ENTRY not in sub_actions


@rule("label.stage-order", severity="error")
def stages_are_in_order(clip: Clip) -> Iterator[Finding]:
    """Stage starts increase and lie inside the clip."""
    bounds = [0, *clip.stage_starts, clip.n_frames or 10**9]
    if any(a >= b for a, b in pairwise(bounds)):
        what = f"stages start at frames {listed(clip.stage_starts)} of {clip.n_frames or 'unknown many'}"
        yield Finding(clip.key, what, "stage_starts", listed(clip.stage_starts), "increasing, inside the clip")


@rule("label.stage-count", severity="warning")
def stages_are_three_to_five(clip: Clip) -> Iterator[Finding]:
    """A dive has three to five stages."""
    if clip.sub_actions and not 3 <= clip.n_stages <= 5:
        what = f"{counted(clip.n_stages, 'stage')}: {stage_names(clip.sub_actions)}"
        yield Finding(clip.key, what, "sub_actions", str(clip.n_stages), "3 to 5")


@rule("label.short-stage", severity="warning")
def stages_last_three_frames(clip: Clip) -> Iterator[Finding]:
    """A stage lasts at least three frames."""
    bounds = [0, *clip.stage_starts, *([clip.n_frames] if clip.n_frames else [])]
    for i, (a, b) in enumerate(pairwise(bounds)):
        if 0 < b - a < SHORTEST_STAGE:
            name = f" ({stage_names(clip.sub_actions[i : i + 1])})" if clip.sub_actions else ""
            what = f"stage {i + 1}{name} lasts {counted(b - a, 'frame')}, from frame {a}"
            yield Finding(clip.key, what, "stage_starts", counted(b - a, "frame"), "3 frames or more")


@rule("label.range-length", severity="error")
def frame_count_matches_range(clip: Clip) -> Iterator[Finding]:
    """n_frames equals end_frame - start_frame + 1."""
    if clip.frame_range and clip.n_frames is not None and clip.n_frames != len(clip.frame_range):
        what = f"{clip.n_frames} frames, but frames {clip.start_frame} to {clip.end_frame} are {len(clip.frame_range)}"
        yield Finding(clip.key, what, "n_frames", str(clip.n_frames), str(len(clip.frame_range)))


@rule("label.clip-length", severity="note")
def clip_is_as_long_as_a_dive(clip: Clip) -> Iterator[Finding]:
    """A clip of FineDiving or MTL-AQA has 60 to 200 frames.

    Half of FineDiving's clips have 100 to 107 frames; longer ones show more than the dive. Other sources may
    have other frame rates and are skipped.
    """
    broadcast = clip.source in ("finediving", "mtl_aqa")
    if broadcast and clip.n_frames is not None and not SHORT_CLIP <= clip.n_frames <= LONG_CLIP:
        yield Finding(clip.key, f"{clip.n_frames} frames", "n_frames", str(clip.n_frames), "60 to 200")

"""Rules that hold the dives of a competition, or of a data set, against each other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.difficulty import admissible, likely_heights
from finediving_pose.events import season
from finediving_pose.validate.number_rules import another_number
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.score_rules import difficulty_evidence, gives_score, score_allows
from finediving_pose.validate.words import counted, listed

FULL_PANEL = 7


def by_video(clips: Iterable[Clip]) -> dict[str, list[Clip]]:
    """The clips of every video, in the order of their index."""
    videos: dict[str, list[Clip]] = defaultdict(list)
    for clip in sorted(clips, key=lambda c: c.key):
        videos[clip.key.video].append(clip)
    return videos


@rule("label.difficulty", severity="warning", scope="clips")
def difficulty_fits_the_dive(clips: list[Clip]) -> Iterator[Finding]:
    """The difficulty is the one that the rules give to the dive at its height, in its season.

    It is the listed value of a platform dive or of the season 2009 to 2013 (``data_manifest/difficulty_listed.csv``),
    else the sum of World Aquatics' components A + B + C + D + E (``difficulty_components.csv``); 2.0 in the first
    rounds of synchronised events. The season is known of FineDiving's and MTL-AQA's videos
    (``data_manifest/videos.csv``); else both are allowed. The height is the label's, or is inferred from the other
    dives of the video. Dives without a difficulty in the rules are skipped. Where the score is that of the difficulty,
    the finding is about the dive number.
    """
    height = likely_heights(clips)
    for clip in clips:
        known = admissible(clip.action_type or "", height[clip.key], clip.synchronised, season(clip))
        if clip.difficulty is None or not known or clip.difficulty in known:
            continue
        board = f"from {height[clip.key]:g} m" if height[clip.key] else "from 3 or 10 m"
        fitting = [d for d in known if gives_score(clip, d)]
        if score_allows(clip, clip.difficulty) and not any(score_allows(clip, d) for d in known):
            has = f"{clip.action_type} {board} has {listed(known, ' or ')}"
            why = f"{has}, but the score {clip.dive_score:g} is that of {clip.difficulty:g}"
            yield another_number(clip, why, height[clip.key])
            continue
        expected, gives = listed(fitting or known, " or "), ", which gives the score" if fitting else ""
        what = f"difficulty {clip.difficulty:g}, but {clip.action_type} {board} has {expected}{gives}"
        level, evidence = "doubtful", ""
        if len(fitting) == 1:
            level, evidence = difficulty_evidence(clip, fitting[0], height[clip.key])
        yield Finding(clip.key, what, "difficulty", f"{clip.difficulty:g}", expected, level=level, evidence=evidence)


@rule("label.two-difficulties", severity="warning", scope="clips")
def one_dive_has_one_difficulty(clips: list[Clip]) -> Iterator[Finding]:
    """A dive number has one difficulty at one height, in events of one kind and season.

    The rarer value is the finding, unless both are right, as with the 2.0 of the first rounds of synchronised events.
    Dives whose score is that of their difficulty are left to ``label.difficulty``, which doubts their number. Videos
    with dives from both boards are skipped.
    """
    heights = likely_heights(clips)
    groups: dict[tuple[str, float, bool | None, str | None], list[Clip]] = defaultdict(list)
    for clip in clips:
        height = heights[clip.key]
        if clip.action_type and clip.difficulty and height:
            groups[clip.action_type, height, clip.synchronised, season(clip)].append(clip)
    for (number, height, synchronised, of), dives in groups.items():
        values = Counter(c.difficulty or 0.0 for c in dives)
        usual, often = values.most_common(1)[0]
        known = admissible(number, height, synchronised, of)
        if known and usual not in known:
            continue  # the usual value is wrong itself, see label.difficulty
        for clip in dives:
            listed_one = clip.difficulty or 0.0
            number_is_wrong = gives_score(clip, listed_one) and not gives_score(clip, usual)
            if listed_one == usual or {listed_one, usual} <= set(known) or (known and number_is_wrong):
                continue
            what = (
                f"difficulty {listed_one:g}, but {number} from {height:g} m has {usual:g} in {counted(often, 'dive')}"
            )
            level, evidence = "doubtful", ""
            if gives_score(clip, usual) and not gives_score(clip, listed_one):
                level, evidence = difficulty_evidence(clip, usual, height)
            yield Finding(clip.key, what, "difficulty", f"{listed_one:g}", f"{usual:g}", level=level, evidence=evidence)


@rule("label.panel-changes", severity="warning", scope="clips")
def panel_stays_the_same(clips: list[Clip]) -> Iterator[Finding]:
    """Every dive of a video has the same number of awards."""
    for dives in by_video(c for c in clips if c.judge_scores).values():
        usual = Counter(len(c.judge_scores) for c in dives).most_common(1)[0][0]
        for clip in dives:
            n = len(clip.judge_scores)
            if n != usual:
                what = f"{counted(n, 'award')}, the other dives of the video have {usual}"
                yield Finding(clip.key, what, "judge_scores", f"{n} awards", f"{usual} awards")


@rule("label.index-gap", severity="note", scope="clips")
def indices_have_no_gaps(clips: list[Clip]) -> Iterator[Finding]:
    """The indices of a video's dives have no gaps and start at 0, or at 1 if the video's name is a number.

    A missing index is no error: FineDiving's README says that incomplete dives were left out.
    """
    for video, dives in by_video(clips).items():
        present = {c.key.index for c in dives}
        first = min(present) if len(present) < 3 else 1 if video.isdecimal() else 0
        for index in range(first, max(present)):
            if index not in present:
                what = f"no such dive; {video} has {counted(len(present), 'dive')}, {min(present)} to {max(present)}"
                evidence = "incomplete dives were left out, as FineDiving's README says"
                yield Finding(ClipKey(video, index), what, "index", "absent", level="convention", evidence=evidence)


@rule("label.ranges-overlap", severity="warning", scope="clips")
def ranges_do_not_overlap(clips: list[Clip]) -> Iterator[Finding]:
    """Two dives of one video share no frames."""
    for dives in by_video(c for c in clips if c.frame_range).values():
        last: Clip | None = None
        for clip in sorted(dives, key=lambda c: (c.start_frame or 0, c.key)):
            shared = _shared_frames(last, clip) if last else 0
            if last and shared:
                splits = f", one in {last.split}, one in {clip.split}" if last.split != clip.split else ""
                what = (
                    f"frames {clip.start_frame} to {clip.end_frame} share {shared} with {last.key}"
                    f" ({last.start_frame} to {last.end_frame}){splits}"
                )
                yield Finding(clip.key, what, "start_frame", str(clip.start_frame), f"after {last.end_frame}")
            if last is None or (clip.end_frame or 0) > (last.end_frame or 0):
                last = clip


@rule("label.range-order", severity="warning", scope="clips")
def ranges_follow_the_indices(clips: list[Clip]) -> Iterator[Finding]:
    """The indices of a video's dives follow the order of their frames."""
    for dives in by_video(c for c in clips if c.frame_range).values():
        for before, clip in pairwise(dives):
            if (clip.start_frame or 0) < (before.start_frame or 0):
                what = f"starts at frame {clip.start_frame}, before {before.key} at {before.start_frame}"
                yield Finding(clip.key, what, "start_frame", str(clip.start_frame), f"after {before.start_frame}")


@rule("label.duplicate", severity="warning", scope="clips")
def dives_are_there_once(clips: list[Clip]) -> Iterator[Finding]:
    """No dive follows one of the same video with the same number, score, awards in the same order and length.

    Only full panels of seven are compared: smaller ones often agree by chance. The second dive may be a replay of the
    first, or the same dive listed twice. Dives of different rounds agree by chance, too, so another dive between them
    clears them.
    """
    for dives in by_video(clips).values():
        for first, clip in pairwise(dives):
            if len(clip.judge_scores) < FULL_PANEL or clip.n_frames is None or _labels(first) != _labels(clip):
                continue
            apart = f", one in {first.split}, one in {clip.split}" if first.split != clip.split else ""
            what = (
                f"as {first.key}: {clip.action_type}, score {clip.dive_score:g}, awards {listed(clip.judge_scores)},"
                f" {clip.n_frames} frames{apart}"
            )
            yield Finding(clip.key, what, "key", str(clip.key), f"another dive than {first.key}")


def _labels(clip: Clip) -> tuple[object, ...]:
    return (clip.action_type, clip.dive_score, clip.judge_scores, clip.n_frames)


def _shared_frames(a: Clip, b: Clip) -> int:
    assert a.frame_range and b.frame_range
    return max(0, min(a.frame_range.stop, b.frame_range.stop) - max(a.frame_range.start, b.frame_range.start))

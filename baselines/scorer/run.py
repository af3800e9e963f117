"""Score clips of a data directory: frames and poses are enough, no packed file is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from baselines.data.splits import Fallback
from baselines.report.pictures import moment_picture, stage_pictures
from baselines.scorer.checks import check_filmed
from baselines.scorer.faults import Fault, find_faults
from baselines.scorer.numbers import with_difficulty
from baselines.scorer.predict import Judge, Score
from finediving_pose.clip import Clip
from finediving_pose.errors import FdposeError
from finediving_pose.frames import is_complete
from finediving_pose.kinematics.measure import measure_clip
from finediving_pose.kinematics.words import doubts
from finediving_pose.packed.reader import PackedFile, open_packed
from finediving_pose.packed.writer import write_packed
from finediving_pose.progress import track
from finediving_pose.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ScoredDive:
    """A scored dive with its faults, and pictures for a page.

    Attributes
    ----------
    stage_pictures : addresses of a picture of each stage, of the whole dive where stages are not told; empty where no
        pictures were asked for
    moments : address of a picture for each frame that shows a fault
    """

    score: Score
    faults: tuple[Fault, ...]
    stage_pictures: tuple[str, ...] = ()
    moments: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class Scoring:
    """Scored dives in the order given, and why others were not scored, by ``video/index``."""

    dives: list[ScoredDive] = field(default_factory=list)
    failed: dict[str, FdposeError] = field(default_factory=dict)


def score_clips(
    workspace: Workspace,
    clips: Sequence[Clip],
    judge: Judge,
    *,
    fallback: Fallback | None = None,
    pictures: bool = False,
) -> Scoring:
    """Score clips that have frames and poses. One that can't be scored is in ``failed``; the others go on.

    Nothing is written in the data directory.

    Parameters
    ----------
    clips : labelled as they are to be scored, the dive number above all
    fallback : how a dive finds exemplars whose number none has, see :data:`baselines.data.splits.Fallback`
    pictures : make pictures for a page
    """
    done = Scoring()
    known = [with_difficulty(clip) for clip in clips]
    with TemporaryDirectory(prefix="fdpose-score-") as folder:
        path = Path(folder) / "dives.h5"
        done.failed = _refused(judge, known, fallback)
        done.failed |= _pack(workspace, [clip for clip in known if str(clip.key) not in done.failed], path)
        good = [clip for clip in known if str(clip.key) not in done.failed]
        if not good:
            return done
        with open_packed(path) as packed:
            for clip in track(good, "scoring"):
                try:
                    done.dives.append(_scored(workspace, packed, clip, judge, fallback, pictures))
                except FdposeError as e:
                    done.failed[str(clip.key)] = e
    return done


def _refused(judge: Judge, clips: Sequence[Clip], fallback: Fallback | None) -> dict[str, FdposeError]:
    """Those of the clips that can't be scored by their labels, and why: found before any work."""
    failed: dict[str, FdposeError] = {}
    for clip in clips:
        try:
            judge.check(clip, fallback)
        except FdposeError as e:
            failed[str(clip.key)] = e
    return failed


def _pack(workspace: Workspace, clips: Sequence[Clip], path: Path) -> dict[str, FdposeError]:
    """Write a packed file of the clips that can be packed; why the others can't."""
    failed: dict[str, FdposeError] = {}
    for clip in clips:
        if not is_complete(workspace, clip.key):
            failed[str(clip.key)] = FdposeError(
                f"{clip.key}: has no frames in {workspace.root}; extract them first with: fdpose extract --videos PATH"
                f" --clip {clip.key}"
            )
    good = [clip for clip in clips if str(clip.key) not in failed]
    while good:
        try:
            write_packed(workspace, target=path, clips=good, hold=False)
            break
        except FdposeError as error:
            bad = _not_packed(workspace, good, path) or {str(clip.key): error for clip in good}
            failed |= bad
            good = [clip for clip in good if str(clip.key) not in bad]
    return failed


def _not_packed(workspace: Workspace, clips: Sequence[Clip], path: Path) -> dict[str, FdposeError]:
    """Those of the clips that can't be packed even alone, and why."""
    failed: dict[str, FdposeError] = {}
    for clip in clips:
        try:
            write_packed(workspace, target=path, clips=[clip], hold=False)
        except FdposeError as e:
            failed[str(clip.key)] = e
    return failed


def _scored(
    workspace: Workspace, packed: PackedFile, clip: Clip, judge: Judge, fallback: Fallback | None, pictures: bool
) -> ScoredDive:
    row = packed.index(clip.key)
    score = judge.score(packed, row, fallback)
    diver, *partner = divers = measure_clip(workspace, clip)
    check_filmed(clip, divers)
    if not partner:  # of two divers who hide each other, one count in four is wrong
        said = tuple(doubts(clip.action_type, diver))
        score = replace(score, doubts=said, doubted=score.doubted or bool(said))
    faults = tuple(find_faults(clip.action_type, diver, score.faults))
    if not pictures:
        return ScoredDive(score, faults)
    place = {int(number): i for i, number in enumerate(packed.frame_numbers(row))}
    frames = dict.fromkeys(fault.frame for fault in faults if fault.frame in place)
    moments = {frame: moment_picture(packed, row, place[frame]) for frame in frames if frame is not None}
    return ScoredDive(score, faults, tuple(stage_pictures(packed, row, score.transitions)), moments)

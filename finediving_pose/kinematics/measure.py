"""Measure a dive: divers as arrays, or a clip of a data directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from finediving_pose.clip import Clip
from finediving_pose.errors import FrameError, PoseError
from finediving_pose.frames import FrameFolder, open_frames
from finediving_pose.kinematics import posture
from finediving_pose.kinematics.collapse import doubt_collapse
from finediving_pose.kinematics.diver import Diver, diver_of_poses
from finediving_pose.kinematics.leaps import doubt_leaps
from finediving_pose.kinematics.quantities import (
    Facts,
    dive_values,
    frame_series,
    pair_values,
    trunk_at_entry,
    trunk_ends,
)
from finediving_pose.kinematics.readings import Reason, Series, Value
from finediving_pose.kinematics.splash import splash_share
from finediving_pose.kinematics.timeline import Timeline, timeline
from finediving_pose.poses import ClipPoses, best_layer, read_poses
from finediving_pose.workspace import Workspace

STILL = 100.0
"""Degrees a second: a trunk that turns less hardly turns. Dives do 130 and more on average."""
FEWEST_STILL = 3
"""Frames of such a trunk that show how the diver stands."""


@dataclass(frozen=True, slots=True)
class DiverMeasures:
    """What was measured of one diver in one clip.

    Attributes
    ----------
    person : 0 or 1, as in the pose table
    frames : n frame numbers
    line : the frames in time, with take-off and touch
    series : a :class:`Series` for every name of :data:`~finediving_pose.kinematics.quantities.FRAME_QUANTITIES`
    values : a :class:`Value` for every name of :data:`~finediving_pose.kinematics.quantities.DIVE_QUANTITIES`, and
        for a second diver of :data:`~finediving_pose.kinematics.quantities.PAIR_QUANTITIES`
    head_first : how the diver enters the water; None where that is not known
    half_somersaults_expected : by the dive number; None where it is not known
    armstand : whether the dive starts from a handstand, or may: the dive number is not known
    """

    person: int
    frames: tuple[int, ...]
    line: Timeline
    series: dict[str, Series]
    values: dict[str, Value]
    head_first: bool | None = None
    half_somersaults_expected: int | None = None
    armstand: bool = True

    @property
    def half_turns(self) -> float | None:
        """How far the trunk turned from take-off to touch, in half turns, not rounded; None where that is not seen."""
        start, end = trunk_ends(self.series["trunk_deg"], self.line)
        return abs(end - start) / 180 if np.isfinite(end - start) else None

    @property
    def count_agrees(self) -> bool | None:
        """Whether as many half somersaults were seen as the dive number has; None where either is not known."""
        seen = self.values["half_somersaults"]
        if not seen.measured or self.half_somersaults_expected is None:
            return None
        return round(seen.value) == self.half_somersaults_expected

    @property
    def take_off(self) -> float | None:
        """Seconds of the take-off on the line's axis; None where it is not known, or not believed."""
        return None if self.values["take_off_s"].reason == Reason.WRONG_TRUNK else self.line.take_off

    @property
    def not_filmed(self) -> str:
        """What of the dive was not filmed, and how that is known; empty where nothing is, or where stages are labelled:
        they say that the whole dive is there."""
        if self.line.take_off_from == "stages":
            return ""
        if self.line.no_touch == Reason.AT_EDGE:
            return "the entry was not filmed: the diver leaves the picture before it"
        missing = {Reason.ENTRY_NOT_FILMED, Reason.TAKE_OFF_NOT_FILMED}
        return next((why.sentence for why in (self.line.no_touch, self.line.no_take_off) if why in missing), "")

    @property
    def stance(self) -> float | None:
        """How far the trunk is from upright before it turns fastest, in the frames in which it hardly turns: 0 for a
        diver who stands, 90 for one on the side, 180 for an armstand, degrees. None where there are too few of them."""
        trunk, pace = self.series["trunk_deg"], np.abs(self.series["somersault_rate_deg_s"].values)
        if not np.isfinite(pace).any():
            return None
        slow = trunk.measured & (pace < STILL)
        slow[np.nanargmax(pace) :] = False
        if slow.sum() < FEWEST_STILL:
            return None
        return float(np.median(np.abs((trunk.values[slow] + 180) % 360 - 180)))

    @property
    def take_off_frame(self) -> int | None:
        """Number of the first frame in the air; None where the take-off is not known."""
        return self._first_frame(self.take_off)

    @property
    def touch_frame(self) -> int | None:
        """Number of the first frame at or after the touch; None where it is not known."""
        return self._first_frame(self.line.touch)

    def _first_frame(self, moment: float | None) -> int | None:
        after = [] if moment is None else np.flatnonzero(self.line.axis >= moment)
        return self.frames[int(after[0])] if len(after) else None


def measure_clip(workspace: Workspace, clip: Clip, layer: str | None = None) -> list[DiverMeasures]:
    """Measure every diver of a clip: one, or two where they are synchronised.

    Parameters
    ----------
    layer : of the poses; the most trusted one that the clip has where not given

    Raises
    ------
    PoseError
        The clip has no poses in the layer, or they can't be read.
    LabelError
        Its splash masks can't be read.
    """
    poses = clip_poses(workspace, clip, layer)
    folder, numbers = clip_frames(workspace, clip, poses)
    if not numbers:
        raise PoseError(
            f"{clip.key}: has neither frames nor poses; extract it again, or leave it out of the clips table"
        )
    pair = bool((poses.person == 1).any()) if clip.synchronised is None else clip.synchronised
    facts = Facts(clip.action_type, clip.height_m, clip.stage_starts, pair)
    persons = (0, 1) if facts.pair else (0,)
    picture = (folder.width, folder.height) if folder else None
    divers = [diver_of_poses(poses, numbers, person, picture) for person in persons]
    found = measure_divers(divers, frame_times(numbers, folder, clip), facts, numbers)
    masks = workspace.splashes / clip.key.video / f"{clip.key.index}.pkl"
    for diver in found:
        diver.values["splash_share"] = splash_share(masks)
    return found


def clip_poses(workspace: Workspace, clip: Clip, layer: str | None = None) -> ClipPoses:
    """A clip's poses in a layer, the most trusted one where not given. Raises PoseError where it has none."""
    layer = layer or best_layer(workspace, clip.key)
    if layer is None:
        raise PoseError(f"{clip.key}: has no poses; annotate it first with: fdpose annotate --auto --clip {clip.key}")
    return read_poses(workspace.pose_file(layer, clip.key))


def clip_frames(workspace: Workspace, clip: Clip, poses: ClipPoses) -> tuple[FrameFolder | None, tuple[int, ...]]:
    """A clip's frame folder, None where there is none, and its frame numbers: the folder's, else those of the labels,
    else those that have poses."""
    try:
        folder = open_frames(workspace, clip.key)
    except FrameError:
        return None, tuple(clip.frame_range or np.unique(poses.frame).tolist())
    return folder, folder.numbers


def frame_times(numbers: Sequence[int], folder: FrameFolder | None, clip: Clip) -> NDArray[np.float64] | None:
    """Seconds (n,) of a clip's frames from its first one, as its folder or else the labels' frame rate says; None where
    neither does."""
    if folder is not None and np.isfinite(folder.times).all():
        return folder.times
    return (np.array(numbers, float) - numbers[0]) / clip.fps if clip.fps and len(numbers) else None


def measure_divers(
    divers: Sequence[Diver], times: NDArray[np.float64] | None, facts: Facts, frames: Sequence[int] | None = None
) -> list[DiverMeasures]:
    """Measure one diver, or two with what they have to do with each other.

    docs/kinematics.md defines every quantity, with sources; the name of each ends with its unit.

    Parameters
    ----------
    divers : of n frames each, see :func:`~finediving_pose.kinematics.diver.diver_of_arrays`
    times : float64 (n,), seconds of the frames, increasing; None where unknown
    frames : n frame numbers; counted from 0 where not given
    """
    numbers = tuple(range(len(divers[0]))) if frames is None else tuple(int(f) for f in frames)
    whole = [doubt_collapse(diver) for diver in divers]
    steady = [diver if times is None else doubt_leaps(diver, times) for diver in whole]
    found = [_measure(i, diver, times, facts, numbers) for i, diver in enumerate(steady)]
    if facts.pair and len(found) == 2:
        one, two = found
        two.values.update(pair_values((one.series, two.series), (one.line, two.line)))
    return found


def _measure(
    person: int, diver: Diver, times: NDArray[np.float64] | None, facts: Facts, numbers: tuple[int, ...]
) -> DiverMeasures:
    """One diver's; a height from which nobody jumps so high moves no other quantity: they are measured without it."""
    found = _measure_as_told(person, diver, times, facts, numbers)
    jump = found.values["jump_height_m"]
    if jump.reason != Reason.JUMP_TOO_HIGH:
        return found
    without = _measure_as_told(person, diver, times, replace(facts, height=None), numbers)
    return replace(without, values=without.values | {"jump_height_m": jump})


def _measure_as_told(
    person: int, diver: Diver, times: NDArray[np.float64] | None, facts: Facts, numbers: tuple[int, ...]
) -> DiverMeasures:
    line = timeline(diver, times, facts.stage_starts, facts.height)
    series = frame_series(diver, line, facts.height)
    at_touch, _ = trunk_at_entry(diver, line)
    return DiverMeasures(
        person=person,
        frames=numbers,
        line=line,
        series=series,
        values=dive_values(diver, line, series, facts),
        head_first=posture.is_head_first(at_touch) if np.isfinite(at_touch) else None,
        half_somersaults_expected=None if facts.dive is None else facts.dive.half_somersaults,
        armstand=facts.dive is None or facts.dive.armstand,
    )

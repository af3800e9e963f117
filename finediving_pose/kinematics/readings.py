"""A number, or the reason why there is none: one for a dive, or one a frame."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Reason(IntEnum):
    """Why there is no number. Where several hold, the first one is given."""

    MEASURED = 0
    NO_POSE = 1
    NO_JOINT = 2
    HIDDEN = 3
    INTERPOLATED = 4
    UNSURE = 5
    SIDES_UNKNOWN = 6
    TIMES_UNKNOWN = 7
    GAP = 8
    NO_TAKE_OFF = 9
    NO_TOUCH = 10
    HEIGHT_UNKNOWN = 11
    CAMERA_MOVES = 12
    NO_TUCK_OR_PIKE = 13
    NO_PARTNER = 14
    WRONG_TRUNK = 15
    NO_SPLASH_MASK = 16
    JUMP_TOO_HIGH = 17
    NO_DIVER = 18
    NO_COME_OUT = 19
    AT_EDGE = 20
    ENTRY_NOT_FILMED = 21
    TAKE_OFF_NOT_FILMED = 22

    @property
    def label(self) -> str:
        """As tables spell it, for example ``no_pose``; empty where there is a number."""
        return self.name.lower() if self else ""

    @property
    def sentence(self) -> str:
        """What it means, for people."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.MEASURED: "measured",
    Reason.NO_POSE: "the frame has no pose of this diver",
    Reason.NO_JOINT: "a joint that it needs is absent",
    Reason.HIDDEN: "a joint that it needs is occluded",
    Reason.INTERPOLATED: "a joint that it needs is interpolated, not seen",
    Reason.UNSURE: "a joint that it needs is unsure: the estimator says so, or the pose leaps or shrinks",
    Reason.SIDES_UNKNOWN: "left and right are not known: machine poses do not tell them apart",
    Reason.TIMES_UNKNOWN: "the frame rate is not known",
    Reason.GAP: "too few frames with a trunk to follow the rotation",
    Reason.NO_TAKE_OFF: "the take-off is not known: no stages are labelled, and the poses do not show it",
    Reason.NO_TOUCH: "the poses do not show where the diver enters the water",
    Reason.HEIGHT_UNKNOWN: "the height of the platform is not known",
    Reason.CAMERA_MOVES: "the camera moves, or its scale is not known: pixels are no metres",
    Reason.NO_TUCK_OR_PIKE: "the diver does not close into a tuck or pike",
    Reason.NO_PARTNER: "there is no second diver",
    Reason.WRONG_TRUNK: "the trunk turned by no whole number of half turns, or stands the wrong way at take-off",
    Reason.NO_SPLASH_MASK: "the data directory has no splash mask of this dive",
    Reason.NO_COME_OUT: "the poses do not show the hips open again",
    Reason.AT_EDGE: "the diver reaches the edge of the picture there, and what is beyond it is not seen",
    Reason.NO_DIVER: "no diver",
    Reason.ENTRY_NOT_FILMED: "the entry was not filmed: the clip ends before it",
    Reason.TAKE_OFF_NOT_FILMED: "the take-off was not filmed: the clip begins in the air",
    Reason.JUMP_TOO_HIGH: "the jump would be higher than divers jump: is the height right?",
}


@dataclass(frozen=True, slots=True)
class Series:
    """One quantity over n frames.

    Attributes
    ----------
    values : float64 (n,), NaN exactly where it was not measured
    reason : uint8 (n,), see :class:`Reason`
    """

    values: NDArray[np.float64]
    reason: NDArray[np.uint8]

    def __post_init__(self) -> None:
        reason = np.asarray(self.reason, np.uint8)
        values = np.where(reason == Reason.MEASURED, np.asarray(self.values, float), np.nan)
        lost = np.isnan(values) & (reason == Reason.MEASURED)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "reason", np.where(lost, Reason.NO_JOINT, reason).astype(np.uint8))

    @property
    def measured(self) -> NDArray[np.bool_]:
        """(n,) where there is a number."""
        return self.reason == Reason.MEASURED

    def where(self, kept: NDArray[np.bool_], otherwise: Reason) -> Series:
        """The same, without its numbers outside ``kept`` (n,)."""
        return Series(self.values, np.where(self.measured & ~kept, otherwise, self.reason))

    def why(self, where: NDArray[np.bool_], otherwise: Reason) -> Reason:
        """The reason that most of some frames (n,) have no number for; ``otherwise`` where all of them have one."""
        lacking = self.reason[where & ~self.measured]
        return Reason(int(np.bincount(lacking).argmax())) if len(lacking) else otherwise

    @classmethod
    def missing(cls, n: int, reason: Reason) -> Series:
        """No number in any of n frames."""
        return cls(np.full(n, np.nan), np.full(n, reason, np.uint8))


@dataclass(frozen=True, slots=True)
class Value:
    """One quantity of a dive.

    Attributes
    ----------
    value : the number, NaN where it was not measured
    error : its error bar, NaN where none is known
    reason : why there is no number
    """

    value: float = np.nan
    error: float = np.nan
    reason: Reason = Reason.MEASURED

    def __post_init__(self) -> None:
        if (self.reason == Reason.MEASURED) != bool(np.isfinite(self.value)):
            raise ValueError(f"value {self.value} with the reason {self.reason.name}")

    @property
    def measured(self) -> bool:
        """Whether there is a number."""
        return self.reason == Reason.MEASURED

    @classmethod
    def missing(cls, reason: Reason) -> Value:
        """No number."""
        return cls(reason=reason)


def first_reason(*reasons: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The first reason that holds in any of some arrays of one shape; MEASURED where none does."""
    stacked = np.stack([np.asarray(r, np.uint8) for r in reasons])
    worst = np.where(stacked == Reason.MEASURED, np.uint8(255), stacked).min(0)
    return np.where(worst == 255, np.uint8(Reason.MEASURED), worst).astype(np.uint8)

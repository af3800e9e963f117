"""What to train and how: everything that decides the outcome of a training, apart from the data."""

from __future__ import annotations

import re
from dataclasses import dataclass

from annotate.estimators.presets import Network
from annotate.locate import POINTS
from finediving_pose.errors import UsageError
from finediving_pose.skeleton import N_JOINTS

STEPS: dict[Network, int] = {"locator": 800, "pose": 1500}
"""Maximum number of steps where the command line gives none; in the order in which the networks are trained."""
STEPS_UNLABELLED = 1000
"""The same for an adaptation without labels, all rounds together."""
OUTPUTS: dict[Network, int] = {"pose": N_JOINTS, "locator": len(POINTS)}
"""Number of points that each network finds."""

_NAME = re.compile(r"[\w][\w.-]{0,63}")


@dataclass(frozen=True, slots=True)
class FinetunePlan:
    """A training of one network. Raises UsageError for a name that can't be a folder's, or options that exclude others.

    Attributes
    ----------
    name : folder under ``estimators/`` of the data directory
    network : ``pose`` (joints in a crop) or ``locator`` (the diver in the frame)
    start : estimator whose weights training starts from; None for random weights
    steps : batches to train on, rounded up to whole hundreds
    seed : of the hold-out, the weights and the order of the frames
    batch : frames per step; None for the configuration's number, which suits a CPU
    unlabelled : learn from the estimator's own poses, not from joints placed by hand
    turn : frames are rotated at random by up to this many degrees; None for the configuration's angle, any
    """

    name: str
    network: Network = "pose"
    start: str | None = None
    steps: int = 1000
    seed: int = 0
    batch: int | None = None
    turn: float | None = None
    unlabelled: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UsageError(f"--name {self.name!r}: use letters, digits, dots, dashes; it becomes a folder name")
        if self.unlabelled and self.network != "pose":
            raise UsageError("--unlabelled adapts the pose network; the locator learns from joints placed by hand")
        if self.unlabelled and self.start is None:
            raise UsageError("--unlabelled adapts an estimator to your frames; --from-scratch has none to adapt")

    @property
    def command(self) -> str:
        """The command line that repeats this training."""
        start = f"--estimator {self.start}" if self.start else "--from-scratch"
        options = f" --batch {self.batch}" if self.batch else ""
        options += f" --turn {self.turn:g}" if self.turn is not None else ""
        options += " --unlabelled" if self.unlabelled else ""
        return (
            f"fdpose finetune --network {self.network} --name {self.name} {start}"
            f" --steps {self.steps} --seed {self.seed}{options}"
        )

"""What the estimator's errors cost a scorer that reads poses: errors of a kind, or of some joints, at a time.

The prior (docs/experiments/prior.md), not fine-tuned, compares each training dive of a synthetic competition with the
others of its number, from poses alone. Its poses are the machine's, or the true ones, or the one with some joints of
the other, or the true ones with the errors of another dive. R is the squared error as a share of the exemplars' mean's.
Slope: how many points a predicted point stands for; above 1 poses understate differences.

Run, on data that fdpose synth, extract and annotate --auto made: python -m benchmarks.pose_loss --data D
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import click
import numpy as np
import torch
from numpy.typing import NDArray

from baselines.data.transforms import fill_gaps
from baselines.prior.errors import PoseErrors, compare_poses, phases, read_errors, with_sides_exchanged
from baselines.prior.held_out import points_above
from baselines.prior.measured import measure_errors, true_dives, true_joints
from baselines.prior.network import PoseScorer
from baselines.prior.performed import FRAMES
from baselines.prior.samples import as_input
from baselines.prior.weights import BUNDLED_ERRORS, read_prior
from baselines.runs.metrics import pairs_in_order, spearman
from finediving_pose.cli.options import data_option
from finediving_pose.labels.table import read_clips
from finediving_pose.packed.views import sample_frames
from finediving_pose.poses import read_poses
from finediving_pose.skeleton import INDEX
from finediving_pose.workspace import Workspace

DRAWS = 5
GROUPS = {
    "ankles": ("ankle",), "knees": ("knee",), "hips and pelvis": ("hip", "pelvis"),
    "ankles and knees": ("ankle", "knee"),
    "thorax, neck and head": ("thorax", "neck", "head"), "arms": ("shoulder", "elbow", "wrist"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dive:
    """Machine and true joints (n, 16, 2) of all frames, which are seen (n, 16), and what the judges gave."""

    number: str
    difficulty: float
    score: float
    machine: NDArray[np.float64]
    true: NDArray[np.float64]
    seen: NDArray[np.bool_]
    phase: NDArray[np.float32]

    @property
    def sampled(self) -> NDArray[np.int64]:
        return sample_frames(len(self.true), FRAMES)


def read_dives(data: Workspace) -> Iterator[Dive]:
    """The training dives with a difficulty and a score."""
    joints = true_joints(data.root / "synthetic/truth/annotations.json")
    known = true_dives(data.root / "synthetic/truth/dives.json")
    for clip in read_clips(data):
        if clip.split != "train" or not clip.difficulty or clip.dive_score is None or not clip.action_type:
            continue
        dive, poses = known[clip.key], read_poses(data.pose_file("auto", clip.key))
        first, n = dive["start_frame"], dive["end_frame"] - dive["start_frame"] + 1
        machine, true = (np.full((n, 16, 2), np.nan) for _ in range(2))
        machine[poses.frame[poses.person == 0] - first] = poses.keypoints[poses.person == 0]
        seen = np.zeros((n, 16), bool)
        for frame, (at, visible) in joints[clip.key].items():
            true[frame - first], seen[frame - first] = at, visible
        phase = phases(sample_frames(n, FRAMES), dive["take_off_frame"], dive["touch_frame"], n)
        yield Dive(clip.action_type, clip.difficulty, clip.dive_score, machine, true, seen, phase)


def variants(dives: list[Dive], bundled: PoseErrors, measured: PoseErrors) -> Iterator[tuple[str, list[NDArray]]]:
    """Names, and joints (T, 16, 2) of every dive; errors that are drawn come :data:`DRAWS` times."""
    rng = np.random.default_rng(0)
    yield "machine", [fill_gaps(d.machine)[d.sampled] for d in dives]
    yield "true", [fill_gaps(d.true)[d.sampled] for d in dives]
    yield "true, in sight", [fill_gaps(np.where(d.seen[..., None], d.true, np.nan))[d.sampled] for d in dives]
    for name, errors in (("the bundled errors", bundled), ("errors of other dives here", measured)):
        for _ in range(DRAWS):
            yield f"true, with {name}", [_with_errors(d, errors, rng) for d in dives]
    yield "machine, sides as they are", [fill_gaps(_sides_right(d))[d.sampled] for d in dives]
    for name, parts in GROUPS.items():
        joints = [j for word, j in INDEX.items() if any(part in word for part in parts)]
        yield f"true, {name} the machine's", [_mixed(d, joints, d.true, _sides_right(d)) for d in dives]
        yield f"machine, {name} true", [_mixed(d, joints, _sides_right(d), d.true) for d in dives]


def _with_errors(dive: Dive, errors: PoseErrors, rng: np.random.Generator) -> NDArray[np.float32]:
    true, seen = fill_gaps(dive.true)[dive.sampled], dive.seen[dive.sampled]
    return fill_gaps(errors.put_on(true, seen, dive.phase, dive.number, rng))


def _sides_right(dive: Dive) -> NDArray[np.float64]:
    """The machine's joints, left and right exchanged where that is nearer to the truth."""
    return with_sides_exchanged(dive.machine, compare_poses(dive.machine, dive.true, dive.seen)["exchanged"])


def _mixed(dive: Dive, joints: list[int], most: NDArray, some: NDArray) -> NDArray[np.float64]:
    """``some`` at these joints, ``most`` elsewhere, in frames with a machine's pose."""
    mixed = most.copy()
    mixed[:, joints] = some[:, joints]
    mixed[~np.isfinite(dive.machine[:, 0, 0])] = np.nan
    return fill_gaps(mixed)[dive.sampled]


@torch.inference_mode()
def judged(network: PoseScorer, dives: list[Dive], joints: list[NDArray]) -> list[float]:
    """Rho, R, in order and slope of the scores that poses give."""
    tokens = torch.cat([network.encode(part, None)[0] for part in as_input(joints).split(100)])
    number = np.array([d.number for d in dives])
    difficulty, score = (np.array([getattr(d, name) for d in dives]) for name in ("difficulty", "score"))
    execution, others = score / difficulty, [np.setdiff1d(np.flatnonzero(number == n), i) for i, n in enumerate(number)]
    mean, above = np.array([execution[o].mean() for o in others]), points_above(network, tokens, others)
    found = (mean + above) * difficulty
    error = np.square(found - score).mean() / np.square(mean * difficulty - score).mean()
    slope = np.polyfit(above, execution - mean, 1)[0]
    return [spearman(score, found), error, pairs_in_order(score, found, number), slope]


@click.command(help=__doc__)
@data_option
def main(data: Workspace) -> None:
    torch.set_num_threads(1)
    dives, network = list(read_dives(data)), read_prior().network()
    measured = measure_errors(data, data.root / "synthetic/truth")
    click.echo(f"{len(dives)} dives\n{'':42s}   rho      R  in order  slope")
    drawn = variants(dives, read_errors(BUNDLED_ERRORS), measured)
    for name, same in groupby(drawn, key=lambda found: found[0]):
        rho, error, order, slope = np.mean([judged(network, dives, joints) for _, joints in same], 0)
        click.echo(f"{name:42s} {rho:.3f}  {error:.3f}     {order:.3f}   {slope:.2f}")


if __name__ == "__main__":
    main()

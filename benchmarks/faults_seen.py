"""What of each fault is to be seen: the same network from machine poses, true joints, and true joints in space.

The network and the training are those of the prior (docs/experiments/prior.md), shorter, each on one kind of joints
alone. Printed are the correlations of the nine faults with the truth over the dives of the stream that have the fault,
and of quality the rho, on 1,000 dives that were not learned from.

Run: python -m benchmarks.faults_seen --work /tmp/faults
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from baselines.prior.errors import read_errors
from baselines.prior.facts import teach_facts
from baselines.prior.held_out import measure
from baselines.prior.performed import FAULTS
from baselines.prior.pretrain import HELD_OUT, SETTINGS, Plan, performed, train
from baselines.prior.samples import Samples
from baselines.prior.stream import UnfilmedDives
from baselines.prior.weights import BUNDLED_ERRORS
from finediving_pose.skeleton import FLIP

CENTIMETRES = 100.0


@dataclass(frozen=True, slots=True)
class MachinePoses(Samples):
    """Through a camera, with the errors of an estimator."""

    share_true = 0.0

    def batch(self, chosen: NDArray[np.int64], rng: np.random.Generator, true: float = 0.0) -> dict[str, Tensor]:
        return Samples.batch(self, chosen, rng, self.share_true)


class TrueJoints(MachinePoses):
    """Through a camera, those that are in sight."""

    share_true = 1.0


class JointsInSpace(MachinePoses):
    """Without a camera: all joints, right of the diver's way, along it and up, in centimetres."""

    def joints(self, i: int, rng: np.random.Generator, true: float = 0.0) -> NDArray[np.float32]:
        assert isinstance(self.dives, UnfilmedDives)
        joints = self.dives.joints[i] * CENTIMETRES
        return joints[:, FLIP] * np.array([1, -1, 1], np.float32) if rng.random() < 0.5 else joints


KINDS = {"machine poses": (MachinePoses, 2), "true joints in sight": (TrueJoints, 2), "in space": (JointsInSpace, 3)}


@click.command(help=__doc__)
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Keeps dives and unfinished trainings.")
@click.option("--dives", type=int, default=23_000, show_default=True)
@click.option("--steps", type=int, default=2_400, show_default=True)
def main(work: Path, dives: int, steps: int) -> None:
    errors, stream = read_errors(BUNDLED_ERRORS), performed(Plan().seed, dives + HELD_OUT, work)
    for name, (kind, axes) in KINDS.items():
        settings = {**SETTINGS, "skeleton": {**SETTINGS["skeleton"], "in_channels": axes}}
        plan = replace(Plan(), settings=settings, dives=dives, steps=steps)
        learned = kind(stream.only(slice(dives)), errors)
        network = train(plan, learned, work / f"{name.replace(' ', '-')}-{steps}.pth")
        teach_facts(network, learned, plan.facts, plan.seed)
        found = measure(network, kind(stream.only(slice(dives, None)), errors), 0.0)
        told = ", ".join(f"{fault} {found['faults'][fault]['correlation']:.2f}" for fault in FAULTS)
        click.echo(f"{name}: rho {found['rho']:.3f} (exemplars' mean {found['exemplars_rho']:.3f}), {told}")


if __name__ == "__main__":
    main()

"""The weights that come with the project: what :mod:`baselines.prior.pretrain` made, and of what."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from torch import Tensor

from baselines.prior.network import PoseScorer
from finediving_pose.checkpoints import read_checkpoint, write_checkpoint
from finediving_pose.errors import CheckpointError, SetupError

BUNDLED = Path(__file__).parent / "checkpoints" / "joint_conv.pth"


@dataclass(frozen=True, slots=True)
class Prior:
    """A pre-trained :class:`~baselines.prior.network.PoseScorer`.

    Attributes
    ----------
    settings : its arguments
    state : its state dict
    made : how it was made: dives, steps, seed, command
    """

    settings: dict[str, Any]
    state: dict[str, Tensor]
    made: dict[str, Any]

    def part(self, name: str) -> dict[str, Tensor]:
        """State dict of one of its modules."""
        start = f"{name}."
        return {key.removeprefix(start): value for key, value in self.state.items() if key.startswith(start)}

    def network(self) -> PoseScorer:
        """The network, ready to score."""
        network = PoseScorer(**self.settings)
        network.load_state_dict(self.state)
        return network.eval()

    @property
    def title(self) -> str:
        """In words, for pages."""
        return f"{self.made['dives']:,} unfilmed dives ({self.made['steps']:,} steps of {self.made['batch']})"

    @property
    def shape(self) -> str:
        """What a network's pose branch has to be."""
        return f"it is {self.settings['encoder']} with {self.settings['skeleton']}, {self.settings['tokens']} tokens"


def write_prior(path: Path, prior: Prior) -> None:
    """Write it; numbers in half precision, which changes no score by a hundredth of a point."""
    half = {k: v.half() if v.is_floating_point() else v for k, v in prior.state.items()}
    write_checkpoint(path, {"settings": prior.settings, "state": half, "made": prior.made})


@cache
def read_prior(path: Path = BUNDLED) -> Prior:
    """The prior in a file. Raises SetupError where it is missing or damaged."""
    try:
        found = read_checkpoint(path)
        state = {k: v.float() if v.is_floating_point() else v for k, v in found["state"].items()}
        return Prior(dict(found["settings"]), state, dict(found["made"]))
    except (CheckpointError, KeyError, TypeError, ValueError, AttributeError) as e:
        raise SetupError(f"{path}: the weights learned from unfilmed dives are lost ({e}); reinstall fdpose") from e

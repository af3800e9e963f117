"""The weights that come with the project: what :mod:`baselines.prior.pretrain` made, and of what."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor, nn

from baselines.prior.network import PoseScorer
from finediving_pose.checkpoints import read_checkpoint, write_checkpoint
from finediving_pose.errors import CheckpointError, SetupError

CHECKPOINTS = Path(__file__).parent / "checkpoints"
BUNDLED = CHECKPOINTS / "poses.pth"
BUNDLED_SPLASH = CHECKPOINTS / "splash.pth"
BUNDLED_ERRORS = CHECKPOINTS / "errors.npz"


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
        fill(network, self.state)
        return network.eval()

    @property
    def title(self) -> str:
        """In words, for pages."""
        return f"{self.made['dives']:,} unfilmed dives ({self.made['steps']:,} steps of {self.made['batch']})"

    @property
    def shape(self) -> str:
        """What a network's pose branch has to be."""
        return f"it is HD-GCN with {self.settings['skeleton']}, {self.settings['tokens']} tokens"


@dataclass(frozen=True, slots=True)
class SplashPrior:
    """Pre-trained :class:`~baselines.backbones.splash_finder.SplashFinder` and what judges by it.

    Attributes
    ----------
    finder, judge : state dicts, of a :class:`~baselines.modules.splash.SplashJudge` the latter
    share : of what poses say, beside the splash
    made : how they were made
    """

    finder: dict[str, Tensor]
    judge: dict[str, Tensor]
    share: float
    made: dict[str, Any]

    @property
    def title(self) -> str:
        """In words, for pages."""
        return f"the ends of {self.made['dives']:,} filmed synthetic dives"


def fill(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load a state dict. Raises RuntimeError where it is of another module."""
    with warnings.catch_warnings():  # settings are tried on a network without numbers, on the meta device
        warnings.filterwarnings("ignore", "for .*: copying from a non-meta parameter")
        module.load_state_dict(state)


def write_prior(path: Path, prior: Prior) -> None:
    """Write it; numbers in half precision, which changes no score by a hundredth of a point."""
    write_checkpoint(path, {"settings": prior.settings, "state": _half(prior.state), "made": prior.made})


def write_splash_prior(path: Path, prior: SplashPrior) -> None:
    """Write it, as :func:`write_prior`."""
    state = {"finder": _half(prior.finder), "judge": _half(prior.judge)}
    write_checkpoint(path, {**state, "share": prior.share, "made": prior.made})


@cache
def read_prior(path: Path = BUNDLED) -> Prior:
    """The prior in a file. Raises SetupError where it is missing or damaged."""
    return _read(path, lambda found: Prior(dict(found["settings"]), _full(found["state"]), dict(found["made"])))


@cache
def read_splash_prior(path: Path = BUNDLED_SPLASH) -> SplashPrior:
    """The same for what sees splashes."""
    return _read(
        path,
        lambda found: SplashPrior(
            _full(found["finder"]), _full(found["judge"]), float(found["share"]), dict(found["made"])
        ),
    )


P = TypeVar("P")


def _read(path: Path, build: Callable[[dict[str, Any]], P]) -> P:
    try:
        return build(read_checkpoint(path))
    except (CheckpointError, KeyError, TypeError, ValueError, AttributeError) as e:
        raise SetupError(f"{path}: the weights learned from synthetic dives are lost ({e}); reinstall fdpose") from e


def _half(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k: v.half() if v.is_floating_point() else v for k, v in state.items()}


def _full(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k: v.float() if v.is_floating_point() else v for k, v in state.items()}

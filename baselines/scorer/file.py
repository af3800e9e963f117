"""``scorer.pth``: all that scores new dives, in one file without pictures.

Weights, configuration, the exemplars as the network encodes them, with their scores, errors for the interval, and what
is usual among the training dives. It may be passed on where the videos may not. Reading one runs no code: it holds
tensors and plain values (:mod:`finediving_pose.checkpoints`), the method is looked up among the installed ones, and
the network is filled only where its shapes are those of the weights.

What is wrong with a scorer is one of two things, and commands exit by it. The argument is wrong, where the path is
missing, a folder, or anything but a scorer: UsageError, exit code 2. The scorer is: damaged, of another version, or of
a method that is not installed: CheckpointError or SetupError, exit code 1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from baselines.method import Method
from baselines.registry import find_method
from baselines.runs.config import RunConfig, parse_config
from baselines.scorer.interval import Calibration
from baselines.scorer.unlike import Usual
from finediving_pose import __version__
from finediving_pose.checkpoints import read_checkpoint, write_checkpoint
from finediving_pose.clip import Clip
from finediving_pose.errors import CheckpointError, FdposeError, SetupError, UsageError, first_line
from finediving_pose.labels.cells import clip_of_cells
from finediving_pose.skeleton import JOINTS

SCORER = "scorer.pth"
FORMAT, VERSION = "fdpose scorer", 1
WHERE = f"give the {SCORER} of a run of fdpose benchmark, or none: a scorer is bundled"
"""What to do about a file that is no scorer."""
_START = b"PK\3\4"
"""How the files of torch begin."""

_CELLS = ("action_type", "difficulty", "dive_score", "height_m", "synchronised", "source")
"""What is kept of an exemplar's labels beside its key."""


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """All that scores new dives.

    Attributes
    ----------
    config : of the run, without paths
    weights : of the network, by name
    exemplars : training dives that new ones are compared with; key, dive number, difficulty, score, height, whether
        two divers dived, and the data set
    encoded : the exemplars as the network encodes them, float16 where it has fractions: the fields of its ``Encoded``
        by name, each (n, ...). Empty for a direct method
    calibration : errors for the interval
    usual : what is usual among the training dives, by ``pictures`` and ``poses``
    """

    config: RunConfig
    weights: dict[str, Tensor]
    exemplars: tuple[Clip, ...]
    encoded: dict[str, Tensor]
    calibration: Calibration
    usual: dict[str, Usual]

    @property
    def method(self) -> Method:
        """The method, as it is installed here. Raises SetupError where it is not."""
        try:
            return find_method(self.config.method)
        except UsageError as e:
            raise SetupError(f"the scorer is of the method {self.config.method!r}; {e}; install its package") from e

    def build(self) -> nn.Module:
        """The network with its weights, for testing.

        Raises
        ------
        CheckpointError
            The weights are not those of the network that the configuration describes.
        SetupError
            The method is not installed here.
        """
        method = self.method
        try:
            with torch.device("meta"):  # nothing is allocated that the file's bytes do not explain
                wanted = {name: value.shape for name, value in method.build(self.config).state_dict().items()}
            found = {name: value.shape for name, value in self.weights.items()}
            if wanted != found:
                wrong = next(n for n in [*wanted, *found] if wanted.get(n) != found.get(n))
                raise ValueError(f"{wrong} is {_size(found.get(wrong))}, expected {_size(wanted.get(wrong))}")
            network = method.build(self.config)
            network.load_state_dict(self.weights)
        except (TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError) as e:
            said = first_line(e)
            raise CheckpointError(f"its weights do not fit its network ({said}); train again") from e
        return network.eval()


def portable(config: RunConfig) -> RunConfig:
    """The configuration without what names files of the machine that trained."""
    sections = {k: {**v, "weights": None} for k, v in config.model.items() if isinstance(v, Mapping) and "weights" in v}
    origin = replace(config.origin, packed="", weights={}) if config.origin else None
    return replace(config, model=config.model | sections, data=replace(config.data, splash=None), origin=origin)


def write_scorer(path: Path, scorer: Scorer) -> None:
    """Write a scorer, whole or not at all. Raises FdposeError where the folder can't be written or is full."""
    calibration = scorer.calibration
    write_checkpoint(
        path,
        {
            "format": FORMAT,
            "version": VERSION,
            "creator": f"fdpose {__version__}",
            "joints": list(JOINTS),
            "config": json.loads(json.dumps(asdict(portable(scorer.config)))),
            "weights": dict(scorer.weights),
            "exemplars": [_cells(clip) for clip in scorer.exemplars],
            "encoded": scorer.encoded,
            "calibration": {**asdict(calibration), "errors": list(calibration.errors)},
            "usual": {
                name: {
                    "mean": torch.from_numpy(usual.mean),
                    "precision": torch.from_numpy(usual.precision),
                    "limit": usual.limit,
                }
                for name, usual in scorer.usual.items()
            },
        },
    )


def read_scorer(path: Path) -> Scorer:
    """What :func:`write_scorer` wrote.

    Raises
    ------
    UsageError
        The file is missing, or is no scorer.
    CheckpointError
        It is damaged or cut short, of another format version, or orders the joints otherwise.
    """
    _check_file(path)
    try:
        content = read_checkpoint(path)
    except CheckpointError as e:
        raise CheckpointError(f"{e}; copy it again, or train again") from e
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UsageError(f"{path}: not a scorer; {WHERE}")
    if content.get("version") != VERSION:
        raise CheckpointError(
            f"{path}: a scorer of format {str(content.get('version'))[:20]}, this fdpose reads format {VERSION}; update"
            " fdpose, or train again"
        )
    _check_joints(path, content.get("joints"))
    try:
        config = parse_config(content["config"], "config")
        exemplars = tuple(clip_of_cells(_known_cells(cells)) for cells in content["exemplars"])
        scorer = Scorer(
            portable(config),
            _tensors(content["weights"], "weights"),
            exemplars,
            _tensors(content["encoded"], "encoded"),
            _calibration(content["calibration"]),
            {str(name): _usual(values) for name, values in content["usual"].items()},
        )
        _check_exemplars(scorer)
    except (FdposeError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as e:
        said = f"{first_line(e)} is missing" if isinstance(e, KeyError) else first_line(e)
        raise CheckpointError(f"{path}: a scorer whose content is wrong ({said}); copy it again, or train again") from e
    return scorer


def _check_file(path: Path) -> None:
    """Raise UsageError where this can't ever have been a scorer; one that was cut to nothing may."""
    if not path.is_file():
        raise UsageError(f"{path}: {'a folder, not a scorer' if path.is_dir() else 'no such scorer'}; {WHERE}")
    try:
        with open(path, "rb") as file:
            start = file.read(len(_START))
    except OSError as e:
        raise CheckpointError(f"{path}: can't be read ({e.strerror}); see who may read it, or copy it again") from e
    if start and not _START.startswith(start):
        raise UsageError(f"{path}: not a scorer; {WHERE}")


def _check_joints(path: Path, joints: Any) -> None:
    if joints == list(JOINTS):
        return
    given = joints if isinstance(joints, list) else []
    place = next((i for i, (a, b) in enumerate(zip(given, JOINTS, strict=False)) if a != b), len(given))
    there = str(given[place])[:40] if place < len(given) else "none"
    expected = JOINTS[place] if place < len(JOINTS) else "no more"
    raise CheckpointError(
        f"{path}: learned from another order of joints: joint {place} is {there}, here it is {expected}; train it again"
        " with this fdpose"
    )


def _check_exemplars(scorer: Scorer) -> None:
    n = len(scorer.exemplars)
    if not n or any(clip.dive_score is None for clip in scorer.exemplars):
        raise ValueError("no exemplars with scores")
    if any(not value.ndim or len(value) != n for value in scorer.encoded.values()):
        raise ValueError(f"the encoded exemplars are not {n}")


def _cells(clip: Clip) -> dict[str, Any]:
    return {"video": clip.key.video, "index": clip.key.index} | {name: getattr(clip, name) for name in _CELLS}


def _known_cells(cells: Any) -> dict[str, Any]:
    names = ("video", "index", *_CELLS)
    if not isinstance(cells, dict) or set(cells) != set(names):
        raise ValueError(f"an exemplar without {', '.join(names)}")
    return cells


def _tensors(values: Any, name: str) -> dict[str, Tensor]:
    if not isinstance(values, dict) or not all(isinstance(v, Tensor) for v in values.values()):
        raise ValueError(f"{name} holds other things than tensors")
    if any(v.is_floating_point() and not v.isfinite().all() for v in values.values()):
        raise ValueError(f"a number in {name} is not finite")
    return {str(key): value for key, value in values.items()}


def _calibration(values: Mapping[str, Any]) -> Calibration:
    errors = tuple(sorted(map(float, values["errors"])))
    if not all(np.isfinite(errors)) or any(e < 0 for e in errors):
        raise ValueError("an error that is negative or not finite")
    off = float(values["mean_error"]), float(values["exemplars_error"])
    return Calibration(errors, bool(values["by_difficulty"]), bool(values["selected"]), *off)


def _usual(values: Mapping[str, Any]) -> Usual:
    mean, precision = (np.asarray(values[name], float) for name in ("mean", "precision"))
    if mean.ndim != 1 or precision.shape != (len(mean), len(mean)) or not np.isfinite(precision).all():
        raise ValueError("what is usual has no covariance")
    return Usual(mean, precision, float(values["limit"]))


def _size(shape: Sequence[int] | None) -> str:
    return "missing" if shape is None else " x ".join(map(str, shape)) or "a number"

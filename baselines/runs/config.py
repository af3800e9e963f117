"""The configuration of a run: read once, checked once, typed from then on."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, fields
from dataclasses import field as default
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, NonNegativeInt, PositiveInt, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from baselines.data.exemplars import Voters
from baselines.data.settings import DataSettings
from baselines.data.splits import Fallback
from baselines.method import Method
from baselines.runs.model_settings import check_like_presets
from baselines.training.settings import Optimiser, Training
from baselines.training.tracking import Tracking
from finediving_pose.errors import UsageError, first_line
from finediving_pose.workspace import atomic_write

CONFIG = "config.json"


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class Evaluation:
    """How test dives are scored.

    Attributes
    ----------
    votes : train dives that each test dive is compared with, at most
    voters, pad : see :func:`baselines.data.exemplars.choose_voters`
    redraw : draw the voters anew whenever dives are scored while training, as the public code of 6bce799 does
    exemplar_fallback : see :func:`baselines.data.splits.split_clips`
    """

    votes: PositiveInt = 10
    voters: Voters = "panel"
    pad: bool = False
    redraw: bool = False
    exemplar_fallback: Fallback | None = None


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class Validation:
    """Which epoch the figures are from.

    Attributes
    ----------
    share : share of the training videos held out; the epoch with the best rho on them counts. 0 takes the last epoch
    interval : epochs between two scorings
    first : the first epoch that is scored, counted from 1; None takes ``interval``
    every_from : from this epoch on, every epoch is scored; None never
    on_test : choose each figure's best epoch on the test split, the public code's way and not a clean one
    """

    share: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = 0.0
    interval: PositiveInt = 1
    first: PositiveInt | None = None
    every_from: PositiveInt | None = None
    on_test: bool = False

    def is_due(self, epoch: int, epochs: int) -> bool:
        """Whether dives are scored after this epoch, counted from 1, of so many. The last one always is."""
        if epoch == epochs or (self.every_from is not None and epoch >= self.every_from):
            return True
        after = epoch - (self.interval if self.first is None else self.first)
        return after >= 0 and after % self.interval == 0


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class Origin:
    """What a run was made from.

    Attributes
    ----------
    packed, digest : path and digest of the packed file
    versions : of fdpose and what it computes with
    weights : path and sha256 of each published weight file, by encoder
    changes : settings that are not the preset's, by their dotted names; None in runs of before they were noted
    """

    packed: str
    digest: str
    versions: dict[str, str] = default(default_factory=dict)
    weights: dict[str, dict[str, str]] = default(default_factory=dict)
    changes: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class RunConfig:
    """All that decides what a training does. ``model`` belongs to the method; the rest means the same for all methods.

    ``without`` are parts of the method that are left out. ``reads`` names what a clip must have to take part
    (:class:`~baselines.method.Needs`); it is that of the whole model in an ablation, so that all trainings of a study
    see the same dives.
    """

    method: str
    preset: str
    seed: NonNegativeInt
    training: Training
    optimiser: Optimiser
    model: dict[str, Any] = default(default_factory=dict)
    data: DataSettings = default(default_factory=DataSettings)
    evaluation: Evaluation = default(default_factory=Evaluation)
    validation: Validation = default(default_factory=Validation)
    tracking: Tracking = default(default_factory=Tracking)
    without: tuple[str, ...] = ()
    reads: tuple[str, ...] | None = None
    origin: Origin | None = None


_PARSER = TypeAdapter(RunConfig)
SECTIONS = ("model", "data", "training", "optimiser", "evaluation", "validation", "tracking")


def make_config(
    method: Method,
    preset: str,
    seed: int,
    epochs: int | None = None,
    without: Collection[str] = (),
    changes: Mapping[str, Any] | None = None,
) -> RunConfig:
    """The configuration of a preset, with changes.

    Parameters
    ----------
    epochs : instead of the preset's
    without : parts to leave out, besides those that the preset leaves out
    changes : values in the place of the preset's, by their dotted names, ``{"training.accumulate": 4}``

    Raises
    ------
    UsageError
        There is no such preset, part or setting, or a network can't be built from the values.
    """
    check_names("preset", [preset], method.presets, method)
    check_names("part", without, method.parts, method)
    sections = method.sections(preset)
    made = f"preset {preset} of {method.name}"
    named = {"method": method.name, "preset": preset, "seed": seed}
    parse_config({**named, **sections}, made)  # so that a faulty preset is not blamed on a change
    for name, value in (changes or {}).items():
        _change(sections, method, name, value)
    if epochs is not None:
        sections.setdefault("training", {})["epochs"] = epochs
    sections["without"] = sorted({*sections.get("without", ()), *without})
    said = ", ".join(f"{name}={value}" for name, value in (changes or {}).items())
    config = parse_config({**named, **sections}, said or made)
    check_names("part", without, method.parts_of(config), method, " with these settings")
    _check_frozen(method, config, said or made)
    _check_buildable(method, config, said or made)
    return config


def check_names(what: str, names: Collection[str], known: Collection[str], method: Method, when: str = "") -> None:
    """Refuse names that a method does not have, or does not have ``when``. Raises UsageError with the nearest."""
    for name in names:
        if name in known:
            continue
        near = difflib.get_close_matches(name, known, 1)
        mean = f"did you mean {near[0]}? " if near else ""
        there = f"there are {', '.join(known)}" if known else "it has none"
        raise UsageError(f"{method.title} has no {what} {name!r}{when}; {mean}{there}")


def write_config(folder: Path, config: RunConfig) -> None:
    """Write ``config.json`` into a run folder."""
    with atomic_write(folder / CONFIG) as part:
        part.write_text(json.dumps(asdict(config), indent=2), encoding="utf-8")


def read_config(folder: Path) -> RunConfig:
    """The configuration that a run began with. Raises UsageError where the folder is not a run."""
    try:
        values = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except OSError as e:
        raise UsageError(
            f"{folder}: not a run that can be resumed; name a folder under runs/ of the data directory"
        ) from e
    except (ValueError, RecursionError) as e:
        raise UsageError(f"{folder / CONFIG}: can't be read as JSON ({e}); copy it again, or start a new run") from e
    config = parse_config(values, str(folder / CONFIG))
    if config.origin is None:
        raise UsageError(f"{folder / CONFIG}: does not say which packed file the run was made from (origin)")
    return config


def parse_config(values: Any, where: str) -> RunConfig:
    """A configuration from plain values, each checked for its type.

    Raises UsageError, which begins with ``where``, and names what is wrong.
    """
    try:
        return _PARSER.validate_json(json.dumps(values), strict=True)
    except ValidationError as e:
        first = e.errors()[0]
        name = ".".join(str(step) for step in first["loc"])
        words = first["msg"].removeprefix("Value error, ")
        raise UsageError(": ".join(filter(None, [where, name, words[:1].lower() + words[1:]]))) from e
    except (TypeError, ValueError) as e:
        raise UsageError(f"{where}: not a configuration ({e})") from e


def _known(method: Method) -> dict[str, Collection[str]]:
    """What each section may hold."""
    typed: dict[str, Any] = {"data": DataSettings, "training": Training, "optimiser": Optimiser}
    typed |= {"evaluation": Evaluation, "validation": Validation, "tracking": Tracking}
    names = {section: [f.name for f in fields(cls)] for section, cls in typed.items()}
    return {"model": method.settings(), **names}


def _change(sections: dict[str, Any], method: Method, name: str, value: Any) -> None:
    """Set a value by its dotted name. Raises UsageError where there is no such setting."""
    section, *path = name.split(".")
    known = _known(method)
    if not path or path[0] not in known.get(section, ()):
        every = [f"{s}.{key}" for s, keys in known.items() for key in keys]
        same = [other for other in every if other.partition(".")[2] == name]
        near = (same or difflib.get_close_matches(name, every, 1))[:1]
        mean = f"did you mean {near[0]}? " if near else ""
        there = [f"{section}.{key}" for key in known[section]] if section in known else [f"{s}.*" for s in SECTIONS]
        raise UsageError(f"no setting {name!r}; {mean}there are {', '.join(there) or f'none in {section}'}")
    if section == "model":
        check_like_presets(method, path, value)
    place = sections.setdefault(section, {})
    for step in path[:-1]:
        inner = place.get(step, {})
        if not isinstance(inner, Mapping):
            raise UsageError(f"no setting {name!r}; {step} is a single value")
        place[step] = place = dict(inner)
    place[path[-1]] = value


def _check_frozen(method: Method, config: RunConfig, where: str) -> None:
    """Raises UsageError where an encoder is to be frozen and can't be, or its features would not be the same twice."""
    if not config.training.frozen:
        return
    if not method.encoder:
        raise UsageError(f"{where}: training.frozen: {method.title} has no encoder of pictures that can be frozen")
    if config.data.train_crop != "centre" or config.data.resample == "random":
        raise UsageError(
            f"{where}: training.frozen: features are of pictures cropped in the centre and resized by one filter; set"
            " data.train_crop=centre, and data.resample=area or bilinear"
        )


def _check_buildable(method: Method, config: RunConfig, where: str) -> None:
    """Raises UsageError where the network can't be built or the batch can't be split."""
    import torch

    training, warm_up = config.training, config.optimiser.warm_up
    if 0 < training.epochs < warm_up:
        raise UsageError(f"{where}: optimiser.warm_up: {warm_up} epochs are more than the training has")
    if method.comparative and not (training.exemplars or training.every_pair):
        raise UsageError(f"{where}: nothing to compare; set training.exemplars or training.every_pair")
    try:
        with torch.device("meta"):  # no memory, no time
            network = method.build(config)
        _ = training.part
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as e:
        said = first_line(e)
        raise UsageError(f"{where}: can't be built ({said})") from e
    for name in ("encode", "compare") if method.comparative else ("score",):
        if not callable(getattr(network, name, None)):
            raise UsageError(f"the network of {method.name} has no method {name}(); see docs/own-model.md")
    if training.epochs and not callable(getattr(network, "loss", None)):
        raise UsageError(
            f"the network of {method.name} has no method loss() and can't be trained; see docs/own-model.md, or train"
            " nothing: training.epochs=0"
        )

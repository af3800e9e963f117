"""What a method is: the questions that runs, tables, pages and the command line ask of every model that scores dives.

A *direct* method gives a score from one clip (USDL, MUSDL). A *comparative* method encodes each clip once and
compares a query with an exemplar whose score is given to it (CoRe, TSA). Either is one class under
:func:`baselines.registry.method`; ``docs/own-model.md`` has a complete one. This module, and every module that
declares a method, is imported to list names: they import torch only inside :meth:`Method.build`.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Flag, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

if TYPE_CHECKING:
    from torch import Tensor, nn

    from baselines.data.batch import Batch
    from baselines.runs.config import RunConfig

Encoded = Any
"""What a comparative method knows of N clips: a ``NamedTuple`` of its own whose fields are tensors (N, ...).

A field named ``transitions`` holds the predicted stage boundaries, int64 (N, S - 1), frames of the T sampled ones and
-1 for a stage that a dive does not have. Where it is there, AIoU is computed and pages cut pictures by it."""


E = TypeVar("E", bound=tuple)


def pick(encoded: E, clips: Tensor) -> E:
    """The clips of these indices, in this order, with repetition, of what is known of N clips (:data:`Encoded`)."""
    return type(encoded)(*(field[clips] for field in encoded))


class Needs(Flag):
    """What a method reads of a clip. A clip that lacks it is left out; the true score is always needed in training."""

    NOTHING = 0
    PICTURES = auto()
    POSES = auto()
    STAGES = auto()
    NUMBER = auto()
    DIFFICULTY = auto()
    AWARDS = auto()
    SUB_ACTIONS = auto()


@dataclass(frozen=True, slots=True)
class Preset:
    """A training that people want to repeat.

    Attributes
    ----------
    help : one line for ``fdpose benchmark --list``
    sections : the sections of a :class:`~baselines.runs.config.RunConfig` by their names, or the name of an mmengine
        config file beside the method's module
    published_weights : whether the encoders are meant to start from published weights (``--weights``). A run
        without them says so loudly; a preset that takes none refuses the option
    """

    help: str
    sections: str | Mapping[str, Any]
    published_weights: bool = False


@dataclass(frozen=True, slots=True)
class WeightFile:
    """Published weights of one encoder: names that the file may have, and where it comes from."""

    names: tuple[str, ...]
    source: str


class Method:
    """Base of direct and comparative methods. Every attribute has a default but ``presets``; see the module."""

    name: ClassVar[str]
    title: ClassVar[str]
    presets: ClassVar[Mapping[str, Preset]]
    parts: ClassVar[Mapping[str, str]] = {}
    """What ``--ablate`` can leave out, and what remains then."""
    needs: ClassVar[Needs] = Needs.PICTURES
    weights: ClassVar[Mapping[str, WeightFile]] = {}
    """Published weights, by the key of the model section whose ``weights`` names the file."""
    encoder: ClassVar[str] = ""
    """The network's module that reads its pictures, a :class:`~baselines.backbones.encoder.Encoder`, and the key of its
    ``model`` section. ``training.frozen`` freezes it. Empty where no such module reads all of them."""
    compiles: ClassVar[tuple[str, ...]] = ()
    """Names of the network's modules that ``training.compile`` passes through ``torch.compile``."""
    comparative: ClassVar[bool]

    def build(self, config: RunConfig) -> nn.Module:
        """The network, with random weights or those that ``config.model`` names.

        Raises ValueError or TypeError where ``config.model`` holds settings that it can't be built from.
        """
        raise NotImplementedError

    def needs_of(self, config: RunConfig) -> Needs:
        """What it reads of a clip with these settings; :attr:`needs` where settings change nothing."""
        return self.needs

    def parts_of(self, config: RunConfig) -> Mapping[str, str]:
        """The parts that a network of these settings has; :attr:`parts` where settings change nothing."""
        return self.parts

    def settings(self) -> Collection[str]:
        """Keys that the model section may hold. Default: those of the presets."""
        return dict.fromkeys(key for name in self.presets for key in self.sections(name).get("model", {}))

    def sections(self, preset: str) -> dict[str, Any]:
        """The sections of a preset as plain values."""
        sections = self.presets[preset].sections
        if isinstance(sections, Mapping):
            return {name: dict(values) if isinstance(values, Mapping) else values for name, values in sections.items()}
        from mmengine.config import Config

        return Config.fromfile(Path(inspect.getfile(type(self))).parent / sections).to_dict()


class DirectMethod(Method):
    """A method whose network is a :class:`DirectNetwork`."""

    comparative = False


class ComparativeMethod(Method):
    """A method whose network is a :class:`ComparativeNetwork`."""

    comparative = True


class DirectNetwork(Protocol):
    """An ``nn.Module`` that scores clips on their own. Scores are in units of the target, see ``data.target``.

    A network of either kind may have more methods.

    ``prepare(labels)`` is called once, before the training, with a :class:`~baselines.data.batch.Batch` of the labels
    of all training dives, with poses where it needs them, without pictures, whose pairs are all those of two dives that
    may be compared.
    What the network keeps of them belongs into buffers: checkpoints and scorers carry those along.

    ``begin_epoch(epoch, epochs)`` is called before each of so many epochs, counted from 0.

    ``describe() -> dict[str, str]``: facts about the trained network, for its page.

    ``faults(batch) -> dict[str, Tensor]``, of a comparative network ``faults(encoded)`` with what its ``encode``
    returned: what went wrong in N clips, each (N,), NaN where it is not to be seen; a name ends with its unit, as
    ``rotation_deg``, ``late_s``, ``distance_m`` or ``splash_share``, and begins as a fault of
    :class:`finediving_pose.synth.faults.Faults` where it is that one. ``fdpose score`` shows them where poses do not
    measure the fault.
    """

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Named losses of N clips, scalars; the names end in ``loss`` and their sum is minimised."""
        ...

    def score(self, batch: Batch) -> Tensor:
        """Scores of N clips: (N,)."""
        ...


class ComparativeNetwork(Protocol):
    """An ``nn.Module`` that compares a query with an exemplar. Scores are in units of the target."""

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Named losses of the pairs (``batch.query``, ``batch.exemplar``) among N clips, as for a direct network."""
        ...

    def encode(self, batch: Batch) -> Encoded:
        """What is known of N clips, each on its own, without its labels."""
        ...

    def compare(self, query: Encoded, exemplar: Encoded, exemplar_score: Tensor) -> Tensor:
        """How far B queries are above their exemplars, whose scores are (B,): (B,), or (B, S), points by stage."""
        ...

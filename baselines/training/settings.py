"""How a network is trained: the ``training`` and ``optimiser`` sections of a run's configuration."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic.dataclasses import dataclass

from baselines.training import processes
from finediving_pose.errors import UsageError


@dataclass(frozen=True, slots=True, config={"extra": "forbid", "allow_inf_nan": False})
class Training:
    """How a network is trained, apart from the optimiser.

    Attributes
    ----------
    epochs : 0 trains nothing; what the network learns without it, it learns in its ``prepare``
    batch_size : query dives a step, over all processes
    exemplars : exemplars of a query
    every_pair, share_clips : see :func:`baselines.data.pairs.collate_pairs`
    alike : this many dives that may be compared follow each other in the order of an epoch, see
        :mod:`baselines.data.order`
    workers : processes that read data, for each that trains
    accumulate : parts that a batch is split in, for memories that do not hold it whole; the gradients add up to the
        same, only the batch norms see the parts
    precision : ``bf16`` computes in bfloat16 where that is safe (autocast)
    channels_last : memory order of the 3D convolutions that GPUs are fastest with
    compile : the modules that the method names go through ``torch.compile``
    frozen : the method's encoder of pictures is not trained; its features are computed once for all trainings of a
        packed file, see :mod:`baselines.features`. Training clips are mirrored, but not cropped at random
    threads : that each process computes with on the processor, in training and evaluation; None leaves it to torch,
        which takes one a core. Small networks are hardly faster with several, and much slower on a busy machine
    """

    epochs: NonNegativeInt
    batch_size: PositiveInt
    exemplars: NonNegativeInt = 1
    every_pair: bool = False
    share_clips: bool = True
    alike: PositiveInt = 1
    workers: NonNegativeInt = 0
    accumulate: PositiveInt = 1
    precision: Literal["fp32", "bf16"] = "fp32"
    channels_last: bool = False
    compile: bool = False
    frozen: bool = False
    threads: PositiveInt | None = None

    @property
    def part(self) -> int:
        """Queries that one process encodes at once. Raises UsageError where the batch can't be split so."""
        parts = self.accumulate * processes.count()
        if self.batch_size % parts:
            raise UsageError(
                f"a batch of {self.batch_size} pairs can't be split in {self.accumulate} parts on each of"
                f" {processes.count()} processes; choose numbers whose product divides it"
            )
        return self.batch_size // parts


@dataclass(frozen=True, slots=True, config={"extra": "forbid", "allow_inf_nan": False})
class Optimiser:
    """The optimiser and its learning rate over the epochs.

    Attributes
    ----------
    lr : learning rate
    weight_decay, momentum : as torch has them; momentum is SGD's
    lr_mult : factors of the learning rate, by a part of the parameters' names; the longest that fits counts
    clip_norm : gradients are scaled down to this norm; None leaves them
    schedule : ``cosine`` falls to zero in ``period`` epochs, rises again in as many, and so on; ``constant``
    period : in epochs; None takes all epochs of the training
    warm_up : epochs in which the rate first rises from nearly zero, step by step
    """

    lr: PositiveFloat
    type: Literal["Adam", "AdamW", "SGD"] = "Adam"
    weight_decay: NonNegativeFloat = 0.0
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    lr_mult: dict[str, NonNegativeFloat] = field(default_factory=dict)
    clip_norm: PositiveFloat | None = None
    schedule: Literal["cosine", "constant"] = "cosine"
    period: PositiveInt | None = None
    warm_up: NonNegativeInt = 0

    def wrapper(self, how: Training) -> dict[str, Any]:
        """The optimiser with its wrapper for precision and accumulation, as mmengine builds it."""
        optimiser: dict[str, Any] = {"type": self.type, "lr": self.lr, "weight_decay": self.weight_decay}
        if self.type == "SGD":
            optimiser["momentum"] = self.momentum
        return {
            "type": "Bf16OptimWrapper" if how.precision == "bf16" else "OptimWrapper",
            "optimizer": optimiser,
            "paramwise_cfg": {"custom_keys": {name: {"lr_mult": factor} for name, factor in self.lr_mult.items()}},
            "clip_grad": None if self.clip_norm is None else {"max_norm": self.clip_norm},
            "accumulative_counts": how.accumulate,
        }

    def scheduler(self, epochs: int) -> list[dict[str, Any]]:
        """The learning rate over the epochs, as mmengine builds it."""
        rises: dict[str, Any] = {"type": "LinearLR", "start_factor": 1e-3, "end": self.warm_up}
        schedule = [rises | {"by_epoch": True, "convert_to_iter_based": True}] if self.warm_up else []
        if self.schedule == "constant":
            return schedule
        return [
            *schedule,
            {"type": "CosineAnnealingLR", "T_max": self.period or epochs, "by_epoch": True, "end": epochs},
        ]

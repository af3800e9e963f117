"""Trainings that go on after a stop: mmengine's Runner with checkpoints that are whole, and read without running code.

mmengine's own way reads a checkpoint with pickle where torch's safe way refuses it, runs ``meta.config`` as Python,
deletes the old checkpoint before the new one is written, and takes a file that is half written for a checkpoint.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from finediving_pose.checkpoints import read_checkpoint, write_checkpoint
from finediving_pose.errors import CheckpointError
from finediving_pose.plain_pickle import one_line
from finediving_pose.progress import tell
from finediving_pose.workspace import atomic_write, remove_part_files

LAST = "last_checkpoint"
"""Holds the name of the last checkpoint, for people: a training goes on from the last one that is whole."""
STOPPED_AT = "stopped.pth"
"""A checkpoint from within an epoch, of a training that was asked to stop."""

_KEYS = ("meta", "state_dict", "optimizer", "param_schedulers", "message_hub")


_MOMENTS: dict[str, frozenset[str]] = dict.fromkeys(("Adam", "AdamW"), frozenset({"step", "exp_avg", "exp_avg_sq"}))
"""What optimisers remember of each weight; SGD remembers nothing without momentum."""


class ResumableRunner(Runner):
    """mmengine's Runner, whose checkpoints hold tensors and plain values.

    ``load_from`` together with ``resume`` names the checkpoint to go on from; see :func:`last_checkpoint`.

    Attributes
    ----------
    within : what a checkpoint from within an epoch says of it, for the loop that goes on with that epoch; else None
    """

    optim_wrapper: Any
    param_schedulers: Any
    within: Any = None

    def save_checkpoint(self, out_dir: str, filename: str, *args: Any, **kwargs: Any) -> None:
        """Write what a training needs to go on; the epoch that is about to end counts as done."""
        write_checkpoint(Path(out_dir) / filename, self.contents(self.epoch + 1))

    def contents(self, epoch: int, within: Any = None) -> dict[str, Any]:
        """What a training needs to go on, as a checkpoint holds it.

        Parameters
        ----------
        epoch : epochs that are done
        within : plain values and tensors of the epoch that was begun; None between two epochs
        """
        meta = {"epoch": epoch, "iter": self.iter, "seed": self.seed, "processes": get_world_size()}
        checkpoint = {
            "meta": {**meta, "cfg": self.cfg.pretty_text},
            "state_dict": {k: v.cpu() for k, v in self._bare_model().state_dict().items()},
            "optimizer": self.optim_wrapper.state_dict(),
            "param_schedulers": [s.state_dict() for s in self.param_schedulers],
            "message_hub": _plain_facts(self.message_hub.runtime_info),
            **({} if within is None else {"within": within}),
        }
        self.call_hook("before_save_checkpoint", checkpoint=checkpoint)
        return checkpoint

    def load_checkpoint(self, filename: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Read a checkpoint into the model. Raises CheckpointError where it is none of this training."""
        path = Path(filename)
        checkpoint = _read(path)
        with _of_this_training(path):
            self.call_hook("after_load_checkpoint", checkpoint=checkpoint)
            self._bare_model().load_state_dict(checkpoint["state_dict"], strict=True)
        self._has_loaded = True
        return checkpoint

    def resume(self, filename: str, *args: Any, **kwargs: Any) -> None:
        """Go on from a checkpoint. Raises CheckpointError where it is none of this training."""
        checkpoint = self.load_checkpoint(filename)
        with _of_this_training(Path(filename)):
            loop: Any = self.train_loop
            loop._epoch, loop._iter = checkpoint["meta"]["epoch"], checkpoint["meta"]["iter"]
            self.within = checkpoint.get("within")
            for name, value in checkpoint["message_hub"].items():
                if not isinstance(name, str):
                    raise TypeError(f"a fact named {name}")
                self.message_hub.update_info(name, value)
            self.optim_wrapper = self.build_optim_wrapper(self.optim_wrapper)
            groups = self.optim_wrapper.state_dict()["param_groups"]
            _check_kinds(checkpoint["optimizer"]["param_groups"], groups, "optimiser")
            self.optim_wrapper.load_state_dict(checkpoint["optimizer"])
            _check_moments(self.optim_wrapper.optimizer)
            self.param_schedulers = self.build_param_scheduler(self.param_schedulers)
            states = checkpoint["param_schedulers"]
            for scheduler, state in zip(self.param_schedulers, states, strict=True):
                if state.keys() != scheduler.state_dict().keys():
                    raise KeyError("another schedule")
                _check_kinds(state, scheduler.state_dict(), "schedule")
                scheduler.load_state_dict(state)
        before, now = checkpoint["meta"].get("processes"), get_world_size()
        if before not in (None, now):
            tell(
                f"{filename}: written by {before} processes, going on with {now}: each step sees the same clips, but"
                " losses and figures are not those of an unbroken training"
            )

    def _bare_model(self) -> torch.nn.Module:
        model: Any = self.model
        return model.module if is_model_wrapper(model) else model


class WholeCheckpoints(Hook):
    """Writes ``epoch_N.pth`` after every epoch, and then removes all but the last few.

    Parameters
    ----------
    keep : how many; more than one, so that there is another where the last one is damaged
    """

    priority = "VERY_LOW"

    def __init__(self, keep: int = 2) -> None:
        self.keep = keep

    def after_train_epoch(self, runner: Runner) -> None:
        if not is_main_process():
            return
        folder, epoch = Path(runner.work_dir), runner.epoch + 1
        runner.save_checkpoint(str(folder), f"epoch_{epoch}.pth")
        remove_part_files(folder / LAST)
        with atomic_write(folder / LAST) as part:
            part.write_text(f"epoch_{epoch}.pth", encoding="utf-8")
        for old, path in checkpoints(folder).items():
            if old <= epoch - self.keep or old > epoch:
                path.unlink(missing_ok=True)
        (folder / STOPPED_AT).unlink(missing_ok=True)


def checkpoints(folder: Path) -> dict[int, Path]:
    """The checkpoints in the folder of a training by their epochs, the first one first; some may be damaged."""
    named = {p: re.fullmatch(r"epoch_(\d{1,9})\.pth", p.name) for p in folder.glob("epoch_*.pth")}
    return dict(sorted((int(found[1]), path) for path, found in named.items() if found))


def is_begun(folder: Path) -> bool:
    """Whether there is a checkpoint in the folder of a training, damaged or not."""
    return bool(checkpoints(folder)) or (folder / STOPPED_AT).is_file()


def last_checkpoint(folder: Path) -> Path | None:
    """The last whole checkpoint in the folder of a training, None before the first.

    Later ones that are damaged, cut short or of something else are passed over, with a line that says so.
    """
    ended = list(reversed(checkpoints(folder).items()))
    stopped = folder / STOPPED_AT
    for path in [*([stopped] if stopped.is_file() else []), *(path for _, path in ended)]:
        try:
            found = _read(path)
        except CheckpointError as e:
            tell(f"passed over: {e}")
            continue
        if path == stopped and ended and found["meta"]["epoch"] < ended[0][0]:
            continue  # that epoch ended later
        return path
    return None


def _read(path: Path) -> dict[str, Any]:
    checkpoint = read_checkpoint(path)
    missing = [key for key in _KEYS if not isinstance(checkpoint, dict) or key not in checkpoint]
    if missing:
        raise CheckpointError(f"{path}: not a checkpoint of a training; it has no {', '.join(missing)}")
    meta = checkpoint["meta"]
    if not isinstance(meta, dict) or not all(type(meta.get(k)) is int and meta[k] >= 0 for k in ("epoch", "iter")):
        raise CheckpointError(f"{path}: not a checkpoint of a training; it does not say of which epoch")
    return checkpoint


@contextmanager
def _of_this_training(path: Path) -> Iterator[None]:
    """Say in one line that a checkpoint does not fit."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, IndexError) as e:
        said = one_line(Exception(" ".join(str(e).split())))
        raise CheckpointError(
            f"{path}: not a checkpoint of this training ({said}); delete it, and the training goes on from the one"
            " before"
        ) from e


def _plain_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Those that JSON can hold; others belong to the process that they were made in."""
    kept = {}
    for name, value in facts.items():
        try:
            kept[name] = json.loads(json.dumps(value))
        except (TypeError, ValueError):
            continue
    return kept


def _check_kinds(stored: Any, fresh: Any, where: str) -> None:
    """Raises TypeError where a stored value is of another kind than that of a training that has just begun."""
    numbers = (int, float, type(None))
    if isinstance(fresh, dict):
        if not isinstance(stored, dict) or not fresh.keys() <= stored.keys():
            raise TypeError(f"{where} lacks values")
        for key, value in stored.items():
            _check_kinds(value, fresh.get(key, 0.0), f"{where} {key}")
    elif isinstance(fresh, (list, tuple)):
        if not isinstance(stored, (list, tuple)) or len(stored) != len(fresh):
            raise TypeError(f"{where} has another number of values")
        for one, other in zip(stored, fresh, strict=True):
            _check_kinds(one, other, where)
    elif not (isinstance(stored, numbers) if isinstance(fresh, numbers) else type(stored) is type(fresh)):
        raise TypeError(f"{where} is a {type(stored).__name__}, not a {type(fresh).__name__}")


def _check_moments(optimizer: Any) -> None:
    """Raises ValueError where what an optimiser remembers of a weight is not of the weight's shape."""
    needed = _MOMENTS.get(type(optimizer).__name__, frozenset())
    for weight, moments in optimizer.state.items():
        if not needed <= moments.keys() or any(
            isinstance(m, torch.Tensor) and m.shape not in (weight.shape, ()) for m in moments.values()
        ):
            raise ValueError("the optimiser's state is of other weights")

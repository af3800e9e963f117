"""Epochs that can be left and begun again after any step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from mmengine.registry import LOOPS
from mmengine.runner import EpochBasedTrainLoop

from baselines.data.order import AlikeTogether
from baselines.training import processes, stopping
from baselines.training.hooks import EpochHistory
from finediving_pose.checkpoints import write_checkpoint
from finediving_pose.errors import CheckpointError, Stopped
from finediving_pose.resuming import STOPPED_AT, ResumableRunner


@LOOPS.register_module()
class StoppableEpochs(EpochBasedTrainLoop):
    """mmengine's epochs. Asked to stop, it writes a checkpoint after the step in hand and raises ``Stopped``.

    A training that goes on from there draws what an unbroken one does: the clips of an epoch follow from the seed, and
    the checkpoint holds the random states and the sums of losses of every process. Several processes stop after the
    same step, whichever of them was asked.
    """

    runner: ResumableRunner

    def run(self) -> torch.nn.Module:
        """Train; a signal is answered between two steps."""
        with stopping.kept_for_later():
            return super().run()

    def run_epoch(self) -> None:
        """Train an epoch, or what is left of it."""
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        sampler = cast(AlikeTogether, self.dataloader.sampler)
        step = self._step_before()
        sampler.skip = step * cast(int, self.dataloader.batch_size)
        batches = iter(self.dataloader)  # draws the seed of its workers
        self._restore()
        for step, batch in enumerate(batches, step + 1):  # noqa: B020  (the number of steps done)
            self.run_iter(step - 1, batch)
            if processes.any_of(stopping.is_asked()) and self.runner.optim_wrapper.should_update():
                self._write(self._contents(step))
                raise Stopped(stopping.asked_by())
        self._end_epoch(step)
        self._epoch += 1

    def _end_epoch(self, step: int) -> None:
        """Score and write what an epoch ends with; one process may leave that at once, all do after the step."""
        if processes.count() > 1 or not self.runner.optim_wrapper.should_update():
            self.runner.call_hook("after_train_epoch")
            return
        trained = self._contents(step)  # what scoring does to it begins again
        try:
            with stopping.kept_for_later(False):
                self.runner.call_hook("after_train_epoch")
        except Stopped:
            self._write(trained)
            raise

    def _contents(self, step: int) -> dict[str, Any]:
        """A checkpoint after so many steps of the epoch, with what each process knows alone."""
        own = {"random": torch.get_rng_state(), "history": self._history().state()}
        if torch.cuda.is_available():
            own["random_gpu"] = torch.cuda.get_rng_state()
        return self.runner.contents(self._epoch, {"step": step, "own": processes.gather(own)})

    def _write(self, contents: dict[str, Any]) -> None:
        if processes.is_first():
            write_checkpoint(Path(self.runner.work_dir) / STOPPED_AT, contents)

    def _step_before(self) -> int:
        """Steps of the epoch that were done before the training was stopped. Raises CheckpointError."""
        within = self.runner.within
        if within is None:
            return 0
        step = within.get("step") if isinstance(within, Mapping) else None
        if type(step) is not int or not 0 < step <= len(self.dataloader):
            raise CheckpointError(f"{self.runner.work_dir}: {STOPPED_AT} does not say after which step; delete it")
        return step

    def _restore(self) -> None:
        """Random states and sums as they were when the epoch was left. Raises CheckpointError."""
        within, self.runner.within = self.runner.within, None
        if within is None:
            return
        try:
            states = within["own"]
            self._history().restore([own["history"] for own in states], processes.rank())
            if len(states) == processes.count():
                own = states[processes.rank()]
                torch.set_rng_state(own["random"])
                if torch.cuda.is_available() and "random_gpu" in own:
                    torch.cuda.set_rng_state(own["random_gpu"])
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as e:
            raise CheckpointError(f"{self.runner.work_dir}: {STOPPED_AT} is of another training; delete it") from e

    def _history(self) -> EpochHistory:
        return next(hook for hook in self.runner.hooks if isinstance(hook, EpochHistory))

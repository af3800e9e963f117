"""A training that a scheduler asks to stop: a checkpoint after the step in hand, and the same result in the end."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from baselines.runs.best_epoch import BestEpoch
from baselines.runs.figures import Figures
from baselines.training import stopping
from finediving_pose.checkpoints import read_checkpoint
from finediving_pose.errors import STOPPED, CheckpointError, Stopped
from finediving_pose.resuming import STOPPED_AT, is_begun, last_checkpoint
from tests.baselines.small_training import AskToStop, small_training
from tests.baselines.training.test_trainer import finished, process

pytestmark = pytest.mark.slow

SMALL: dict[str, Any] = {"clips": 8, "epochs": 3, "batch_size": 4}
"""Two steps an epoch, with dropout."""
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def losses(runner: Runner) -> list[dict[str, float]]:
    return [{k: v for k, v in e.items() if "loss" in k or "rho" in k} for e in runner.message_hub.get_info("history")]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return small_training(tmp_path_factory.mktemp("unbroken"), **SMALL)


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that was stopped after the first step of its second epoch."""
    folder = tmp_path_factory.mktemp("cut")
    with pytest.raises(Stopped), stopping.stoppable():
        small_training(folder, hooks=[AskToStop(2, 1)], **SMALL)
    return folder


@pytest.fixture
def stopped(cut: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(cut, tmp_path / "stopped"))


def assert_same(runner: Runner, other: Runner) -> None:
    assert losses(runner) == losses(other)
    for (name, a), b in zip(runner.model.state_dict().items(), other.model.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


@pytest.mark.parametrize(("epoch", "step", "number"), [(1, 1, signal.SIGTERM), (2, 2, signal.SIGUSR1)])
def test_a_stopped_training_goes_on_from_the_step_to_the_same_result(
    tmp_path: Path, unbroken: Runner, epoch: int, step: int, number: int
) -> None:
    with pytest.raises(Stopped, match=signal.Signals(number).name), stopping.stoppable():
        small_training(tmp_path, hooks=[AskToStop(epoch, step, number)], **SMALL)
    checkpoint = last_checkpoint(tmp_path)
    assert checkpoint == tmp_path / STOPPED_AT and is_begun(tmp_path)
    meta = read_checkpoint(tmp_path / STOPPED_AT)["meta"]
    assert (meta["epoch"], meta["iter"]) == (epoch - 1, 2 * (epoch - 1) + step)
    seen: list[int] = []

    class Count(Hook):
        def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
            seen.append(runner.iter)

    assert_same(small_training(tmp_path, resume=True, hooks=[Count()], **SMALL), unbroken)
    assert len(seen) == 6 - meta["iter"], "no step is done twice"
    assert not (tmp_path / STOPPED_AT).exists()


def test_what_is_asked_while_dives_are_scored_loses_no_step(tmp_path: Path) -> None:
    def score(epoch: int) -> Figures:
        return Figures(rho=epoch / 10)

    def asked(epoch: int) -> Figures:
        os.kill(os.getpid(), signal.SIGTERM)
        return score(epoch)

    hooks: list[Hook] = [BestEpoch(score, "validation", lambda _: True)]
    whole = small_training(tmp_path / "whole", hooks=hooks, **SMALL)
    with pytest.raises(Stopped), stopping.stoppable():
        small_training(tmp_path / "cut", hooks=[BestEpoch(asked, "validation", lambda _: True)], **SMALL)
    assert read_checkpoint(tmp_path / "cut" / STOPPED_AT)["meta"]["iter"] == 2
    assert_same(small_training(tmp_path / "cut", hooks=hooks, resume=True, **SMALL), whole)


def test_a_stop_comes_between_whole_batches(tmp_path: Path) -> None:
    """Of four parts with two a batch, the first one has changed no weight yet."""
    options = {**SMALL, "accumulate": 2}
    whole = small_training(tmp_path / "whole", **options)
    with pytest.raises(Stopped), stopping.stoppable():
        small_training(tmp_path / "cut", hooks=[AskToStop(2, 1)], **options)
    assert read_checkpoint(tmp_path / "cut" / STOPPED_AT)["within"]["step"] == 2
    assert_same(small_training(tmp_path / "cut", resume=True, **options), whole)


def test_outside_the_steps_a_signal_ends_the_work_at_once() -> None:
    with pytest.raises(Stopped, match="SIGUSR1"), stopping.stoppable():
        os.kill(os.getpid(), signal.SIGUSR1)
        time.sleep(60)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_checkpoint_of_an_epoch_that_ended_later_goes_before(stopped: Path) -> None:
    assert last_checkpoint(stopped) == stopped / STOPPED_AT
    shutil.copy(stopped / "epoch_1.pth", stopped / "epoch_2.pth")
    assert last_checkpoint(stopped) == stopped / "epoch_2.pth"


def test_a_damaged_checkpoint_is_passed_over(stopped: Path) -> None:
    (stopped / STOPPED_AT).write_bytes((stopped / STOPPED_AT).read_bytes()[:1000])
    assert last_checkpoint(stopped) == stopped / "epoch_1.pth"


@pytest.mark.parametrize("change", [{"step": 9}, {"step": "1"}, {"own": None}, {"own": [{}]}])
def test_a_changed_checkpoint_is_one_line(stopped: Path, change: dict[str, Any]) -> None:
    content = read_checkpoint(stopped / STOPPED_AT)
    content["within"] |= change
    torch.save(content, stopped / STOPPED_AT)
    with pytest.raises(CheckpointError, match=rf"{STOPPED_AT} .*; delete it"):
        small_training(stopped, resume=True, **SMALL)


def test_processes_that_read_data_leave_signals_to_the_one_that_trains(tmp_path: Path) -> None:
    """A scheduler signals all of them."""
    options = {**SMALL, "epochs": 6, "workers": 1}
    whole = finished(process(tmp_path / "whole", **options), tmp_path / "whole")
    running = process(tmp_path / "cut", **options)
    while not (tmp_path / "cut" / "epoch_1.pth").is_file():
        assert running.poll() is None
        time.sleep(0.02)
    for child in Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGTERM)
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=120)
    assert running.returncode == STOPPED, said.decode()[-2000:]
    assert finished(process(tmp_path / "cut", resume=True, **options), tmp_path / "cut") == whole


def test_of_two_processes_one_is_asked_and_both_stop_after_the_same_step(tmp_path: Path) -> None:
    whole = finished(process(tmp_path / "whole", *TORCHRUN, **SMALL), tmp_path / "whole")
    stopped = process(tmp_path / "cut", *TORCHRUN, **SMALL, ask_at=(2, 1))
    _, said = stopped.communicate(timeout=240)
    assert f"exitcode  : {STOPPED}" in said.decode(), said.decode()[-2000:]
    content = read_checkpoint(tmp_path / "cut" / STOPPED_AT)
    assert (content["meta"]["iter"], content["meta"]["processes"], len(content["within"]["own"])) == (3, 2, 2)
    assert finished(process(tmp_path / "cut", *TORCHRUN, resume=True, **SMALL), tmp_path / "cut") == whole


def test_going_on_with_another_number_of_processes_is_told(stopped: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = read_checkpoint(stopped / STOPPED_AT)
    content["meta"]["processes"] = 2
    content["within"]["own"] *= 2
    torch.save(content, stopped / STOPPED_AT)
    runner = small_training(stopped, resume=True, **SMALL)
    assert "written by 2 processes, going on with 1" in capfd.readouterr().err
    assert [e["epoch"] for e in runner.message_hub.get_info("history")] == [1, 2, 3]

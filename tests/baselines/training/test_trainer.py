"""The training loop on dives held in memory."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.optim import build_optim_wrapper
from mmengine.runner import Runner

from baselines.data.batch import Batch
from baselines.methods.hpmcr.network import HPMCR
from baselines.runs.best_epoch import BEST, BestEpoch, update_best
from baselines.runs.config import make_config
from baselines.runs.figures import Figures, measure
from baselines.runs.predictions import Prediction
from baselines.training.hooks import ExpectedTime, in_words, network_of
from baselines.training.settings import Training
from baselines.training.trainer import Trainable
from finediving_pose.clip import ClipKey
from finediving_pose.errors import FdposeError, UsageError
from tests.baselines.small_model import SMALL
from tests.baselines.small_training import METHOD, small_training

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[3]


def history(runner: Runner) -> list[dict[str, float]]:
    return runner.message_hub.get_info("history")


def process(folder: Path, *launcher: str, **options: Any) -> subprocess.Popen[bytes]:
    words = [sys.executable, *launcher, "-m", "tests.baselines.small_training", str(folder), json.dumps(options)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(words, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finished(running: subprocess.Popen[bytes], folder: Path) -> dict[str, Any]:
    _, said = running.communicate(timeout=240)
    assert running.returncode == 0, said.decode()[-2000:]
    return json.loads((folder / "result.json").read_text())


def prediction(true: float, predicted: float) -> Prediction:
    return Prediction(ClipKey("a", int(true)), "107b", 3.0, true, predicted, 0.0, "", (1, 2), (1, 2), 1.0, ())


@pytest.mark.parametrize("split", ["validation", "test"])
def test_the_epoch_with_the_best_rho_is_kept(tmp_path: Path, split: str) -> None:
    order = iter([[1, 2, 3], [2, 1, 3], [3, 2, 1]])  # how the dives are scored after each epoch
    seen: list[int] = []
    states: list[dict[str, torch.Tensor]] = []

    def score(epoch: int) -> Figures:
        seen.append(epoch)
        states.append({k: v.clone() for k, v in network_of(Watch.runner).state_dict().items()})
        return measure([prediction(t, p) for t, p in zip((3.0, 1.0, 2.0), next(order), strict=True)]).figures

    class Watch(Hook):
        runner: Runner

        def before_train(self, runner: Runner) -> None:
            Watch.runner = runner

    runner = small_training(tmp_path, epochs=3, hooks=[Watch(), BestEpoch(score, split, lambda epoch: True)])
    assert seen == [1, 2, 3]
    rho = [entry[f"{split}_rho"] for entry in history(runner)]
    assert rho == [-0.5, 0.5, 0.5]
    best = torch.load(tmp_path / BEST, weights_only=True)
    assert all(torch.equal(v, best[k]) for k, v in states[1].items())
    assert runner.message_hub.get_info("best_of_each")["rho"] == {"value": pytest.approx(0.5), "epoch": 2}


def test_each_figure_has_its_own_best_epoch_in_the_public_code_s_way() -> None:
    one = Figures(rho=0.5, l2=30.0, r_l2_x100=2.0, aiou_50=90.0, aiou_75=math.nan)
    two = Figures(rho=0.6, l2=40.0, r_l2_x100=3.0, aiou_50=95.0, aiou_75=10.0)
    best = update_best(update_best({}, one, 1), two, 2)
    assert {name: b["epoch"] for name, b in best.items()} == {
        "rho": 2, "l2": 1, "r_l2_x100": 1, "aiou_50": 2, "aiou_75": 2,
    }  # fmt: skip


def test_training_follows_from_the_seed(tmp_path: Path) -> None:
    one, two = (history(small_training(tmp_path / name))[0]["loss"] for name in ("one", "two"))
    assert one == two


WHOLE = {"clips": 200, "queries": 8, "frozen": True, "batch_size": 4}
"""Two steps of four pairs."""


def test_runs_of_one_name_in_one_second_share_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trainer's library tells trainings apart by a name and the second they began in."""
    monkeypatch.setattr(time, "strftime", lambda *_: "20261129_145737")
    for data in ("first", "second"):
        folder = tmp_path / data / "runs" / "hpmcr-20261129-145737"
        folder.mkdir(parents=True)
        hub = small_training(folder).message_hub
        assert [epoch["epoch"] for epoch in hub.get_info("history")] == [1]


def test_a_batch_in_parts_is_the_batch(tmp_path: Path) -> None:
    """Gradient accumulation: the same steps as with the whole batch at once."""
    whole, parts = (small_training(tmp_path / str(n), accumulate=n, **WHOLE) for n in (1, 2))
    assert parts.train_dataloader.batch_size == 2  # type: ignore[union-attr]
    assert history(parts)[0]["loss"] == pytest.approx(history(whole)[0]["loss"], rel=1e-4)
    for (name, a), b in zip(whole.model.named_parameters(), parts.model.parameters(), strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-6), name


def test_two_processes_train_as_one(tmp_path: Path) -> None:
    """torchrun, gloo, two processes on the CPU: the same losses, the same weights."""
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    one = finished(process(tmp_path / "one", **WHOLE), tmp_path / "one")
    two = finished(process(tmp_path / "two", *launcher, **WHOLE), tmp_path / "two")
    assert two["history"][0] == pytest.approx(one["history"][0], rel=1e-4)
    assert two["weights"] == pytest.approx(one["weights"], rel=1e-2, abs=1e-6)
    assert sum(one["weights"].values()) > 1e-3


def test_a_killed_training_goes_on_to_the_same_result(tmp_path: Path) -> None:
    """kill -9 in the middle, with data workers and dropout; then resumed."""
    options = {"clips": 8, "epochs": 6, "batch_size": 4, "workers": 1}
    unbroken = finished(process(tmp_path / "unbroken", **options), tmp_path / "unbroken")
    killed = tmp_path / "killed"
    running = process(killed, **options)
    while not (killed / "epoch_2.pth").is_file():
        assert running.poll() is None, "the training was over before it could be killed"
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert not (killed / "result.json").exists()
    assert finished(process(killed, resume=True, **options), killed) == unbroken


def test_a_batch_that_can_not_be_split_is_bad_usage() -> None:
    with pytest.raises(UsageError, match="a batch of 8 pairs can't be split in 3 parts"):
        _ = Training(epochs=1, batch_size=8, accumulate=3).part


def test_half_precision_trains(tmp_path: Path) -> None:
    full, half = (small_training(tmp_path / p, precision=p) for p in ("fp32", "bf16"))
    a, b = history(full)[0]["loss"], history(half)[0]["loss"]
    assert a != b
    assert b == pytest.approx(a, rel=0.1)
    assert all(p.dtype == torch.float32 for p in half.model.parameters())


def test_the_static_encoder_learns_at_a_tenth_of_the_rate() -> None:
    """Adam, 5e-4, 5e-5 for the static encoder, as the public code."""
    config = make_config(METHOD, "full", seed=0)
    model = HPMCR(**SMALL)
    wrapper = build_optim_wrapper(model, config.optimiser.wrapper(config.training))
    groups = wrapper.optimizer.param_groups  # type: ignore[union-attr]
    rates = {id(p): g["lr"] for g in groups for p in g["params"]}
    slow = {name for name, p in model.named_parameters() if rates[id(p)] == pytest.approx(5e-5)}
    assert slow == {f"static.{name}" for name, _ in model.static.named_parameters()}
    assert {rates[id(p)] for n, p in model.named_parameters() if n not in slow} == {5e-4}


def test_a_network_that_wants_to_know_is_told_every_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(HPMCR, "begin_epoch", lambda self, *at: told.append(at), raising=False)
    small_training(tmp_path, epochs=2)
    assert told == [(0, 2), (1, 2)]


def test_long_trainings_say_early_how_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("baselines.training.hooks.tell", lambda line, **style: said.append(line))
    monkeypatch.setattr(ExpectedTime, "AFTER", 1)
    small_training(tmp_path / "short", epochs=2)
    assert not any("expect about" in line for line in said)
    monkeypatch.setattr(ExpectedTime, "LONG", 0)
    small_training(tmp_path / "long", epochs=2)
    assert sum("expect about" in line and "1 steps to go" in line for line in said) == 1
    assert (in_words(90), in_words(7200), in_words(864000)) == ("2 minutes", "2.0 hours", "10 days")


def test_the_share_of_time_spent_waiting_for_data_is_told(tmp_path: Path) -> None:
    assert 0 < history(small_training(tmp_path))[0]["waiting_for_data"] < 1


class Loose(torch.nn.Module):
    """A network whose losses have names of their own."""

    def __init__(self, **losses: float) -> None:
        super().__init__()
        self.losses = losses

    def loss(self, batch: Batch) -> dict[str, torch.Tensor]:
        return {name: torch.tensor(value) for name, value in self.losses.items()}


@pytest.mark.parametrize(("losses", "words"), [({"score": 1.0}, "gives score; expected"), ({}, "gives nothing")])
def test_losses_that_nothing_would_minimise_are_refused(losses: dict[str, float], words: str) -> None:
    with pytest.raises(FdposeError, match=words):
        Trainable(Loose(**losses))()
    assert set(Trainable(Loose(score_loss=1.0))()) == {"score_loss"}

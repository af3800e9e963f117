"""Trainings that go on after a stop, on a network of one weight."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.hooks import EMAHook, Hook
from mmengine.model import BaseModel
from torch.utils.data import DataLoader

from finediving_pose.checkpoints import read_checkpoint
from finediving_pose.errors import CheckpointError, FdposeError
from finediving_pose.resuming import LAST, ResumableRunner, WholeCheckpoints, checkpoints, last_checkpoint
from tests.killing import count_moments, kill_at

pytestmark = pytest.mark.slow

_NAMES = itertools.count()


class Line(BaseModel):
    """y = a x, and one more parameter where it is another network."""

    def __init__(self, wide: int = 1) -> None:
        super().__init__()
        self.a = torch.nn.Parameter(torch.zeros(wide))

    def forward(self, x: torch.Tensor, mode: str = "loss") -> dict[str, torch.Tensor]:
        return {"loss": ((self.a.sum() * x - 2 * x) ** 2).mean()}


class Collect(Hook):
    def after_train_epoch(self, runner: Any) -> None:
        history = runner.message_hub.get_info("history", [])
        runner.message_hub.update_info("history", [*history, float(runner.model.a.sum())])


def train(folder: Path, epochs: int, resume: Path | None = None, wide: int = 1, keep: int = 2) -> ResumableRunner:
    runner = ResumableRunner(
        model=Line(wide),
        work_dir=str(folder),
        train_dataloader=DataLoader([{"x": torch.tensor(float(i))} for i in range(4)], 2),  # type: ignore[arg-type]
        train_cfg={"by_epoch": True, "max_epochs": epochs},
        optim_wrapper={"optimizer": {"type": "Adam", "lr": 0.1}},
        param_scheduler=[{"type": "CosineAnnealingLR", "T_max": 9, "by_epoch": True, "end": 9}],
        default_hooks={"logger": None, "checkpoint": WholeCheckpoints(keep)},  # type: ignore[dict-item]
        custom_hooks=[Collect(), EMAHook(strict_load=True)],
        load_from=str(resume) if resume else None,
        resume=resume is not None,
        log_level="ERROR",
        default_scope="mmengine",
        experiment_name=f"line-{next(_NAMES)}",
    )
    runner.train()
    return runner


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training of three epochs."""
    folder = tmp_path_factory.mktemp("three")
    train(folder, 3)
    return folder


@pytest.fixture
def stopped(three: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(three, tmp_path / "stopped"))


def test_a_training_that_goes_on_ends_as_an_unbroken_one(stopped: Path, tmp_path: Path) -> None:
    whole, went_on = train(tmp_path / "whole", 5), train(stopped, 5, last_checkpoint(stopped))
    assert went_on.message_hub.get_info("history") == whole.message_hub.get_info("history")
    assert len(whole.message_hub.get_info("history")) == 5
    for name in ("state_dict", "ema_state_dict", "optimizer", "param_schedulers"):
        one, two = (read_checkpoint(f / "epoch_5.pth")[name] for f in (tmp_path / "whole", stopped))
        assert repr(one) == repr(two), name


def test_the_last_checkpoints_are_kept_and_the_note_names_the_last(stopped: Path) -> None:
    assert {p.name for p in stopped.glob("*.pth")} == {"epoch_2.pth", "epoch_3.pth"}
    assert (stopped / LAST).read_text() == "epoch_3.pth"
    assert last_checkpoint(stopped) == stopped / "epoch_3.pth"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def changed_inside(path: Path) -> None:
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        entry = next(e for e in archive.infolist() if e.filename.endswith("/data/0"))
    at = data.index(b"data/0", entry.header_offset) + 70
    data[at] ^= 0xFF
    path.write_bytes(data)


def of_something_else(path: Path) -> None:
    torch.save({"epoch": 3}, path)


def without_an_epoch(path: Path) -> None:
    torch.save(torch.load(path, weights_only=True) | {"meta": {"epoch": "3", "iter": 1}}, path)


class Trap:
    def __reduce__(self) -> Any:
        return os.system, ("touch ran",)


def with_code(path: Path) -> None:
    torch.save({"state_dict": {}, "meta": Trap()}, path, pickle_module=pickle)


@pytest.mark.parametrize("damage", [cut, emptied, changed_inside, of_something_else, without_an_epoch, with_code])
def test_a_damaged_last_checkpoint_is_passed_over_with_a_line_for_the_one_before(
    stopped: Path, damage: Callable[[Path], None], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(stopped)
    damage(stopped / "epoch_3.pth")
    assert last_checkpoint(stopped) == stopped / "epoch_2.pth"
    said = capfd.readouterr().err.strip()
    assert "passed over: " in said and "epoch_3.pth: " in said
    went_on = train(stopped, 3, last_checkpoint(stopped))
    assert len(went_on.message_hub.get_info("history")) == 3
    assert not (stopped / "ran").exists()


@pytest.mark.parametrize("note", [b"", b"/somewhere/else/epoch_9.pth", None])
def test_the_note_of_the_last_checkpoint_is_not_needed(stopped: Path, note: bytes | None) -> None:
    (stopped / LAST).unlink()
    if note is not None:
        (stopped / LAST).write_bytes(note)
    assert last_checkpoint(stopped) == stopped / "epoch_3.pth"


def test_where_there_is_none_the_training_begins(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path) is None
    (tmp_path / "epoch_1.pth").write_bytes(b"x")
    assert last_checkpoint(tmp_path) is None


def test_ten_comes_after_nine(stopped: Path) -> None:
    for epoch in (9, 10):
        shutil.copy(stopped / "epoch_3.pth", stopped / f"epoch_{epoch}.pth")
    (stopped / "epoch_11.pth.part").touch()
    assert list(checkpoints(stopped)) == [2, 3, 9, 10]
    assert last_checkpoint(stopped) == stopped / "epoch_10.pth"


def test_a_checkpoint_of_another_training_is_named_in_one_line(stopped: Path, tmp_path: Path) -> None:
    with pytest.raises(
        CheckpointError, match=r"epoch_3\.pth: not a checkpoint of this training \(.*size mismatch"
    ) as e:
        train(tmp_path / "other", 4, last_checkpoint(stopped), wide=2)
    assert "\n" not in str(e.value)


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "weights": lambda c: c["state_dict"].clear(),
    "rate": lambda c: c["optimizer"]["param_groups"][0].update(lr="os.system"),
    "moments": lambda c: c["optimizer"]["state"][0].update(exp_avg=torch.zeros(7)),
    "no moments": lambda c: c["optimizer"]["state"][0].pop("exp_avg"),
    "state": lambda c: c["optimizer"].update(state="x"),
    "schedule": lambda c: c["param_schedulers"][0].update(step="os.system"),
    "schedule's kind": lambda c: c["param_schedulers"][0].update(last_step="x"),
    "schedules": lambda c: c.update(param_schedulers=[]),
    "facts": lambda c: c.update(message_hub="x"),
    "history": lambda c: c["message_hub"].update({7: 1}),
    "average": lambda c: c.update(ema_state_dict={}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_checkpoint_whose_content_was_changed_is_named_in_one_line(
    stopped: Path, change: Callable[[dict[str, Any]], Any]
) -> None:
    path = stopped / "epoch_3.pth"
    content = torch.load(path, weights_only=True)
    change(content)
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=r"epoch_3\.pth: not a checkpoint of this training \(") as e:
        train(stopped, 4, path)
    assert "\n" not in str(e.value)


def test_a_config_in_a_checkpoint_is_not_run(stopped: Path) -> None:
    """mmengine runs ``meta.config`` as a Python file when it resumes."""
    path = stopped / "epoch_3.pth"
    content = torch.load(path, weights_only=True)
    content["meta"]["config"] = f"import os\nos.system('touch {stopped}/ran')\n"
    torch.save(content, path)
    train(stopped, 4, path)
    assert not (stopped / "ran").exists()


def test_a_full_disk_is_one_line_and_the_checkpoint_before_stays(
    stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = torch.save

    def no_room(content: Any, file: Any) -> None:
        file.write(b"PK\3\4")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", no_room)
    with pytest.raises(FdposeError, match=r"epoch_4\.pth: writing failed \(No space left on device\)"):
        train(stopped, 5, last_checkpoint(stopped))
    assert {p.name for p in stopped.iterdir() if p.suffix != ".py" and p.is_file()} == {
        "epoch_2.pth", "epoch_3.pth", LAST,
    }  # fmt: skip
    monkeypatch.setattr(torch, "save", real)
    assert len(train(stopped, 5, last_checkpoint(stopped)).message_hub.get_info("history")) == 5


def test_a_kill_at_any_moment_of_writing_leaves_a_whole_checkpoint(three: Path, tmp_path: Path) -> None:
    """kill -9 anywhere in the hook that writes: the last checkpoint or the one before is whole."""
    content = torch.load(three / "epoch_3.pth", weights_only=True)

    class Stopped:
        """A runner after its fourth epoch."""

        work_dir, epoch = str(tmp_path / "killed"), 3

        def save_checkpoint(self, folder: str, name: str) -> None:
            from finediving_pose.checkpoints import write_checkpoint

            write_checkpoint(Path(folder) / name, content)

    def write() -> None:
        WholeCheckpoints().after_train_epoch(Stopped())  # type: ignore[arg-type]

    shutil.copytree(three, tmp_path / "killed")
    moments = count_moments(write)
    for moment in range(1, moments, max(1, moments // 12)):
        shutil.rmtree(tmp_path / "killed")
        shutil.copytree(three, tmp_path / "killed")
        kill_at(write, moment)
        assert last_checkpoint(tmp_path / "killed") in [tmp_path / "killed" / f"epoch_{n}.pth" for n in (3, 4)]
        write()
        assert {p.name for p in (tmp_path / "killed").glob("*.pth")} == {"epoch_3.pth", "epoch_4.pth"}
        assert not list((tmp_path / "killed").glob(".*.part"))


def test_checkpoints_are_read_by_anything_that_reads_plain_ones(three: Path) -> None:
    meta = torch.load(three / "epoch_3.pth", weights_only=True)["meta"]
    assert json.loads(json.dumps(meta))["epoch"] == 3

"""Where the curves of a training go."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from mmengine.hooks import Hook
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from baselines.runs.best_epoch import BestEpoch
from baselines.runs.figures import Figures
from baselines.training import stopping, tracking
from baselines.training.tracking import MLflowCurves, Tracking, WandbCurves, backends, check_installed
from finediving_pose.errors import SetupError, Stopped
from finediving_pose.workspace import Workspace
from tests.baselines.small_training import AskToStop, small_training
from tests.command import fdpose


@pytest.mark.slow
def test_validation_figures_are_in_the_one_folder_of_a_run_that_was_stopped(tmp_path: Path) -> None:
    def best() -> list[Hook]:
        return [BestEpoch(lambda epoch: Figures(rho=epoch / 10, l2=5.0), "validation", lambda _: True)]

    options: dict[str, Any] = {"clips": 8, "epochs": 3, "batch_size": 4}
    with pytest.raises(Stopped), stopping.stoppable():
        small_training(tmp_path, hooks=[*best(), AskToStop(2, 1)], **options)
    small_training(tmp_path, hooks=best(), resume=True, **options)
    curves = EventAccumulator(str(tmp_path / tracking.TENSORBOARD))
    curves.Reload()
    rho = [(e.step, pytest.approx(e.value)) for e in curves.Scalars("validation/rho")]
    assert rho == [(2, 0.1), (4, 0.2), (6, 0.3)]
    assert {"loss", "lr", "validation/l2"} <= set(curves.Tags()["scalars"])


@pytest.mark.parametrize("name", ["wandb", "mlflow"])
def test_what_is_not_installed_is_named_with_its_extra(
    name: str, made_up: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "find_spec", lambda _: None)
    result = fdpose("benchmark", "usdl", "--data", made_up.root, "--run", name, "--set", f"tracking.to={name}")
    assert result.exit_code == 1
    expected = f"fdpose: tracking.to: {name} is not installed; install it with: pip install 'fdpose[{name}]'"
    assert result.stderr.splitlines() == [expected]
    assert not (made_up.runs / name).exists()


def test_only_two_other_places_are_known(made_up: Workspace) -> None:
    result = fdpose("benchmark", "usdl", "--data", made_up.root, "--set", "tracking.to=os.system")
    assert result.exit_code == 2
    assert "tracking.to: input should be 'wandb' or 'mlflow'" in result.stderr


def test_each_place_is_told_the_run_s_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "find_spec", lambda _: "there")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    check_installed(Tracking())
    assert [b["type"] for b in backends(Tracking(), tmp_path, "x")] == ["TensorboardVisBackend"]
    wandb = backends(Tracking(to="wandb", project="dives"), tmp_path / "first", "first-1")[1]
    assert wandb["init_kwargs"] == {"project": "dives", "name": "first", "id": "first-1", "resume": "allow"}
    mlflow = backends(Tracking(to="mlflow"), tmp_path / "first", "first-1")[1]
    assert (mlflow["run_name"], mlflow["tracking_uri"]) == ("first", f"sqlite:///{tmp_path / 'first' / 'mlflow.db'}")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracker:5000")
    assert backends(Tracking(to="mlflow"), tmp_path, "x")[1]["tracking_uri"] == "http://tracker:5000"


@pytest.mark.parametrize(("kind", "name"), [(WandbCurves, "wandb"), (MLflowCurves, "mlflow")])
def test_a_place_that_can_not_be_reached_is_one_line(
    tmp_path: Path, kind: type, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        """Stands for a package that finds no server."""

        def __getattr__(self, _: str) -> None:
            raise ConnectionError("no route to host\nand more")

    monkeypatch.setitem(sys.modules, name, Broken())
    with pytest.raises(
        SetupError, match=rf"tracking\.to: {name} can't begin a run \(no route to host\); mend that"
    ) as e:
        kind(str(tmp_path), **({"tracking_uri": "http://tracker"} if name == "mlflow" else {})).experiment  # noqa: B018
    assert "\n" not in str(e.value)

"""Where the curves of a training go: TensorBoard, and one more place where somebody wants that.

mmengine has back ends for the two; what is changed here is that they send no source code and no files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from mmengine.config import Config
from mmengine.registry import VISBACKENDS
from mmengine.visualization import MLflowVisBackend, WandbVisBackend
from mmengine.visualization.vis_backend import force_init_env
from pydantic.dataclasses import dataclass

from finediving_pose.errors import SetupError, first_line

TENSORBOARD = "tensorboard"
"""Folder of the curves in that of a run, for all attempts of it."""
MLFLOW = "mlflow.db"
"""MLflow's file in the folder of a run, where no server is named (MLFLOW_TRACKING_URI)."""


@dataclass(frozen=True, slots=True, config={"extra": "forbid"})
class Tracking:
    """Where the curves of a training go besides TensorBoard.

    Attributes
    ----------
    to : ``wandb`` (Weights & Biases) or ``mlflow``; None for nowhere else
    project : the project there, or MLflow's experiment
    """

    to: Literal["wandb", "mlflow"] | None = None
    project: str = "fdpose"


def check_installed(tracking: Tracking) -> None:
    """Raises SetupError where the place's package is not installed."""
    if tracking.to is not None and find_spec(tracking.to) is None:
        raise SetupError(
            f"tracking.to: {tracking.to} is not installed; install it with: pip install 'fdpose[{tracking.to}]'"
        )


def backends(tracking: Tracking, folder: Path, name: str) -> list[dict[str, Any]]:
    """mmengine's back ends for the run in ``folder``, whose ``name`` no other run has. Raises SetupError."""
    check_installed(tracking)
    made: list[dict[str, Any]] = [{"type": "TensorboardVisBackend", "save_dir": str(folder / TENSORBOARD)}]
    if tracking.to == "wandb":
        run = {"project": tracking.project, "name": folder.name, "id": name, "resume": "allow"}
        made.append({"type": "WandbCurves", "save_dir": str(folder), "init_kwargs": run})
    elif tracking.to == "mlflow":
        server = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder.resolve() / MLFLOW}"
        how = {"exp_name": tracking.project, "run_name": folder.name, "tracking_uri": server}
        made.append({"type": "MLflowCurves", "save_dir": str(folder), **how})
    return made


@VISBACKENDS.register_module()
class WandbCurves(WandbVisBackend):
    """Curves and configuration for Weights & Biases; a run that goes on is one run there."""

    def _init_env(self) -> None:
        with _one_line("wandb"):
            super()._init_env()

    @force_init_env
    def add_config(self, config: Config, **kwargs: Any) -> None:
        """Send the configuration, and not, as mmengine does, the source code around."""
        self._wandb.config.update(config.to_dict(), allow_val_change=True)


@VISBACKENDS.register_module()
class MLflowCurves(MLflowVisBackend):
    """Curves and configuration for MLflow; each attempt of a run is a run there, of the same name."""

    def _init_env(self) -> None:
        with _one_line("mlflow"):
            super()._init_env()

    @force_init_env
    def add_config(self, config: Config, **kwargs: Any) -> None:
        """Send the settings, and not, as mmengine does, a file of them."""
        self._mlflow.log_params(self._flatten(config.to_dict()))

    def close(self) -> None:
        """End the run, and send no files, as mmengine does."""
        if hasattr(self, "_mlflow"):
            self._mlflow.end_run()


@contextmanager
def _one_line(name: str) -> Iterator[None]:
    """Say in one line that a place can't be reached; each has errors of its own."""
    try:
        yield
    except Exception as e:
        raise SetupError(
            f"tracking.to: {name} can't begin a run ({first_line(e)}); mend that, or train without it: tracking.to=null"
        ) from e

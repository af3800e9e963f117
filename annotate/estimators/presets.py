"""Estimators by name: those that come with the project, published ones, and those trained in a data directory.

An estimator is two checkpoints that carry their own configuration: ``locator`` finds the diver in the whole frame,
``pose`` finds the joints in the diver's box. ``data_manifest/pose_models.json`` lists the bundled ones, with checksum,
licence, training command and measured figures, and published ones, with config, address, checksum and licence; those
are fetched into the data directory when they are first asked for. Their names are theirs: what a data directory has
under one of them is not taken for it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from annotate.estimators.base import Estimator, Finder
from annotate.estimators.openvino import Engine
from finediving_pose.droppings import entries, found
from finediving_pose.errors import PoseError, UsageError
from finediving_pose.progress import tell
from finediving_pose.workspace import Workspace

Network = Literal["pose", "locator"]
DEFAULT = "diver-r18"
CHECKPOINTS = Path(__file__).parent / "checkpoints"


@dataclass(frozen=True, slots=True)
class Preset:
    """Where the two checkpoints of an estimator are; ``config`` where the joints' one carries no configuration, which
    is a published one, or a user's own.

    ``detector``: config and checkpoint of an mmdet detector in place of the locator.
    """

    name: str
    pose: Path
    locator: Path
    config: Path | None = None
    detector: tuple[Path, Path] | None = None

    def load(
        self, device: str = "cpu", bf16: bool | None = False, flip: bool = False, engine: Engine = "torch"
    ) -> tuple[Finder, Estimator]:
        """The locator and the joints' estimator, on a device.

        ``bf16`` None computes in bfloat16 where the device has it. ``engine`` computes both networks, but not a
        ``detector``, which is torch's. ``config`` is run, and that of ``detector``: ask before whether they are
        trusted. Raises SetupError, UsageError and PoseError as :mod:`annotate.estimators.mmpose` does.
        """
        from annotate.estimators.device import has_bf16
        from annotate.estimators.mmpose import from_checkpoint, from_config
        from annotate.locate import POINTS

        bf16 = has_bf16(device) if bf16 is None else bf16
        on: dict[str, Any] = {"device": device, "bf16": bf16, "engine": engine}
        if self.detector:
            from annotate.estimators import mmdet

            locator = mmdet.from_config(*self.detector, trust_config=True, device=device)
        else:
            locator = from_checkpoint(self.locator, outputs=len(POINTS), **on)
        if self.config is None:
            return locator, from_checkpoint(self.pose, id=self.name, flip=flip, **on)
        return locator, from_config(self.config, self.pose, trust_config=True, id=self.name, flip=flip, **on)

    def read(self, network: Network) -> tuple[dict[str, Any], dict[str, Any]]:
        """Configuration and weights of a network. Raises PoseError as :meth:`load`."""
        from annotate.estimators.checkpoint import read_checkpoint
        from annotate.estimators.published import portable
        from annotate.estimators.stored import stored_config

        if network == "pose" and self.config is not None:
            return portable(self.config, self.pose)
        path = self.pose if network == "pose" else self.locator
        checkpoint = read_checkpoint(path)
        return stored_config(checkpoint, path), checkpoint["state_dict"]


@cache
def listed() -> dict[str, Any]:
    """The facts of ``data_manifest/pose_models.json``, by name of the estimator."""
    return json.loads((files("data_manifest") / "pose_models.json").read_text(encoding="utf-8"))


def bundled() -> dict[str, Any]:
    """Those of :func:`listed` whose checkpoints come with the project."""
    return {name: entry for name, entry in listed().items() if "file" in entry["pose"]}


def trained_folder(workspace: Workspace, name: str) -> Path:
    """Where ``fdpose finetune --name NAME`` writes: ``estimators/NAME`` of the data directory."""
    return workspace.root / "estimators" / name


def resolve(name: str, workspace: Workspace | None = None) -> Preset:
    """The estimator of that name: a bundled one, a published one, or one that was trained in the data directory.

    One in the data directory may have only one of the two networks; the other is then the bundled default's. One with
    a bundled or published name is passed over, with a line that says so.

    Raises
    ------
    UsageError
        There is no estimator of that name.
    PoseError
        A bundled checkpoint is missing from the installation, or a published one is another file.
    SetupError
        A published checkpoint is not there yet and can't be fetched.
    """
    trained = _trained(name, workspace)
    config = None
    if name in listed():
        if trained:
            folder = next(iter(trained.values())).parent
            tell(f"{folder} is passed over: {name} is an estimator of fdpose's own; rename the folder to use it")
        paths = {network: _bundled_path(network, name) for network in ("pose", "locator")}
        if name not in bundled():
            paths["pose"], config = _published(name, workspace)
    elif trained:
        paths = {network: trained.get(network) for network in ("pose", "locator")}
    else:
        raise UsageError(f"--estimator {name}: no such estimator; there is {', '.join(names(workspace))}")
    pose, locator = (paths[n] or _bundled_path(n, DEFAULT) for n in ("pose", "locator"))
    for path in (pose, locator):
        if path is None or not path.is_file():
            raise PoseError(f"{path}: a checkpoint of estimator {name} is missing; reinstall fdpose, or train one")
    assert pose is not None and locator is not None
    return Preset(name, pose, locator, config)


def names(workspace: Workspace | None = None) -> list[str]:
    """Names that :func:`resolve` knows, bundled first."""
    own = trained_folder(workspace, "x").parent if workspace else None
    trained = [p.name for p in entries(own) if any(found(p, "*.pth"))] if own and own.is_dir() else []
    return list(dict.fromkeys([*bundled(), *listed(), *trained]))


def _bundled_path(network: str, name: str) -> Path | None:
    entry = bundled().get(name, {}).get(network)
    return CHECKPOINTS / entry["file"] if entry else None


def _trained(name: str, workspace: Workspace | None) -> dict[str, Path]:
    """The checkpoints under that name in the data directory, by network."""
    if workspace is None:
        return {}
    paths = {network: trained_folder(workspace, name) / f"{network}.pth" for network in ("pose", "locator")}
    return {network: path for network, path in paths.items() if path.is_file()}


def _published(name: str, workspace: Workspace | None) -> tuple[Path, Path]:
    """The joints' checkpoint of a published estimator, now in the data directory, and its configuration."""
    from annotate.estimators.config import CONFIGS
    from annotate.estimators.published import fetch

    if workspace is None:
        raise UsageError(f"--estimator {name} is kept in a data directory; give one")
    entry = listed()[name]["pose"]
    return fetch(name, entry, trained_folder(workspace, name)), CONFIGS / entry["config"]

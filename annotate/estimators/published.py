"""Published checkpoints: fetched when first asked for, checked, and kept with the configuration of their network."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any

from annotate.estimators.checkpoint import load_weights, read_checkpoint
from annotate.estimators.config import CONFIGS, read_config
from finediving_pose.errors import PoseError, SetupError
from finediving_pose.progress import console
from finediving_pose.workspace import atomic_write, remove_part_files

SECONDS = 30
"""An address must answer, and go on answering, within this time."""


def fetch(name: str, entry: Mapping[str, str], target: Path) -> Path:
    """Write the published weights with their network's configuration to ``target``, whole or not at all.

    Parameters
    ----------
    entry : ``config`` (a file in ``annotate/configs``), ``address``, and ``sha256_prefix``, the first digits of the
        file's sha256; a file of the address's name beside ``target`` is taken in place of the address

    Raises
    ------
    SetupError
        There is no such file and the address can't be reached; says where to put the file.
    PoseError
        The file is not the published one, or does not fit the config.
    """
    from annotate.estimators.mmpose import build_model

    file = target.parent / entry["address"].rpartition("/")[2]
    if not file.is_file():
        _download(name, entry["address"], file)
    with open(file, "rb") as f:
        digest = hashlib.file_digest(f, "sha256").hexdigest()
    if not digest.startswith(entry["sha256_prefix"]):
        raise PoseError(
            f"{file}: its sha256 begins with {digest[:8]}, the published one's with {entry['sha256_prefix']};"
            f" delete it and fetch it again from {entry['address']}"
        )
    config = portable_config(CONFIGS / entry["config"])
    model = build_model(config["model"])
    load_weights(model, read_checkpoint(file)["state_dict"], str(file))
    _write(target, config, model.state_dict(), entry["address"])
    file.unlink()
    return target


def portable_config(path: Path) -> dict[str, Any]:
    """What a checkpoint has to carry of one of our mmpose configs: the model, how boxes are cropped, how it trains."""
    config = read_config(path)
    outer = ("LoadImage", "PackPoseInputs")
    return {
        "model": config["model"],
        "pipeline": [step for step in config["val_pipeline"] if step["type"] not in outer],
        "train_pipeline": [step for step in config["train_pipeline"] if step["type"] != "LoadImage"],
        "boxes": "joints",
        "batch_size": config["batch_size"],
    }


def _download(name: str, address: str, file: Path) -> None:
    remove_part_files(file)
    console.print(f"fetching {name} from {address}")

    def unreachable(e: Exception) -> SetupError:
        return SetupError(
            f"estimator {name} is not here yet and can't be fetched ({getattr(e, 'reason', None) or e}); get {address}"
            f" on a machine with a network and put the file at {file}, then run the same command again"
        )

    try:
        answer = urllib.request.urlopen(address, timeout=SECONDS)
    except (OSError, HTTPException) as e:
        raise unreachable(e) from e
    with answer, atomic_write(file) as part, open(part, "wb") as f:
        while True:
            try:
                piece = answer.read(1 << 20)
            except (OSError, HTTPException) as e:
                raise unreachable(e) from e
            if not piece:
                break
            f.write(piece)


def _write(target: Path, config: dict[str, Any], weights: Mapping[str, Any], source: str) -> None:
    import torch

    meta = {"config": json.dumps(config), "source": source}
    remove_part_files(target)
    with atomic_write(target) as part:
        torch.save({"meta": meta, "state_dict": dict(weights)}, part)

"""Published checkpoints: fetched when first asked for, kept as they are, and checked whenever they are used."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any

from annotate.estimators.checkpoint import load_weights, read_checkpoint
from annotate.estimators.config import read_config
from finediving_pose.errors import PoseError, SetupError
from finediving_pose.progress import console
from finediving_pose.workspace import atomic_write, remove_part_files

SECONDS = 30
"""An address must answer, and go on answering, within this time."""


def fetch(name: str, entry: Mapping[str, str], folder: Path) -> Path:
    """The published file in ``folder``, fetched if it is not there; it is checked whenever it is asked for.

    The file is kept as it was published, so that its checksum says whether it is: a data directory may come from
    anybody.

    Parameters
    ----------
    entry : ``address``, and ``sha256_prefix``, the first digits of the file's sha256, which are all that is published
    folder : where the file lies, or is put, under the address's last part

    Raises
    ------
    SetupError
        There is no such file and the address can't be reached; says where to put the file.
    PoseError
        The file is not the published one.
    """
    file = folder / entry["address"].rpartition("/")[2]
    if not file.is_file():
        _download(name, entry["address"], file)
    with open(file, "rb") as f:
        digest = hashlib.file_digest(f, "sha256").hexdigest()
    if not digest.startswith(entry["sha256_prefix"]):
        raise PoseError(
            f"{file}: its sha256 begins with {digest[:8]}, the published one's with {entry['sha256_prefix']};"
            f" delete it and fetch it again from {entry['address']}"
        )
    return file


def portable(config: Path, file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Configuration and weights of a published file, as a checkpoint carries them: names of today, plain values."""
    from annotate.estimators.mmpose import build_model

    carried = portable_config(config)
    model = build_model(carried["model"])
    load_weights(model, read_checkpoint(file)["state_dict"], str(file))
    return carried, model.state_dict()


def portable_config(path: Path) -> dict[str, Any]:
    """What a checkpoint has to carry of one of our mmpose configs: the model, how boxes are cropped, how it trains."""
    config = json.loads(json.dumps(read_config(path)))
    optimizer = config["optim_wrapper"]["optimizer"]
    outer = ("LoadImage", "PackPoseInputs")
    return {
        "model": config["model"],
        "pipeline": [step for step in config["val_pipeline"] if step["type"] not in outer],
        "train_pipeline": [step for step in config["train_pipeline"] if step["type"] != "LoadImage"],
        "boxes": "joints",
        "batch_size": config["batch_size"],
        "learning_rate": optimizer["lr"],
        "weight_decay": optimizer.get("weight_decay", 0.0),
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

"""Published checkpoints: fetched once, kept as they are published, checked whenever they are used."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from annotate.estimators import presets, published
from annotate.estimators.checkpoint import read_checkpoint
from annotate.estimators.config import CONFIGS, read_config
from annotate.estimators.mmpose import build_model
from annotate.estimators.stored import check_stored
from finediving_pose.errors import PoseError, SetupError, UsageError
from finediving_pose.workspace import Workspace

pytestmark = pytest.mark.slow


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address at which a server offers it."""
    folder = tmp_path / "shop"
    folder.mkdir()
    server = HTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def offer(folder: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """RTMPose with random weights, as mmpose publishes it: old names of the head, numpy arrays in its description."""
    file = folder / "rtmpose-m-12345678_2023.pth"
    weights = build_model(read_config(CONFIGS / "rtmpose_m.py")["model"]).state_dict()
    old = {name.replace("head.", "keypoint_head.", 1): value for name, value in weights.items()}
    torch.save({"meta": {"dataset_meta": {"sigmas": np.ones(16), "n": np.float32(16)}}, "state_dict": old}, file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    entry = {"config": "rtmpose_m.py", "address": f"{address}/{file.name}", "sha256_prefix": digest[:8]}
    monkeypatch.setattr(presets, "listed", lambda: presets_with(entry))
    return entry


def presets_with(entry: dict[str, str]) -> dict[str, Any]:
    import json
    from importlib.resources import files

    real = json.loads((files("data_manifest") / "pose_models.json").read_text(encoding="utf-8"))
    return real | {"offered": {"pose": entry}}


def test_it_is_fetched_when_first_asked_for_and_never_again(
    shop: tuple[Path, str], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, address = shop
    offer(folder, address, monkeypatch)
    preset = presets.resolve("offered", workspace)
    assert preset.pose == workspace.root / "estimators/offered/rtmpose-m-12345678_2023.pth"
    assert [p.name for p in preset.pose.parent.iterdir()] == [preset.pose.name]
    estimator: Any = preset.load()[1]
    assert (estimator.input_size, estimator.padding, estimator.id) == ((256, 256), 1.25, "offered")
    config, weights = preset.read("pose")
    check_stored(config)
    assert {"learning_rate", "weight_decay", "train_pipeline"} <= config.keys()
    assert all(torch.equal(v, weights[k]) for k, v in build_and_load(config, preset.pose).items())
    next(folder.glob("*.pth")).unlink()
    assert presets.resolve("offered", workspace) == preset


def test_without_a_network_it_says_where_to_put_the_file_and_takes_it_from_there(
    shop: tuple[Path, str], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = shop
    entry = offer(folder, "http://127.0.0.1:9", monkeypatch)
    with pytest.raises(SetupError) as e:
        presets.resolve("offered", workspace)
    place = workspace.root / "estimators/offered/rtmpose-m-12345678_2023.pth"
    assert entry["address"] in str(e.value) and f"put the file at {place}" in str(e.value)
    assert "\n" not in str(e.value)
    place.parent.mkdir(parents=True, exist_ok=True)
    next(folder.glob("*.pth")).rename(place)
    assert presets.resolve("offered", workspace).pose.is_file()


def build_and_load(config: dict[str, Any], file: Path) -> dict[str, torch.Tensor]:
    model = build_model(config["model"])
    model.load_state_dict(read_checkpoint(file)["state_dict"])
    return model.state_dict()


def test_other_weights_under_a_published_name_are_refused_or_passed_over(
    shop: tuple[Path, str], workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """In a data directory of a stranger's: a converted file, and another file under the name."""
    folder, address = shop
    offer(folder, address, monkeypatch)
    theirs = workspace.root / "estimators/offered"
    theirs.mkdir(parents=True)
    (theirs / "pose.pth").write_bytes(b"whatever")
    preset = presets.resolve("offered", workspace)
    assert preset.pose.name == "rtmpose-m-12345678_2023.pth"
    assert f"{theirs} is passed over: offered is an estimator of fdpose's own" in capfd.readouterr().err
    with open(preset.pose, "ab") as f:
        f.write(b"x")
    with pytest.raises(PoseError, match=r"its sha256 begins with .* delete it and fetch it again"):
        presets.resolve("offered", workspace)


def test_another_file_than_the_published_one_is_refused(
    shop: tuple[Path, str], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, address = shop
    entry = offer(folder, address, monkeypatch)
    entry["sha256_prefix"] = "00000000"
    with pytest.raises(PoseError, match="the published one's with 00000000"):
        presets.resolve("offered", workspace)
    assert not (workspace.root / "estimators/offered/pose.pth").exists()


def test_what_is_listed_can_be_built_and_is_named_where_a_name_is_wrong(workspace: Workspace) -> None:
    published_ones = {name: e["pose"] for name, e in presets.listed().items() if name not in presets.bundled()}
    assert published_ones
    for entry in published_ones.values():
        assert entry["address"].startswith("https://") and entry["sha256_prefix"] in entry["address"]
        assert published.portable_config(CONFIGS / entry["config"])["model"]["head"]["out_channels"] == 16
    with pytest.raises(UsageError, match="there is diver-r18, hrnet-w48-dark, rtmpose-m"):
        presets.resolve("hrnet", workspace)

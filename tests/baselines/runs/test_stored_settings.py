"""The ``config.json`` of a run is data of a stranger's: it names no code, no file to import and no address."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from baselines.backbones.gsm_regnet import GSMRegNet
from baselines.registry import find_method, method_names
from baselines.runs.config import Origin, read_config, write_config
from baselines.runs.run import _built, method_of, without_weights
from finediving_pose.errors import UsageError
from tests.baselines.small_training import METHOD, small_config


def written(folder: Path, place: str, value: Any) -> Path:
    """A run's folder with one setting changed, by its dotted place."""
    config = asdict(replace(small_config(), origin=Origin("x.h5", "0" * 64)))
    inner = config
    *path, last = place.split(".")
    for step in path:
        inner = inner.setdefault(step, {}) or inner.__setitem__(step, {}) or inner[step]
    inner[last] = value
    (folder / "config.json").write_text(json.dumps(config))
    return folder


RUN = {"type": "os.system", "command": "touch ran"}


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("optimiser.type", "os.system"),
        ("optimiser.type", "torch.optim.Adam"),
        ("optimiser", RUN),
        ("optimiser.schedule", "os.system"),
        ("optimiser.constructor", "os.system"),
        ("optimiser.lr_mult", {"x": "os.system"}),
        ("training.precision", "os.system"),
        ("training.hooks", [RUN]),
        ("custom_hooks", [RUN]),
        ("_base_", "evil.py"),
        ("evaluation.voters", "os.system"),
        ("data.pairing", "os.system"),
        ("method", RUN),
    ],
)
def test_a_setting_that_names_something_to_build_is_refused(tmp_path: Path, place: str, value: Any) -> None:
    with pytest.raises(UsageError, match=r"config\.json: ") as e:
        read_config(written(tmp_path, place, value))
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("name", ["os.system", "baselines.methods.hpmcr", "torch.hub.load", "../evil"])
def test_a_method_is_one_that_is_installed(tmp_path: Path, name: str) -> None:
    config = read_config(written(tmp_path, "method", name))
    with pytest.raises(UsageError, match="was begun with the method"):
        method_of(tmp_path, config)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("model.static", {"arch": "hf-hub:someone/something"}),
        ("model.static", {"arch": "local-dir:/somewhere"}),
        ("model.static", {"arch": "resnet18"}),
        (
            "model.static",
            {"arch": {"depth": 4, "w0": 16, "wa": 16.0, "wm": 1.6, "group_size": 8, "act_layer": "os.system"}},
        ),
        ("model.static", {"type": "os.system"}),
        ("model.static", 7),
        ("model.i3d", RUN),
        ("model.fusion", "os.system"),
        ("model.init_cfg", RUN),
        ("model.dim", "os.system"),
    ],
)
def test_a_network_that_names_something_else_is_not_built(tmp_path: Path, place: str, value: Any) -> None:
    config = read_config(written(tmp_path, place, value))
    with pytest.raises(UsageError, match=r"config\.json: its network can't be built \(") as e:
        _built(METHOD, config, tmp_path)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 10**5, "[]", "null", '"x"', "\x00"])
def test_what_is_no_configuration_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(UsageError, match=r"config\.json: ") as e:
        read_config(tmp_path)
    assert "\n" not in str(e.value)


def test_the_regnet_of_the_paper_is_one_of_timm_s() -> None:
    with pytest.raises(ValueError, match="is no RegNet of timm"):
        GSMRegNet(arch="hf_hub:timm/regnety_002")
    assert GSMRegNet(frames=8).out_channels == 368


def test_a_written_configuration_comes_back(tmp_path: Path) -> None:
    config = replace(small_config(), origin=Origin("x.h5", "0" * 64))
    write_config(tmp_path, config)
    assert read_config(tmp_path) == config


@pytest.mark.parametrize(
    ("weights", "given", "then"), [("w.pth", None, True), (None, None, None), ("w.pth", False, False)]
)
def test_batch_norms_that_weights_froze_stay_frozen_without_the_file(
    weights: str | None, given: bool | None, then: bool | None
) -> None:
    """A run is gone on with from its checkpoint; the weights that it began with may have gone."""
    model = small_config().model | {"i3d": {"width": 1.0, "weights": weights, "freeze_bn": given}}
    found = without_weights(replace(small_config(), model=model)).model["i3d"]
    assert found == {"width": 1.0, "weights": None, "freeze_bn": then}


@pytest.mark.parametrize("name", list(method_names()))
def test_presets_say_whether_batch_norms_of_the_static_encoder_follow_the_weights(name: str) -> None:
    """Left out, the encoder would freeze them with weights, and a run that goes on without the file would not know."""
    method = find_method(name)
    for preset, what in method.presets.items():
        static = method.sections(preset).get("model", {}).get("static")
        assert static is None or not what.published_weights or "freeze_bn" in static, preset

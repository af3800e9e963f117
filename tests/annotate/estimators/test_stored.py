"""A checkpoint's configuration is data: it may name parts of fdpose's own estimators, and nothing that could run."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from annotate.estimators.checkpoint import read_checkpoint
from annotate.estimators.config import CONFIGS, read_config
from annotate.estimators.mmpose import from_checkpoint
from annotate.estimators.presets import CHECKPOINTS, DEFAULT, resolve
from annotate.estimators.published import portable_config
from annotate.estimators.stored import check_stored, check_trainable, stored_config
from annotate.training.finetune import finetune
from annotate.training.plan import FinetunePlan
from finediving_pose.cli import main
from finediving_pose.errors import PoseError, UsageError
from finediving_pose.workspace import Workspace

pytestmark = pytest.mark.slow

BUNDLED = json.loads(read_checkpoint(CHECKPOINTS / "diver-r18-pose.pth")["meta"]["config"])


def changed(place: str, value: Any) -> dict[str, Any]:
    """The bundled configuration with one value set, by its dotted place."""
    config: Any = copy.deepcopy(BUNDLED)
    *path, last = place.split(".")
    inner = config
    for step in path:
        inner = inner[int(step)] if isinstance(inner, list) else inner.setdefault(step, {})
    if isinstance(inner, list):
        inner[int(last)] = value
    else:
        inner[last] = value
    return config


def test_the_bundled_and_published_estimators_are_admitted() -> None:
    check_stored(BUNDLED)
    check_stored(json.loads(read_checkpoint(CHECKPOINTS / "diver-r18-locator.pth")["meta"]["config"]))
    for name in ("rtmpose_m.py", "hrnet_w48_dark.py"):
        check_stored(portable_config(CONFIGS / name))
    for name in ("diver_pose.py", "diver_box.py"):
        config = json.loads(json.dumps(read_config(CONFIGS / name)))
        check_stored({k: v for k, v in config.items() if k in BUNDLED} | {"all_round": True, "sizes": [96, 128]})


RUN = {"type": "os.system", "command": "touch ran"}
REFUSED = [
    (changed(place, value), says)
    for place, value, says in [
        ("model.type", "os.system", "model.type names 'os.system'"),
        ("model.type", "subprocess.run", "names 'subprocess.run'"),
        ("model.type", "mmengine.model.Sequential", "names 'mmengine.model.Sequential'"),
        ("model.type", "mmpose.TopdownPoseEstimator", "names 'mmpose.TopdownPoseEstimator'"),
        ("model.type", ["os.system"], "model.type names"),
        ("model.type", None, "model.type names 'None'"),
        ("model.backbone", RUN, "model.backbone.type names 'os.system'"),
        ("model.backbone.type", "mmengine.TIMMBackbone", "names 'mmengine.TIMMBackbone'"),
        ("model.backbone.type", "torch.hub.load", "names 'torch.hub.load'"),
        ("model.backbone.type", "TIMMBackbone", "names 'TIMMBackbone'"),
        ("model.backbone.repo_or_dir", "someone/something", "model.backbone.repo_or_dir names 'someone/something'"),
        ("model.backbone.init_cfg", {"type": "Pretrained", "checkpoint": "http://x/y.pth"}, "model.backbone.init_cfg"),
        ("model.backbone.pretrained", "torchvision://resnet18", "model.backbone.pretrained"),
        ("model.backbone.norm_cfg", {"type": "os.system"}, "model.backbone.norm_cfg.type names"),
        ("model.backbone.conv_cfg", {"type": "importlib.import_module"}, "model.backbone.conv_cfg.type names"),
        ("model.backbone.act_cfg", {"type": "builtins.eval"}, "model.backbone.act_cfg.type names"),
        ("model.backbone.plugins", [{"cfg": RUN}], "model.backbone.plugins"),
        ("model.backbone._scope_", "mmdet", "model.backbone._scope_"),
        ("model.neck", RUN, "model.neck.type names"),
        ("model.head.loss", RUN, "model.head.loss.type names"),
        ("model.head.loss", {"type": "CombinedLoss", "losses": {"a": RUN}}, "model.head.loss"),
        ("model.head.decoder.type", "os.system", "model.head.decoder.type names"),
        ("model.head.decoder.init_cfg", {"type": "Constant"}, "model.head.decoder.init_cfg"),
        ("model.head.init_cfg", [{"type": "Pretrained", "checkpoint": "x.pth"}], "model.head.init_cfg"),
        ("model.data_preprocessor.type", "os.system", "model.data_preprocessor.type names"),
        ("model.data_preprocessor.batch_augments", [RUN], "model.data_preprocessor.batch_augments.type names"),
        ("model.metainfo", {"from_file": "evil.py"}, "model.metainfo"),
        ("model.test_cfg", {"output_heatmaps": {"from_file": "evil.py"}}, "model.test_cfg.output_heatmaps.from_file"),
        ("model.train_cfg.compute_acc", "evil.py", "model.train_cfg.compute_acc names 'evil.py'"),
        ("model._delete_", True, "model._delete_"),
        ("model._base_", "evil.py", "model._base_"),
        ("_base_", "evil.py", "'_base_' is no setting"),
        ("custom_imports", {"imports": ["evil"]}, "'custom_imports' is no setting"),
        ("default_hooks", {"x": RUN}, "'default_hooks' is no setting"),
        ("optim_wrapper", RUN, "'optim_wrapper' is no setting"),
        ("train_pipeline.0", RUN, "train_pipeline.type names 'os.system'"),
        ("train_pipeline.0.type", "Albumentation", "train_pipeline.type names 'Albumentation'"),
        ("train_pipeline.0", {"type": "mmcv.transforms.LoadImageFromFile"}, "train_pipeline.type names"),
        ("train_pipeline.9.encoder", RUN, "train_pipeline.encoder.type names"),
        ("pipeline.0.type", "os.system", "pipeline.type names"),
        ("pipeline", "os.system", "pipeline is a str"),
        ("pipeline", [1], "pipeline is no list of transforms"),
        ("boxes", "evil.py", "boxes names 'evil.py'"),
        ("sizes", [10**9], "sizes are not"),
        ("sizes", ["x"], "sizes are not"),
        ("batch_size", 10**9, "batch_size is not"),
        ("model.backbone.base_channels", 10**12, "model.backbone.base_channels is no sensible number"),
        ("model.backbone.base_channels", float("nan"), "is no sensible number"),
        ("learning_rate", "1", "learning_rate is a str"),
    ]
]


@pytest.mark.parametrize(("config", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_what_could_run_is_refused_by_name_and_nothing_runs(
    config: dict[str, Any], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.py").write_text("import os\nos.system('touch ran')\n")
    torch.save({"meta": {"config": json.dumps(config)}, "state_dict": {}}, tmp_path / "pose.pth")
    with pytest.raises(PoseError, match=r"pose\.pth: its configuration is refused: ") as e:
        from_checkpoint(tmp_path / "pose.pth")
    assert says in str(e.value)
    assert str(e.value).isprintable()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 10**5, "[]", "{}", '{"model": 1}', "null", "1", '{"model": ' * 50 + "1" + "}" * 50, None, 3]
)
def test_what_is_no_configuration_is_one_line(text: Any, tmp_path: Path) -> None:
    with pytest.raises(PoseError, match=r"pose\.pth: ") as e:
        stored_config({"meta": {"config": text}, "state_dict": {}}, tmp_path / "pose.pth")
    assert str(e.value).isprintable()
    with pytest.raises(PoseError, match="names no model"):
        stored_config({"meta": text}, tmp_path / "pose.pth")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("model.head.decoder", None),
        ("model.head", None),
        ("pipeline.0.padding", None),
        ("pipeline.0.padding", [1]),
        ("model.data_preprocessor.mean", [1]),
        ("model.backbone.depth", 7),
        ("model.backbone.base_channels", 10**6),
        ("model.head.decoder.input_size", 3),
    ],
)
def test_a_configuration_that_makes_no_estimator_is_one_line(place: str, value: Any, tmp_path: Path) -> None:
    torch.save({"meta": {"config": json.dumps(changed(place, value))}, "state_dict": {}}, tmp_path / "pose.pth")
    with pytest.raises(PoseError) as e:
        from_checkpoint(tmp_path / "pose.pth")
    assert str(e.value).isprintable()


def test_what_a_training_writes_can_be_used() -> None:
    check_trainable(BUNDLED, "diver-r18")
    for name in ("rtmpose_m.py", "hrnet_w48_dark.py"):
        check_trainable(portable_config(CONFIGS / name), name)
    with pytest.raises(PoseError, match="estimator mine can't be trained: its configuration has no train_pipeline"):
        check_trainable({k: v for k, v in BUNDLED.items() if k != "train_pipeline"}, "mine")
    with pytest.raises(PoseError, match=r"can't be trained: model\.neck\.type names 'os.system', which no checkpoint"):
        check_trainable(changed("model.neck", RUN), "mine")


def foreign(workspace: Workspace, name: str, config: Any = None) -> Path:
    """A stranger's estimator of that name in the data directory."""
    folder = workspace.root / "estimators" / name
    folder.mkdir(parents=True)
    for network in ("pose", "locator"):
        torch.save(
            {"meta": {"config": json.dumps(config or changed("model.type", "os.system"))}, "state_dict": {}},
            folder / f"{network}.pth",
        )
    return folder


def test_the_bundled_name_is_not_taken_from_a_data_directory(
    workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = foreign(workspace, DEFAULT)
    assert resolve(DEFAULT, workspace) == resolve(DEFAULT)
    said = capfd.readouterr().err
    assert f"{folder} is passed over: diver-r18 is an estimator of fdpose's own; rename the folder" in said


def test_a_stranger_s_estimator_is_refused_where_it_is_asked_for(workspace: Workspace) -> None:
    foreign(workspace, "theirs")
    with pytest.raises(PoseError, match=r"estimators/theirs/locator\.pth: its configuration is refused"):
        resolve("theirs", workspace).load()
    with pytest.raises(PoseError, match=r"estimators/theirs/pose\.pth: its configuration is refused"):
        resolve("theirs", workspace).read("pose")


@pytest.mark.parametrize("name", [DEFAULT, "rtmpose-m", "hrnet-w48-dark"])
def test_no_training_takes_the_name_of_one_of_fdpose_s_own(
    name: str, workspace: Workspace, true_poses: Workspace
) -> None:
    with pytest.raises(UsageError, match=f"--name {name} is the name of an estimator of fdpose's own"):
        finetune(workspace, [], FinetunePlan(name))
    result = CliRunner().invoke(main, ["finetune", "--name", name, "--data", str(true_poses.root)])
    assert result.exit_code == 2, result.output

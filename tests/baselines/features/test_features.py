"""Features of frozen encoders: computed once, kept beside the packed file, refused where they are not what is asked."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from baselines.backbones.encoder import Encoder
from baselines.backbones.i3d import I3D
from baselines.data.dives import Dives
from baselines.features import compute, store
from baselines.features.compute import Pictures
from baselines.features.store import ENCODER, NOTE, FeaturesError, read_encoder, read_note
from baselines.method import Needs
from baselines.registry import find_method, list_methods
from baselines.runs.config import make_config, read_config
from baselines.runs.results import RunMetrics
from baselines.runs.run import new_run, prepare_run, run
from baselines.scorer.file import read_scorer
from finediving_pose.errors import BusyError, UsageError
from finediving_pose.labels.table import read_clips, write_clips
from finediving_pose.packed.reader import open_packed
from finediving_pose.packed.writer import write_packed
from finediving_pose.workspace import Workspace
from tests.baselines.small_runs import SMALL_DATA, SMALL_I3D, pack_made_up, score_again, small_run
from tests.command import fdpose
from tests.holding import held_by_another

pytestmark = pytest.mark.slow

FROZEN: dict[str, Any] = {"training__frozen": True, "data__train_crop": "centre"}
METHODS = [m.name for m in list_methods()[0] if m.encoder]


@pytest.fixture(scope="module")
def packed_once(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return pack_made_up(Workspace(tmp_path_factory.mktemp("features") / "data"))


@pytest.fixture
def data(packed_once: Workspace, tmp_path: Path) -> Workspace:
    """A packed file of 12 clips without features."""
    (tmp_path / "data").mkdir()
    shutil.copy(packed_once.packed, tmp_path / "data")
    return Workspace(tmp_path / "data")


def frozen_run(data: Workspace, method: str = "usdl", **changes: Any) -> tuple[RunMetrics, Path]:
    encoder: dict[str, Any] = {"model__i3d": SMALL_I3D} if find_method(method).encoder == "i3d" else {}
    return small_run(data, method, **encoder | FROZEN | changes)


def keep(data: Workspace, method: str = "usdl", **changes: Any) -> Path:
    """Compute features as a training would, without the training; the folder of the features."""
    settings = SMALL_DATA | {k.replace("__", "."): v for k, v in ({"model__i3d": SMALL_I3D} | FROZEN | changes).items()}
    found = find_method(method)
    config = prepare_run(data, found, "demo", 0, changes=settings)
    network = found.build(config)
    with open_packed(data.packed) as packed:
        compute.freeze(network, found, packed, config)
        encoder = network.get_submodule(found.encoder)
        return data.features / compute.recipe_of(cast(Encoder, encoder), found.encoder, config).name


def only_folder(data: Workspace) -> Path:
    (folder,) = (f for f in data.features.iterdir() if f.is_dir())
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def test_all_methods_with_one_encoder_share_its_features(data: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    with_i3d = [name for name in METHODS if find_method(name).encoder == "i3d"]
    assert len(with_i3d) >= 6
    folders, said = [], []
    for seed, name in enumerate(with_i3d):
        torch.manual_seed(seed)
        folders.append(keep(data, name))
        said.append("computing features of 12 clips" in capsys.readouterr().err)
    assert said == [True] + [False] * (len(with_i3d) - 1)
    assert set(folders) == {only_folder(data)}


@pytest.mark.parametrize("preset", ["demo", "full", "released"])
def test_presets_of_all_methods_are_meant_to_share(preset: str) -> None:
    """The demo's features; of the others the size of the pictures, so that they could."""
    recipes: dict[str, set[str]] = {}
    for name in METHODS:
        config = make_config(find_method(name), preset, seed=0)
        assert config.training.frozen == (preset == "demo")
        with torch.device("meta"):
            encoder = cast(Encoder, find_method(name).build(config).get_submodule(find_method(name).encoder))
        recipe = compute.recipe_of(encoder, find_method(name).encoder, config)
        recipes.setdefault(recipe.encoder, set()).add(recipe.name)
    assert set(recipes) == {"I3D", "GSMRegNet"}
    if preset != "released":
        assert {len(names) for names in recipes.values()} == {1}


@pytest.mark.parametrize("name", METHODS)
def test_a_frozen_encoder_stays_what_it_was_and_its_scorer_scores_from_pictures(data: Workspace, name: str) -> None:
    metrics, folder = frozen_run(data, name, optimiser__lr=1e-2)
    assert [epoch["epoch"] for epoch in metrics.history] == [1]
    method, scorer = find_method(name), read_scorer(folder / "scorer.pth")
    kept = read_encoder(only_folder(data))
    for key, value in kept.items():
        assert torch.equal(scorer.weights[f"{method.encoder}.{key}"], value), key
    again = score_again(data, folder)
    assert again
    for prediction, points in again:
        assert points == pytest.approx(prediction.predicted_score, abs=0.2), "features are kept in half precision"


def test_a_training_on_features_learns_and_goes_on_where_it_was_stopped(data: Workspace) -> None:
    metrics, folder = frozen_run(data, epochs=4, optimiser__lr=1e-2)
    losses = [epoch["loss"] for epoch in metrics.history]
    assert losses[-1] < losses[0]
    (folder / "epoch_4.pth").unlink(missing_ok=True)
    assert run(folder, resume=True).figures == metrics.figures


def test_features_are_what_the_encoder_gives_of_a_clip_and_of_its_mirror_image(data: Workspace) -> None:
    _, folder = frozen_run(data)
    config = read_config(folder)
    with open_packed(data.packed) as packed:
        recipe = compute.recipe_of(I3D(**SMALL_I3D), "i3d", config)
        note = read_note(only_folder(data), packed, recipe)
        assert note is not None
        kept = store.open_features(only_folder(data), note)
        assert all(isinstance(shard, np.memmap) for shard in kept.shards)
        encoder = I3D(**SMALL_I3D).eval()
        encoder.load_state_dict(read_encoder(only_folder(data)))
        with torch.no_grad():
            for i in (0, 7, 11):
                video = Pictures(Dives(packed, config.data, Needs.PICTURES))[i][None]
                for mirrored, seen in ((False, video), (True, video.flip(-1))):
                    given = encoder.encode(seen)[0]
                    assert torch.allclose(kept.of(i, mirrored), given, rtol=2e-3, atol=1e-3)
                    assert given.std() > 0.01, "the signal of a random encoder does not fade away"


def test_training_clips_are_mirrored_by_their_features_and_test_clips_are_not(data: Workspace) -> None:
    _, folder = frozen_run(data)
    config = read_config(folder)
    network = find_method("usdl").build(config)
    with open_packed(data.packed) as packed:
        dives = Dives(packed, config.data, Needs.PICTURES)
        dives.features = compute.freeze(network, find_method("usdl"), packed, config)
        plain, other = dives.features.of(3), dives.features.of(3, mirrored=True)
        assert "video" not in dives.sample(3)
        assert torch.equal(dives.sample(3)["features"], plain)
        drawn = [dives.sample(3, np.random.default_rng(seed))["features"] for seed in range(8)]
    assert {torch.equal(f, plain) for f in drawn} == {True, False}
    assert all(torch.equal(f, plain) or torch.equal(f, other) for f in drawn)


def test_features_of_another_packed_file_are_refused_in_one_line(data: Workspace, packed_once: Workspace) -> None:
    keep(data)
    before = contents(only_folder(data))
    clips = read_clips(packed_once)
    (data.root / "frames").symlink_to(packed_once.frames)
    (data.root / "poses").symlink_to(packed_once.poses)
    write_clips(data.clips_table, clips[:-1])
    write_packed(data)
    settings = SMALL_DATA | {"model.i3d": SMALL_I3D, "training.frozen": True}
    words = [f"--set={k}={json.dumps(v)}" for k, v in settings.items()]
    done = fdpose("benchmark", "usdl", "--data", data.root, "--epochs", 1, *words)
    assert done.exit_code == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "features of another packed file (digest" in last
    assert f"remove the folder {only_folder(data).name}, and the next training computes them anew" in last
    assert contents(only_folder(data)) == before
    shutil.rmtree(only_folder(data))
    keep(data)
    assert json.loads((only_folder(data) / NOTE).read_text())["clips"] == 11


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (
            lambda f: (f / "000000.npy").write_bytes((f / "000000.npy").read_bytes()[:-100]),
            "000000.npy: damaged or cut",
        ),
        (lambda f: (f / "000000.npy").write_bytes(b""), "000000.npy: damaged or cut short"),
        (lambda f: np.save(f / "000000.npy", np.zeros((12, 2, 3), np.float16)), r"float16 \(12, 2, 3\), expected"),
        (lambda f: np.savez((f / "000000.npy").open("wb"), x=np.zeros(3)), "000000.npy: damaged or cut short"),
        (lambda f: (f / ENCODER).unlink(), "encoder.pth"),
        (lambda f: (f / NOTE).write_text("{"), "features.json: not a JSON file"),
        (lambda f: (f / NOTE).write_text("{}"), "no note of features"),
        (lambda f: edit(f, format="fdpose features 9"), "features of format 'fdpose features 9', expected"),
        (lambda f: edit(f, clips=10**12), "features of another packed file"),
        (lambda f: edit(f, shape=[1]), "damaged or cut short"),
    ],
)
def test_what_is_damaged_is_named_and_nothing_is_trained_on_it(data: Workspace, damage: Any, words: str) -> None:
    keep(data)
    whole = contents(only_folder(data))
    damage(only_folder(data))
    with pytest.raises(FeaturesError, match=words) as e:
        keep(data)
    assert "\n" not in str(e.value)
    shutil.rmtree(only_folder(data))
    keep(data)
    assert contents(only_folder(data))["000000.npy"] == whole["000000.npy"], "computed anew to the same"


def edit(folder: Path, **fields: Any) -> None:
    (folder / NOTE).write_text(json.dumps(json.loads((folder / NOTE).read_text()) | fields))


def test_features_of_another_encoder_lie_beside_and_are_refused_under_its_name(data: Workspace) -> None:
    keep(data)
    first = only_folder(data)
    keep(data, model__i3d=SMALL_I3D | {"width": 0.125})
    keep(data, data__frames=32)
    other = next(f for f in sorted(data.features.iterdir()) if f != first)
    assert len(list(data.features.iterdir())) == 3
    shutil.rmtree(first)
    other.rename(first)
    with pytest.raises(FeaturesError, match=r"features of another (settings|pictures) \(.*expected"):
        keep(data)


KILLED = """
import os, signal, sys
from pathlib import Path
from baselines.features import store
from baselines.runs.run import run
save, calls = store.np.save, []
store.SHARD = 5
def killed(file, values):
    calls.append(1)
    if len(calls) == 2:
        file.write(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
    save(file, values)
store.np.save = killed
run(Path(sys.argv[1]))
"""


def test_a_computation_that_was_killed_goes_on_with_what_is_missing(
    data: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(store, "SHARD", 5)
    keep(data)
    whole = contents(only_folder(data))
    assert [name for name in whole if name.endswith(".npy")] == ["000000.npy", "000005.npy", "000010.npy"]
    shutil.rmtree(data.features)
    settings = SMALL_DATA | {"model.i3d": SMALL_I3D} | {k.replace("__", "."): v for k, v in FROZEN.items()}
    folder = new_run(data, find_method("usdl"), "demo", 0, epochs=1, changes=settings)
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = [p.name for p in only_folder(data).iterdir()]
    assert "000000.npy" in left and "000005.npy" not in left
    assert any(name.endswith(".part") for name in left)
    capsys.readouterr()
    run(folder)
    assert "computing features of 7 clips" in capsys.readouterr().err
    assert contents(only_folder(data)) == whole, "to the same bytes, no part file is left"


def test_a_second_training_does_not_compute_what_another_is_computing(
    data: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(data)
    folder = only_folder(data)
    (folder / "000000.npy").unlink()
    monkeypatch.setattr(compute, "PATIENCE", 0.0)
    with held_by_another("fdpose benchmark", writes=(folder,)), pytest.raises(BusyError, match="fdpose benchmark"):
        keep(data)
    keep(data)


def test_published_weights_are_frozen_as_they_are(data: Workspace, tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    torch.manual_seed(5)
    published = I3D(width=0.0625).state_dict()
    torch.save(published, tmp_path / "weights" / "model_rgb.pth")
    changes = SMALL_DATA | {"model.i3d.width": 0.0625, "model.i3d.stride": 8, "training.channels_last": False}
    changes |= {"training.frozen": True, "data.train_crop": "centre", "validation.share": 0.0}
    run(new_run(data, find_method("usdl"), "full", 0, epochs=1, weights=tmp_path / "weights", changes=changes))
    kept = read_encoder(only_folder(data))
    assert kept.keys() == published.keys()
    assert all(torch.equal(kept[key], published[key]) for key in kept)
    keep(data)
    assert len(list(data.features.iterdir())) == 2, "random weights are another encoder"


@pytest.mark.parametrize(
    ("method", "changes", "words"),
    [
        ("difficulty", {}, "Difficulty has no encoder of pictures that can be frozen"),
        ("usdl", {"data.train_crop": "random"}, "cropped in the centre and resized by one filter; set data.train_crop"),
        ("usdl", {"data.resample": "random"}, "resized by one filter"),
    ],
)
def test_what_frozen_features_can_not_do_is_refused(method: str, changes: dict[str, Any], words: str) -> None:
    settings = {"training.frozen": True, "data.train_crop": "centre"} | changes
    with pytest.raises(UsageError, match=words):
        make_config(find_method(method), "demo", seed=0, changes=settings)

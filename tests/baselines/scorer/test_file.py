"""A scorer comes back as it was written, or one line says what is wrong with the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from baselines.runs.config import Origin
from baselines.scorer.file import Scorer, read_scorer, write_scorer
from finediving_pose.checkpoints import read_checkpoint, write_checkpoint
from finediving_pose.errors import CheckpointError, SetupError, UsageError
from tests.baselines.scorer.small_scorer import small_scorer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return small_scorer()[0]


@pytest.fixture
def written(scorer: Scorer, tmp_path: Path) -> Path:
    write_scorer(tmp_path / "scorer.pth", scorer)
    return tmp_path / "scorer.pth"


def test_what_is_written_comes_back(scorer: Scorer, written: Path) -> None:
    back = read_scorer(written)
    assert back.config == scorer.config
    assert back.calibration == scorer.calibration and len(back.calibration.errors) == 12
    for name in ("weights", "encoded"):
        one, two = getattr(scorer, name), getattr(back, name)
        assert one.keys() == two.keys() and all(torch.equal(one[k], two[k]) for k in one)
    kept = [(c.key, c.action_type, c.difficulty, c.dive_score, c.source) for c in scorer.exemplars]
    assert [(c.key, c.action_type, c.difficulty, c.dive_score, c.source) for c in back.exemplars] == kept
    assert back.usual.keys() == {"pictures", "poses"}
    for name, usual in back.usual.items():
        assert usual.limit == scorer.usual[name].limit
        assert (usual.precision == scorer.usual[name].precision).all()
    assert {name for name, value in back.encoded.items() if value.dtype == torch.float16} == {
        "fused", "static", "logits", "splash",
    }  # fmt: skip


def test_it_holds_no_paths_and_no_pictures(scorer: Scorer, tmp_path: Path) -> None:
    model = scorer.config.model | {"i3d": {**scorer.config.model["i3d"], "weights": "/home/somebody/i3d.pth"}}
    origin = Origin("/home/somebody/data.h5", "0" * 64, weights={"i3d": {"file": "/home/somebody/i3d.pth"}})
    data = replace(scorer.config.data, splash="/home/somebody/splash")
    known = replace(scorer, config=replace(scorer.config, model=model, origin=origin, data=data))
    write_scorer(tmp_path / "scorer.pth", known)
    assert b"somebody" not in (tmp_path / "scorer.pth").read_bytes()
    back = read_scorer(tmp_path / "scorer.pth").config
    assert back.origin is not None and back.origin.digest == "0" * 64
    assert back.model["i3d"]["weights"] is None
    pixels = max(value.numel() for value in known.encoded.values()) // len(known.exemplars)
    assert pixels < 48 * 32 * 32


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "a scorer of format 2, this fdpose reads format 1; update fdpose, or train again"),
        ({"version": "2" * 1000}, "a scorer of format 22222"),
        ({"joints": ["pelvis", "right_knee"]}, "joint 0 is pelvis, here it is right_ankle"),
        ({"joints": None}, "joint 0 is none, here it is right_ankle"),
        ({"exemplars": []}, "no exemplars with scores"),
        ({"exemplars": [{"video": "../../etc", "index": 0}]}, "an exemplar without"),
        ({"encoded": {"fused": torch.zeros(3, 2)}}, "the encoded exemplars are not 20"),
        ({"encoded": {"fused": torch.full((20, 2), float("nan"))}}, "not finite"),
        ({"weights": {"a": torch.full((2,), float("inf"))}}, "a number in weights is not finite"),
        ({"encoded": [1]}, "other things than tensors"),
        ({"weights": {"a": 1}}, "other things than tensors"),
        ({"calibration": {}}, "is missing"),
        ({"calibration": {"errors": [-1.0], "by_difficulty": True}}, "negative"),
        ({"config": {}}, "config: method"),
        ({"usual": {"poses": {"mean": 1, "precision": 2, "limit": 3}}}, "no covariance"),
    ],
)
def test_wrong_content_is_one_line(written: Path, change: dict[str, Any], said: str) -> None:
    write_checkpoint(written, read_checkpoint(written) | change)
    with pytest.raises(CheckpointError) as e:
        read_scorer(written)
    assert said in str(e.value) and str(e.value).startswith(f"{written}: ")
    assert len(str(e.value)) < 500 and "\n" not in str(e.value)


@pytest.mark.parametrize("content", [b"a text", None])
def test_what_is_no_scorer_is_bad_usage(written: Path, content: bytes | None) -> None:
    if content is None:
        write_checkpoint(written, read_checkpoint(written) | {"format": "something else"})
    else:
        written.write_bytes(content)
    with pytest.raises(UsageError, match=r"scorer\.pth: not a scorer; give the scorer\.pth of a run"):
        read_scorer(written)


def test_the_joints_are_told_to_the_first_difference(written: Path) -> None:
    content = read_checkpoint(written)
    joints = content["joints"]
    joints[6], joints[7] = joints[7], joints[6]
    write_checkpoint(written, content)
    with pytest.raises(CheckpointError, match="joint 6 is thorax, here it is pelvis"):
        read_scorer(written)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_said_to_be_damaged(written: Path, share: float) -> None:
    content = written.read_bytes()
    written.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(CheckpointError, match=r"not a checkpoint of tensors and plain values.*; copy it again, or"):
        read_scorer(written)


def test_a_flipped_byte_is_noticed_or_changes_nothing(scorer: Scorer, written: Path) -> None:
    content, rng = written.read_bytes(), np.random.default_rng(0)
    noticed = 0
    for place in rng.integers(len(content), size=25).tolist():
        written.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            back = read_scorer(written)
        except CheckpointError:
            noticed += 1
        else:
            assert all(torch.equal(back.weights[name], value) for name, value in scorer.weights.items())
    assert noticed > 20


def test_no_code_runs(written: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    torch.save(read_checkpoint(written) | {"usual": Trap()}, written)
    with pytest.raises(CheckpointError):
        read_scorer(written)
    assert not (tmp_path / "sprung").exists()


def test_weights_of_another_network_are_refused_before_it_is_built(scorer: Scorer) -> None:
    weights = dict(scorer.weights)
    name = next(iter(weights))
    wide = replace(scorer.config, model=scorer.config.model | {"dim": 2**16, "skeleton": {"channels": [2**16]}})
    with pytest.raises(CheckpointError, match="its weights do not fit its network"):
        replace(scorer, config=wide).build()
    with pytest.raises(CheckpointError, match=f"{name} is missing"):
        replace(scorer, weights={k: v for k, v in weights.items() if k != name}).build()
    with pytest.raises(CheckpointError, match="more is 3, expected missing"):
        replace(scorer, weights=weights | {"more": torch.zeros(3)}).build()


def test_a_method_that_is_not_installed_is_named(scorer: Scorer) -> None:
    with pytest.raises(SetupError, match=r"of the method 'nobodys'; .*install its package"):
        replace(scorer, config=replace(scorer.config, method="nobodys")).build()

"""RICA2: sub-actions are found in a dive's snippets and assessed along the rubric."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from baselines.data.batch import Batch
from baselines.data.dives import Dives, unlabelled_batch
from baselines.data.settings import DataSettings
from baselines.data.splits import split_clips
from baselines.method import Needs
from baselines.methods.rica2 import RICA2Method
from baselines.methods.rica2.network import ACTIONS, KL_LAST, RICA2, RUBRIC, kl_weight, present_actions
from baselines.runs.config import make_config
from finediving_pose.errors import SetupError, UsageError
from finediving_pose.lexicon import SUB_ACTIONS, stage_of
from finediving_pose.workspace import Workspace
from tests.baselines.made_up import clip, packed, ten
from tests.baselines.small_runs import SMALL_I3D, pack_made_up, score_again, small_run

pytestmark = pytest.mark.slow

METHOD = RICA2Method()
SMALL: dict[str, Any] = {"i3d": SMALL_I3D, "dim": 16, "heads": 2, "graph_dim": 8}


def small(**options: Any) -> RICA2:
    torch.manual_seed(0)
    return RICA2(**SMALL | options).eval()


def batch(clips: int = 3, **fields: Any) -> Batch:
    torch.manual_seed(1)
    listed = torch.tensor([[1, 16, 36, -1, -1], [5, 31, 15, 36, -1], [2, 30, 22, 33, 36]])[:clips]
    known: dict[str, Any] = {"score": torch.tensor([20.0, 24.0, 15.0])[:clips], "sub_actions": listed}
    known |= {"video": torch.randn(clips, 3, 32, 32, 32), "difficulty": torch.tensor([3.0, 3.2, 2.8])[:clips]}
    return Batch(**known | fields)


@pytest.mark.parametrize("preset", METHOD.presets)
def test_a_preset_is_built_as_it_says(preset: str) -> None:
    network = METHOD.build(make_config(METHOD, preset, seed=0))
    assert network.encoder.test_dropout == (preset == "released")
    assert network.i3d.freeze_bn == (preset == "released")
    assert len(network.noise) == 20


@pytest.mark.parametrize("without", [(), ("sampling", "order")])
def test_a_small_training_learns_and_scores(made_up: Workspace, without: tuple[str, ...]) -> None:
    far: dict[str, Any] = {"model__start_at_mean": False, "optimiser__lr": 3e-3, "optimiser__warm_up": 1}
    metrics, folder = small_run(made_up, "rica2", epochs=4, without=without, **far)
    losses = [epoch.get("score_loss", epoch["loss"]) for epoch in metrics.history]
    assert losses[-1] < losses[0]
    assert ("kl_loss" in metrics.history[0]) == ("sampling" not in without)
    assert ("rank_loss" in metrics.history[0]) == ("order" not in without)
    again = score_again(made_up, folder)
    assert len(again) == metrics.made.n_test
    for prediction, points in again:
        assert points == pytest.approx(prediction.predicted_score, abs=1e-3)


def test_stages_need_not_be_labelled(workspace: Workspace) -> None:
    pack_made_up(workspace, dives=6, stages=False)
    metrics, folder = small_run(workspace, "rica2")
    assert (metrics.made.left_out, metrics.made.n_train) == ({}, 4)
    assert len(score_again(workspace, folder)) == 2


def test_places_are_the_vocabulary_by_part_of_the_dive() -> None:
    assert set(ACTIONS) == set(SUB_ACTIONS)
    kinds = [{stage_of(action).kind for action in ACTIONS[part]} for part in RUBRIC]
    assert kinds == [{"direction", "armstand"}, {"somersaults", "twists"}, {"entry"}]


def test_every_dive_ends_in_an_entry_and_unknown_ids_are_passed_over() -> None:
    present = present_actions(torch.tensor([[1, 16, -1], [400, 8, -7], [36, 36, -1]]))
    assert [[ACTIONS[k] for k in row.nonzero()[:, 0].tolist()] for row in present] == [[1, 16, 36], [36], [36]]


def test_a_dive_whose_labels_name_no_flight_gets_a_score() -> None:
    few = batch(2, sub_actions=torch.tensor([[1, 36], [36, -1]]))
    for network in (small(), small(without=["sampling"])):
        assert network.score(few).isfinite().all()
        loss = torch.stack(list(network.loss(few).values())).sum()
        loss.backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())


@torch.no_grad()
def test_a_score_depends_on_the_clip_alone_and_is_the_same_every_time() -> None:
    network, clips = small(), batch()
    scores = network.score(clips)
    assert torch.equal(scores, network.score(clips))
    alone = replace(clips, video=clips.video[1:2], sub_actions=clips.sub_actions[1:2])  # type: ignore[index]
    assert float(network.score(alone)) == pytest.approx(float(scores[1]), abs=1e-5)
    assert not torch.equal(small(test_dropout=True).score(clips), scores)


@torch.no_grad()
def test_what_a_dive_does_decides_what_is_looked_at() -> None:
    clips = batch()
    other = replace(clips, sub_actions=torch.tensor([[2, 16, 36], [5, 31, 36], [2, 30, 36]]))
    assert not torch.allclose(small().score(clips), small().score(other))


def test_before_a_short_training_every_dive_has_the_mean_execution() -> None:
    network = small(start_at_mean=True)
    before = small().score(batch())
    network.prepare(batch())
    assert torch.allclose(network.score(batch()), before + 59 / 3, atol=1e-4)


def test_the_divergence_weighs_more_later() -> None:
    assert [kl_weight(e) for e in (0, 30, 39)] == [1e-5] * 3
    assert kl_weight(40) == pytest.approx(3e-5)
    assert kl_weight(352) == KL_LAST


def test_sub_actions_come_from_the_labels_or_else_from_the_number() -> None:
    needs = Needs.SUB_ACTIONS
    bare: dict[str, Any] = {"stage_starts": (), "sub_actions": ()}
    clips = [*ten(), clip(10, number="107b", **bare), clip(11, number="???", **bare)]
    split = split_clips(packed(*clips), needs)
    assert split.left_out == {"no sub-actions": [str(clips[11].key)]}
    dives = Dives(packed(*clips), DataSettings(), needs)
    assert unlabelled_batch([dives.sample(0), dives.sample(10)]).sub_actions.tolist() == [  # type: ignore[union-attr]
        [1, 2, 3, -1, -1],
        [1, 17, 36, -1, -1],
    ]


def test_vectors_of_a_file_take_the_place_of_learned_ones(tmp_path: Path) -> None:
    path = tmp_path / "text.npy"
    np.save(path, np.random.default_rng(0).normal(size=(29, 6)).astype(np.float32))
    network = small(text={"width": 6, "weights": str(path)})
    assert network.queries().shape == (29, 16)
    without_file = small(text={"width": 6})
    without_file.load_state_dict(network.state_dict())
    assert torch.equal(network.queries(), without_file.queries())
    np.save(path, np.zeros((28, 6)))
    for file in (path, tmp_path / "none.npy"):
        with pytest.raises(SetupError, match=rf"{file}: not the vectors of the sub-actions"):
            small(text={"width": 6, "weights": str(file)})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data.target": "score"}, "it assesses execution"),
        ({"model.heads": 7}, "512 channels can't be shared by 7 heads"),
        ({"model.samples": 0}, "model.samples=0: expected a number that is above 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_config(METHOD, "full", seed=0, changes=changes)

"""Votes: encoded once, the same as encoded anew; written and read back."""

from __future__ import annotations

import math
from pathlib import Path
from typing import ClassVar, cast

import numpy as np
import pytest
import torch

from baselines.data.batch import Batch
from baselines.data.dives import Dives, unlabelled_batch
from baselines.data.exemplars import choose_voters
from baselines.data.settings import DataSettings
from baselines.method import DirectMethod, Preset
from baselines.methods.hpmcr import HPMCRMethod
from baselines.methods.hpmcr.network import HPMCR
from baselines.runs.config import Evaluation
from baselines.runs.figures import measure
from baselines.runs.predictions import Prediction, Vote, read_predictions, write_predictions
from baselines.runs.scoring import predict_clips
from finediving_pose.clip import ClipKey
from finediving_pose.errors import FdposeError, UsageError
from tests.baselines.made_up import clip, packed
from tests.baselines.small_model import SMALL

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dives() -> Dives:
    """Twelve train and four test dives of two numbers, and one test dive whose number no train dive has."""
    train = [clip(i, number=("107b", "5253b")[i % 2], difficulty=2.0 + i / 10) for i in range(12)]
    test = [clip(i, "test", ("107b", "5253b")[i % 2]) for i in range(12, 16)]
    settings = DataSettings(frames=24, resize=(60, 34), crop=32)
    return Dives(packed(*train, *test, clip(16, "test", "405b", difficulty=2.0)), settings)


@pytest.fixture(scope="module")
def model() -> HPMCR:
    torch.manual_seed(0)
    made = HPMCR(**SMALL)
    with torch.no_grad():  # so that stages and clips differ by points, not by thousandths
        torch.nn.init.normal_(cast(torch.nn.Linear, made.compare_fused.head[-1]).weight, std=5)
        made.stage_weights.log.add_(torch.tensor([1.0, 0.0, -1.0]))
    return made.eval()


@pytest.fixture(scope="module")
def predictions(dives: Dives, model: HPMCR) -> list[Prediction]:
    return predict_clips(model, HPMCRMethod(), dives, range(12, 17), range(12), Evaluation(votes=3), seed=4)


def naive(model: HPMCR, dives: Dives, query: int, exemplar: int) -> float:
    """A vote as the public code makes it: both clips encoded for it alone."""
    with torch.no_grad():
        clips = model.encode(unlabelled_batch([dives.sample(i) for i in (query, exemplar)]))
        above = model.compare(clips.pick(torch.tensor([0])), clips.pick(torch.tensor([1])))
    return float(dives.packed.clips[exemplar].dive_score or 0) + float(above.sum())


def test_encoded_once_is_the_same_as_encoded_for_each_vote(
    dives: Dives, model: HPMCR, predictions: list[Prediction]
) -> None:
    voters = choose_voters(dives.packed.clips, range(12, 17), range(12), 3, 4)
    for p, query, chosen in zip(predictions, range(12, 17), voters, strict=True):
        assert [v.exemplar.index for v in p.votes] == chosen
        anew = [naive(model, dives, query, j) for j in chosen]
        assert p.predicted_score == pytest.approx(np.mean(anew), rel=1e-5, abs=1e-3)
        assert len({round(v.relative_score, 3) for v in p.votes}) > 1, "or the votes would prove nothing"


def test_stages_add_up_to_the_vote_and_votes_to_the_prediction(predictions: list[Prediction]) -> None:
    for p in predictions:
        assert p.predicted_score == pytest.approx(p.exemplar_mean + sum(p.stages), abs=1e-3)
        for v in p.votes:
            assert v.relative_score == pytest.approx(sum(v.stages), abs=1e-3)
            assert 0 <= v.exemplar_transitions[0] <= v.exemplar_transitions[1] < 20


def test_a_dive_matched_by_difficulty_says_so(predictions: list[Prediction]) -> None:
    assert [p.matched_by for p in predictions] == ["dive number"] * 4 + ["difficulty"]
    assert {v.exemplar.index for v in predictions[-1].votes} == {0, 1, 2}
    assert measure(predictions).matched_by_difficulty == 1


def test_predictions_and_votes_are_read_back(predictions: list[Prediction], tmp_path: Path) -> None:
    write_predictions(tmp_path, predictions)
    assert read_predictions(tmp_path) == predictions


def test_a_dive_without_a_stage_or_without_labels_is_read_back(tmp_path: Path) -> None:
    vote = Vote(ClipKey("a", 1), 70.0, -2.0, (-1.5, 0.0, -0.5), (5, -1))
    odd = Prediction(ClipKey("b", 2), "107b", None, 66.0, 68.0, 70.0, "difficulty", (), (4, -1), float("nan"), (vote,))
    write_predictions(tmp_path, [odd])
    (back,) = read_predictions(tmp_path)
    assert math.isnan(back.tiou)
    assert (back.true_transitions, back.predicted_transitions, back.difficulty) == ((), (4, -1), None)
    assert back.votes == odd.votes
    assert measure([back, back]).figures.aiou_50 is None


def test_a_folder_without_a_finished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no finished run"):
        read_predictions(tmp_path)


class Direct(DirectMethod):
    presets: ClassVar = {"demo": Preset("quick", {})}


class Constant(torch.nn.Module):
    """Scores every dive alike, in a shape of its choice."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    def score(self, batch: Batch) -> torch.Tensor:
        assert batch.score is None, "labels are not given to what is to be scored"
        return torch.full((len(batch.number or ()), *self.shape), 60.0)


def test_a_direct_method_stands_beside_the_exemplars_mean(dives: Dives, tmp_path: Path) -> None:
    found = predict_clips(Constant(), Direct(), dives, range(12, 16), range(12))
    assert [p.predicted_score for p in found] == [60.0] * 4
    assert all(p.votes == () and p.stages == () and p.predicted_transitions == () for p in found)
    assert all(50 <= p.exemplar_mean <= 62 for p in found)
    assert measure(found).figures.aiou_50 is None
    write_predictions(tmp_path, found)
    assert not (tmp_path / "votes.csv").exists()
    assert read_predictions(tmp_path)[0].predicted_score == 60.0


def test_scores_of_another_shape_are_refused(dives: Dives) -> None:
    with pytest.raises(FdposeError, match=r"score\(\) of the network gives \(4, 1\), expected \(4,\)"):
        predict_clips(Constant(1), Direct(), dives, range(12, 16), range(12))

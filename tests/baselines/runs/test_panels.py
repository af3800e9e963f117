"""Five panels of voters: the run's own first, every clip encoded once."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from baselines.data.dives import Dives
from baselines.method import DirectMethod, Preset
from baselines.methods.exemplars_mean import ExemplarsMeanMethod
from baselines.methods.exemplars_mean.network import ExemplarsMean
from baselines.runs import scoring
from baselines.runs.config import Evaluation
from baselines.runs.figures import compute_figures
from baselines.runs.panels import PANELS, score_with_panels
from baselines.runs.scoring import predict_clips
from tests.baselines.made_up import clip, packed

HOW = Evaluation(votes=3)
TRAIN, TEST = range(12), range(12, 18)


@pytest.fixture(scope="module")
def dives() -> Dives:
    """Twelve train and six test dives of two numbers."""
    clips = [clip(i, "test" if i in TEST else "train", ("107b", "5253b")[i % 2]) for i in range(18)]
    return Dives(packed(*clips), needs=ExemplarsMeanMethod.needs)


def test_the_first_panel_is_the_run_s_own_and_others_differ(dives: Dives) -> None:
    scored = score_with_panels(ExemplarsMean(), ExemplarsMeanMethod(), dives, TEST, TRAIN, HOW, 7)
    own = predict_clips(ExemplarsMean(), ExemplarsMeanMethod(), dives, TEST, TRAIN, HOW, 7)
    assert [(p.dive, p.votes) for p in scored.predictions] == [(p.dive, p.votes) for p in own]
    assert scored.panels[0] == compute_figures(own)
    assert len(scored.panels) == PANELS
    assert len(set(scored.panels)) > 1
    assert scored.seconds > 0


def test_where_all_exemplars_vote_panels_are_alike(dives: Dives) -> None:
    scored = score_with_panels(ExemplarsMean(), ExemplarsMeanMethod(), dives, TEST, TRAIN, Evaluation(votes=6), 7)
    assert len(set(scored.panels)) == 1


def test_each_clip_is_encoded_once_for_all_panels(dives: Dives, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: Counter[int] = Counter()
    encode = scoring.encode_clips

    def noted(network: nn.Module, dives: Dives, clips: list[int]) -> object:
        seen.update(clips)
        return encode(network, dives, clips)  # type: ignore[arg-type]

    monkeypatch.setattr(scoring, "encode_clips", noted)
    score_with_panels(ExemplarsMean(), ExemplarsMeanMethod(), dives, TEST, TRAIN, HOW, 7)
    assert set(seen.values()) == {1}
    assert set(TEST) < set(seen) and len(seen) > len(TEST) + 2 * HOW.votes, "more exemplars than one panel has"


class Direct(DirectMethod):
    presets: ClassVar = {"demo": Preset("quick", {})}


class Same(nn.Module):
    def score(self, batch: object) -> torch.Tensor:
        return torch.from_numpy(np.full(len(batch.number), 60.0))  # type: ignore[attr-defined]


def test_where_nobody_votes_there_are_no_panels(dives: Dives) -> None:
    assert score_with_panels(Same(), Direct(), dives, TEST, TRAIN, HOW, 7).panels == ()

"""A scorer says of a dive what its run would have said, or why it says nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from baselines.data.batch import Batch
from baselines.method import DirectMethod, Needs
from baselines.runs.predictions import Prediction
from baselines.scorer.file import Scorer, read_scorer, write_scorer
from baselines.scorer.interval import LEVELS, Calibration
from baselines.scorer.predict import Judge
from finediving_pose.clip import Clip
from finediving_pose.errors import CheckpointError, FdposeError, PoseError, UsageError
from finediving_pose.packed.arrays import PackedPoses
from finediving_pose.packed.reader import PackedFile
from tests.baselines.made_up import InMemory, clip, packed
from tests.baselines.scorer.small_scorer import STRANGER, TEST, dives_in_memory, small_scorer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made() -> tuple[Scorer, list[Prediction]]:
    return small_scorer()


@pytest.fixture(scope="module")
def judge(made: tuple[Scorer, list[Prediction]]) -> Judge:
    return Judge(made[0])


@pytest.fixture(scope="module")
def dives() -> PackedFile:
    return dives_in_memory()


def test_scores_are_those_of_the_run(judge: Judge, dives: PackedFile, made: tuple[Scorer, list[Prediction]]) -> None:
    """But for the exemplars' half precision."""
    for i, prediction in zip(TEST, made[1], strict=True):
        score = judge.score(dives, i)
        assert score.points == pytest.approx(prediction.predicted_score, abs=0.05)
        assert score.exemplars_mean == prediction.exemplar_mean
        assert score.transitions == prediction.predicted_transitions
        assert [v.exemplar for v in score.votes] == [v.exemplar for v in prediction.votes]
        assert score.stages == pytest.approx(prediction.stages, abs=0.05)
        assert score.matched_by == "dive number"
        assert score.points == pytest.approx(score.exemplars_mean + sum(score.stages), abs=1e-3)


def test_a_stored_scorer_has_the_prior_beside_its_model(tmp_path: Path, dives: PackedFile) -> None:
    scorer, predictions = small_scorer(prior=False, prior_beside=True)
    write_scorer(tmp_path / "scorer.pth", scorer)
    judge = Judge(read_scorer(tmp_path / "scorer.pth"))
    without = Judge(small_scorer(prior=False)[0])
    for i, prediction in zip(TEST, predictions, strict=True):
        assert judge.score(dives, i).points == pytest.approx(prediction.predicted_score, abs=0.05)
        assert abs(judge.score(dives, i).points - without.score(dives, i).points) > 0.1


def test_intervals_lie_around_the_score_and_the_surer_one_is_wider(judge: Judge, dives: PackedFile) -> None:
    score = judge.score(dives, TEST[0])
    assert [i.level for i in score.intervals] == list(LEVELS)
    inner, outer = score.intervals
    assert outer.low < inner.low < score.points < inner.high <= outer.high <= 30 * 3.0
    half = judge.scorer.calibration.half_width(0.9, 3.0)
    assert half is not None and score.points - outer.low == pytest.approx(min(half, score.points), abs=1e-3)


def test_a_scorer_of_synthetic_dives_doubts_itself_on_any_other(
    made: tuple[Scorer, list[Prediction]], judge: Judge
) -> None:
    synthetic = replace(made[0], exemplars=tuple(replace(c, source="synthetic") for c in made[0].exemplars))
    for source, doubted in (("synthetic", False), ("unlabelled", True), ("finediving", True)):
        dive = packed(clip(90, source=source))
        score = Judge(synthetic).score(dive, 0)
        assert score.doubted is doubted and any("computer-made dives only" in r for r in score.remarks) is doubted
        assert not judge.score(dive, 0).doubted


def test_nearest_exemplars_come_first(judge: Judge, dives: PackedFile) -> None:
    apart = [sum(map(abs, v.stages)) for v in judge.score(dives, TEST[0]).nearest]
    assert apart == sorted(apart) and apart[0] < apart[-1]


def test_a_dive_is_not_compared_with_itself(judge: Judge, dives: PackedFile) -> None:
    row = judge.scorer.exemplars[0].key.index
    score = judge.score(dives, row)
    assert dives.clips[row].key not in [v.exemplar for v in score.votes]
    assert any("learned from this very dive" in said for said in score.remarks)


def test_a_number_without_exemplar_needs_the_fallback(judge: Judge, dives: PackedFile) -> None:
    with pytest.raises(FdposeError, match="no exemplar of 405b"):
        judge.score(dives, STRANGER)
    score = judge.score(dives, STRANGER, "difficulty")
    assert score.matched_by == "difficulty"
    assert max(abs((c.difficulty or 0) - 2.0) for c in score.exemplars) < 1.2
    assert any("the scorer has seen no 405b" in said for said in score.remarks)


def test_no_interval_where_the_test_dives_were_few(made: tuple[Scorer, list[Prediction]], dives: PackedFile) -> None:
    few = replace(made[0], calibration=Calibration((1.0, 2.0), False))
    assert Judge(few).score(dives, TEST[0]).intervals == ()


class Odd(InMemory):
    """One clip of so many frames, and of so many divers."""

    def __init__(self, clip: Clip, frames: int = 20, divers: int = 1) -> None:
        super().__init__([clip])
        self.count, self.divers = frames, divers

    def frame_numbers(self, i: int) -> np.ndarray:
        return np.arange(self.count)

    def poses(self, i: int) -> PackedPoses:
        found = super().poses(i)
        keypoints = np.full_like(found.keypoints, np.nan)
        keypoints[:, : self.divers] = found.keypoints[:, :1]
        return replace(found, keypoints=keypoints)


class Still(InMemory):
    """One clip in which nothing moves but the camera, and one joint in one frame."""

    def poses(self, i: int) -> PackedPoses:
        found = super().poses(i)
        joints = np.broadcast_to(found.keypoints[:1], found.keypoints.shape) + np.arange(20)[:, None, None, None]
        joints[7, 0, 3] += 500
        return replace(found, keypoints=joints)


@pytest.mark.parametrize(
    ("odd", "kind", "said"),
    [
        (Odd(clip(90), frames=1), FdposeError, "has 1 frame, which is no dive"),
        (Odd(clip(90), divers=0), PoseError, "has no pose of a diver in its 20 frames, so nothing is scored"),
        (Still([clip(90)]), PoseError, "the diver does not move in any of its 20 frames, as in a still picture"),
        (Odd(clip(90), divers=2), FdposeError, "shows two divers, and the scorer learned from single dives only"),
        (Odd(clip(90, synchronised=True)), FdposeError, "shows two divers"),
        (Odd(clip(90, action_type=None)), UsageError, "its dive number is not known; give it with --dive-number"),
    ],
)
def test_what_is_no_dive_for_this_scorer_is_one_line(judge: Judge, odd: InMemory, kind: type, said: str) -> None:
    with pytest.raises(kind) as e:
        judge.score(cast(PackedFile, odd), 0)
    assert said in str(e.value) and "\n" not in str(e.value)


def test_stages_need_not_be_labelled(judge: Judge) -> None:
    known = judge.score(packed(clip(90)), 0)
    unlabelled = judge.score(packed(clip(90, stage_starts=(), sub_actions=(), dive_score=None)), 0)
    assert unlabelled.points == known.points and unlabelled.transitions == known.transitions


def test_pictures_and_poses_that_are_unlike_are_told(judge: Judge, dives: PackedFile) -> None:
    class White(InMemory):
        def training_frames(self, i: int, positions: np.ndarray) -> np.ndarray:
            return np.full((len(positions), 112, 200, 3), 255, np.uint8)

    class Flat(InMemory):
        def poses(self, i: int) -> PackedPoses:
            found = super().poses(i)
            return replace(found, keypoints=found.keypoints * np.array([1, 0.02], np.float32))

    assert judge.score(dives, TEST[0]).unlike == ()
    for kind, what in ((White, "pictures"), (Flat, "poses")):
        (unlike,) = judge.score(cast(PackedFile, kind([clip(91)])), 0).unlike
        assert unlike.what == what and unlike.distance > unlike.limit


def test_exemplars_of_another_network_are_refused(made: tuple[Scorer, list[Prediction]], dives: PackedFile) -> None:
    scorer = made[0]
    odd = replace(scorer, encoded=scorer.encoded | {"fused": torch.zeros(20, 2)})
    with pytest.raises(CheckpointError, match="its network encodes dives as"):
        Judge(odd).score(dives, TEST[0])


class Mean(nn.Module):
    """Scores a dive by its mean joint coordinate, and says two faults."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(20.0))

    def score(self, batch: Batch) -> Tensor:
        assert batch.pose is not None and batch.video is None and batch.score is None
        return batch.pose.mean((1, 2, 3, 4)) + self.shift

    def faults(self, batch: Batch) -> dict[str, Tensor]:
        return {"twist_deg": torch.tensor([12.0]), "late_s": torch.tensor([float("nan")])}


class MeanMethod(DirectMethod):
    name, title, needs = "mean", "Mean", Needs.POSES

    def build(self, config: Any) -> nn.Module:
        return Mean()


def test_a_direct_method_scores_at_the_difficulty_of_the_dive(
    made: tuple[Scorer, list[Prediction]], monkeypatch: pytest.MonkeyPatch, dives: PackedFile
) -> None:
    monkeypatch.setattr(Scorer, "method", property(lambda self: MeanMethod()))
    config = made[0].config
    over = replace(config, data=replace(config.data, target="score_over_difficulty"))
    plain = replace(config, data=replace(config.data, target="score"))
    plain, harder = (replace(made[0], config=c, weights=Mean().state_dict(), encoded={}) for c in (plain, over))
    one, three = (Judge(s).score(dives, TEST[0]) for s in (plain, harder))
    assert one.votes == () and one.stages == () and one.transitions == ()
    assert three.points == pytest.approx(3.0 * one.points, rel=1e-4)
    assert one.exemplars_mean == pytest.approx(np.mean([c.dive_score or 0 for c in one.exemplars]))
    assert one.faults["twist_deg"] == 12.0 and np.isnan(one.faults["late_s"])
    unknown = Judge(harder).score(packed(clip(90, difficulty=None)), 0)
    difficulties = [c.difficulty for c in unknown.exemplars if c.difficulty]
    assert unknown.points == pytest.approx(20 * np.median(difficulties), rel=0.1)
    assert (
        "its degree of difficulty is not known; that of the dives that it is compared with is taken" in unknown.remarks
    )


def test_a_clip_is_encoded_once_though_its_faults_are_estimated(
    made: tuple[Scorer, list[Prediction]], dives: PackedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, seen = Judge(made[0]), []
    encode = cast(Any, judge.network).encode
    monkeypatch.setattr(cast(Any, judge.network), "encode", lambda batch: seen.append(encode(batch)) or seen[-1])
    monkeypatch.setattr(judge.network, "faults", lambda clips: {"late_s": torch.tensor([len(clips.fused) / 4])})
    assert judge.score(dives, TEST[0]).faults == {"late_s": 0.25} and len(seen) == 1


def test_a_network_that_can_not_score_is_said_to_be_the_scorer_s_fault(
    made: tuple[Scorer, list[Prediction]], dives: PackedFile
) -> None:
    scorer = made[0]
    cut_short = replace(scorer.config, data=replace(scorer.config.data, frames=8))  # shorter than a snippet
    with pytest.raises(CheckpointError, match=r"its network can't score a dive \(.+\); train it again"):
        Judge(replace(scorer, config=cut_short)).score(dives, TEST[0])


def test_a_score_that_is_no_number_is_never_given(made: tuple[Scorer, list[Prediction]], dives: PackedFile) -> None:
    judge = Judge(made[0])
    with torch.no_grad():
        next(judge.network.parameters()).fill_(float("nan"))
    with pytest.raises(CheckpointError, match="what it gives is not a number"):
        judge.score(dives, TEST[0])

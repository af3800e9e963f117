"""Groups of score differences."""

from __future__ import annotations

import pytest
import torch

from baselines.data.batch import Batch
from baselines.modules.groups import ScoreGroups
from finediving_pose.errors import FdposeError


def groups(**options: str) -> ScoreGroups:
    made = ScoreGroups(8, 30, **options)  # type: ignore[arg-type]
    made.set_differences(torch.arange(1, 13, dtype=torch.float64))
    return made


def test_half_of_the_groups_mirror_the_others_and_hold_as_many_differences() -> None:
    assert groups().bounds.tolist() == [-30, -9, -6, -3, 0, 3, 6, 9, 30]


def test_a_difference_is_decoded_to_what_it_was() -> None:
    made, asked = groups(), torch.tensor([-30.0, -12.5, -3, -0.5, 0, 0.5, 3, 8.9, 29, 30])
    group, place, known = made.target(asked)
    assert known.all()
    assert ((place >= 0) & (place <= 1)).all()
    log_probability = torch.nn.functional.one_hot(group, 8).float().log()
    assert torch.allclose(made.decode(log_probability, place[:, None].expand(-1, 8)), asked, atol=1e-5)


def test_the_expectation_weighs_all_groups() -> None:
    made, half = groups(decoding="expectation"), torch.full((1, 8), 0.5)
    sure = torch.tensor([[0.0, 0, 0, 0, 0, 0, 1, 0]]).log()
    assert made.decode(sure, half).tolist() == groups().decode(sure, half).tolist() == [7.5]
    assert made.decode(torch.full((1, 8), 1 / 8).log(), half).abs() < 1e-5  # mirror images cancel out
    torn = torch.tensor([[0.0, 0, 0, 0, 0.25, 0.75, 0, 0]]).log()
    assert made.decode(torn, half).item() == pytest.approx(0.25 * 1.5 + 0.75 * 4.5)


def test_beyond_the_range_the_nearest_group_of_the_sign_is_meant() -> None:
    group, place, known = groups().target(torch.tensor([-41.0, 41.0]))
    assert (group.tolist(), place.tolist(), known.tolist()) == ([0, 7], [0, 1], [True, True])
    group, _, known = groups(out_of_range="released").target(torch.tensor([-41.0, 41.0]))
    assert (group.tolist(), known.tolist()) == ([0, 0], [False, False])


def test_equal_differences_make_groups_without_width_that_are_no_target() -> None:
    made = ScoreGroups(8, 30)
    made.set_differences(torch.tensor([0.0, 0, 0, 0, 0, 0, 2, 40, 50]))
    assert made.bounds.tolist() == [-30, -2, 0, 0, 0, 0, 0, 2, 30]
    group, place, _ = made.target(torch.tensor([0.0, -0.5, 99]))
    assert group.tolist() == [6, 1, 7]
    assert torch.isfinite(place).all()


def test_losses_are_finite_whatever_the_differences() -> None:
    torch.manual_seed(0)
    made, log_probability = groups(out_of_range="released"), torch.randn(5, 8).log_softmax(1)
    one, other = made.loss(log_probability, torch.randn(5, 8), torch.tensor([-99.0, 99, 0, 3, -3]))
    assert torch.isfinite(one) and torch.isfinite(other)
    _, none = made.loss(log_probability[:1], torch.randn(1, 8), torch.tensor([99.0]))
    assert none == 0


def test_one_pair_is_enough_and_no_pair_is_said() -> None:
    made, score = ScoreGroups(8, 30), torch.tensor([20.0, 22, 40])
    made.fit(Batch(score=score, query=torch.tensor([0]), exemplar=torch.tensor([1])))
    assert made.bounds.tolist() == [-30, -2, -2, -2, 0, 2, 2, 2, 30]
    empty = torch.empty(0, dtype=torch.long)
    with pytest.raises(FdposeError, match="no two of the 3 training dives may be compared"):
        made.fit(Batch(score=score, query=empty, exemplar=empty))


@pytest.mark.parametrize(("count", "score_range"), [(7, 30), (1, 30), (8, 0), (8, -1)])
def test_groups_that_can_not_be_are_refused(count: int, score_range: float) -> None:
    with pytest.raises(ValueError, match="groups of differences"):
        ScoreGroups(count, score_range)

"""``--set`` of what means nothing: one line that says what was expected, exit code 2."""

from __future__ import annotations

from typing import Any

import pytest

from baselines.registry import find_method
from baselines.runs.config import make_config
from finediving_pose.errors import UsageError
from finediving_pose.workspace import Workspace
from tests.command import fdpose


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("precision", "fp16", r"no setting 'precision'; did you mean training\.precision\? there are model\.\*"),
        ("optimizer.lr", 1, r"did you mean optimiser\.lr\?"),
        ("training.precision", "fp16", "input should be 'fp32' or 'bf16'"),
        ("training.batch_size", 0, "greater than 0"),
        ("optimiser.lr", -1e-3, "greater than 0"),
        ("optimiser.lr_mult.skeleton", -1, "greater than or equal to 0"),
        ("optimiser.momentum", 5, "less than 1"),
        ("optimiser.warm_up", 99, "99 epochs are more than the training has"),
        ("nothing.x", 1, r"no setting 'nothing\.x'"),
        ("model.prior", 5, r"model\.prior=5: expected true or false, such as True"),
        ("model.tokens", 0, "expected a number that is above 0, such as 12"),
        ("model.tokens", 2.5, "expected a whole number"),
        ("model.tokens", True, "expected a whole number"),
        ("model.visual_dropout", -1, "expected a number that is not below 0"),
        ("model.visual_dropout", 7, "it is a share, from 0 to 1"),
        ("model.contrast_weight", float("nan"), "expected a number"),
        ("model.i3d", {"stride": 0}, r"model\.i3d\.stride=0: expected a number that is above 0"),
        ("model.skeleton", 5, "expected a section"),
        ("model.fusion", 3, "expected a word"),
    ],
)
def test_a_value_that_can_not_be_meant_is_refused(name: str, value: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        make_config(find_method("hpmcr"), "demo", 0, changes={name: value})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("name", "value"), [("model.contrast_weight", 0), ("model.contrast_weight", 1)])
def test_what_can_be_meant_is_taken(name: str, value: Any) -> None:
    assert make_config(find_method("hpmcr"), "demo", 0, changes={name: value}).model["contrast_weight"] == value


def test_the_command_exits_2_in_one_line_and_leaves_no_folder(workspace: Workspace) -> None:
    for change in ("precision=fp16", "training.batch_size=0", "model.prior=5"):
        result = fdpose("benchmark", "hpmcr", "--data", workspace.root, "--set", change)
        assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1), result.output
    assert not workspace.root.exists()

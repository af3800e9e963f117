"""The commands of poses take only their own options, and say what to type."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from finediving_pose.cli import main
from finediving_pose.cli.annotate import _after_auto
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import grey_clips


@pytest.fixture
def grey(workspace: Workspace) -> Workspace:
    """Two clips of three grey frames each."""
    grey_clips(workspace)
    return workspace


@pytest.mark.parametrize("args", [[], ["--auto", "--manual", "a.json"]])
def test_annotate_has_two_modes_and_takes_one_at_a_time(grey: Workspace, args: list[str]) -> None:
    result = CliRunner().invoke(main, ["annotate", *args, "--data", str(grey.root)])
    assert result.exit_code == 2
    for mode in ("--auto", "--manual FILE..."):
        assert mode in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("annotate --manual", "needs annotation files"),
        ("annotate --auto a.json", "did you mean --manual a.json"),
        ("annotate --auto --estimator nobody", "no such estimator; there is diver-r18"),
        ("annotate --auto --config c.py", "go together"),
        ("annotate --auto --config c.py --checkpoint c.pth", "add --trust-config"),
        ("annotate --auto --annotator anna", "--annotator goes with --manual; --auto does not take it"),
        ("annotate --manual a.json --estimator mine", "--estimator goes with --auto; --manual does not take it"),
        ("annotate --manual a.json --no-smooth", "--smooth goes with --auto"),
        ("annotate --auto --jobs 2 --scheduler tcp://node1:8786", "give only one"),
        ("finetune --name mine --device cpu,cuda:0", "fdpose finetune uses one device; give --device cpu, or one of"),
        ("finetune --name mine --network locator --turn 30", "--turn goes with --network pose"),
        ("finetune --name mine --from-scratch --estimator diver-r18", "not both"),
        ("finetune --name ../mine", "letters, digits, dots, dashes"),
        ("suggest 5 --device cpu,cuda:0", "fdpose suggest uses one device; give --device cpu"),
    ],
)
def test_bad_usage_says_what_to_type(grey: Workspace, words: str, said: str) -> None:
    result = CliRunner().invoke(main, [*words.split(), "--data", str(grey.root)])
    assert result.exit_code == 2 and said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ("annotate --finetune --name mine", "--finetune"),
        ("annotate --evaluate manual/anna", "--evaluate"),
        ("annotate --suggest 5", "--suggest"),
        ("annotate --auto --layer merged", "--layer"),
        ("finetune --name mine --config c.py", "--config"),
        ("suggest 5 --estimator mine", "--estimator"),
        ("compare manual/anna --device cpu", "--device"),
    ],
)
def test_an_option_of_another_command_is_unknown(words: str, option: str) -> None:
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 2 and f"No such option '{option}'" in result.stderr


@pytest.mark.parametrize(
    ("words", "missing"), [("finetune", "--name"), ("compare", "REFERENCE"), ("suggest", "N"), ("suggest 0", "x>=1")]
)
def test_what_a_command_can_not_do_without_is_named(words: str, missing: str) -> None:
    result = CliRunner().invoke(main, words.split())
    assert result.exit_code == 2 and missing in result.stderr


@pytest.mark.parametrize(("source", "step"), [("unlabelled", "fdpose render --video"), ("finediving", "fdpose merge")])
def test_own_videos_are_looked_at_and_measured_next(source: Any, step: str) -> None:
    assert _after_auto([Clip(ClipKey("IMG_1", 0), source=source)]).startswith(step)

"""``fdpose info --picture``."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from finediving_pose.cli import main
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.labels.table import write_clips
from finediving_pose.workspace import Workspace
from tests.finediving_pose.packed.made_up import N, moving_picture


@pytest.mark.slow
def test_a_packed_file_is_drawn(tmp_path: Path) -> None:
    files = moving_picture(tmp_path / "data")
    target = tmp_path / "contents.png"
    result = CliRunner().invoke(main, ["info", str(files["cached"].path), "--picture", str(target)])
    assert result.exit_code == 0, result.output
    assert str(target) in result.stdout.replace("\n", "")
    picture = cv2.imread(str(target))
    assert picture is not None
    assert picture.shape[1] == 12 * 110
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 200, "charts and frames, not a white page"
    assert files["cached"].shape("frames/number") == (N,)


def test_a_data_directory_without_a_packed_file_can_not_be_drawn(workspace: Workspace, tmp_path: Path) -> None:
    write_clips(workspace.clips_table, [Clip(ClipKey("v", 1))])
    at = ["info", "--data", str(workspace.root), "--picture", str(tmp_path / "x.png")]
    result = CliRunner().invoke(main, at)
    assert result.exit_code == 2
    assert "--picture draws a packed file; name one, or make one with: fdpose pack" in result.stderr

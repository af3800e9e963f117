"""Adapting an estimator to frames that nobody annotated."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from annotate.estimators.checkpoint import read_checkpoint
from annotate.training.adapt import ROUNDS
from annotate.training.finetune import finetune
from annotate.training.own_poses import read_own_poses
from annotate.training.plan import FinetunePlan
from annotate.training.synthetic_dives import synthetic_frames
from finediving_pose.cli import main
from finediving_pose.errors import PoseError, UsageError
from finediving_pose.labels.table import read_clips
from finediving_pose.workspace import Workspace

pytestmark = pytest.mark.slow


def test_an_estimator_adapts_to_a_dive_that_nobody_annotated(
    half_annotated: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = []

    def watched(*given: Any) -> Any:
        found = read_own_poses(*given)
        keys.append(sorted(found))
        return found

    monkeypatch.setattr("annotate.training.adapt.read_own_poses", watched)
    words = ["finetune", "--name", "mine", "--unlabelled", "--steps", "4", "--batch", "4", "--json"]
    result = CliRunner().invoke(main, [*words, "--data", str(half_annotated.root)])
    assert result.exit_code == 0, result.stderr
    (said,) = json.loads(result.stdout).values()
    real = [c for c in read_clips(half_annotated) if c.source == "unlabelled"]
    assert keys == [[real[0].key]] * ROUNDS, "from the poses in the real dive alone, of every round"
    assert 20 < said["frames"] <= (real[0].n_frames or 0) and said["held_out"] == 0 and said["after"] is None
    folder = half_annotated.root / "estimators" / "mine"
    assert [p.name for p in folder.iterdir()] == ["pose.pth"]
    meta = read_checkpoint(folder / "pose.pth")["meta"]
    assert meta["command"].endswith("--steps 4 --seed 0 --batch 4 --unlabelled")
    assert json.loads(meta["config"])["all_round"], "--thorough looks many times"


def test_where_no_diver_is_found_there_is_nothing_to_learn(half_annotated: Workspace) -> None:
    for clip in read_clips(half_annotated):
        if clip.source == "unlabelled":
            for picture in half_annotated.frame_folder(clip.key).glob("*.jpg"):
                _blacken(picture)
    with pytest.raises(PoseError, match="no diver was found in any clip that is not synthetic"):
        plan = FinetunePlan("mine", "pose", "diver-r18", steps=2, unlabelled=True)
        finetune(half_annotated, read_clips(half_annotated), plan)
    assert not (half_annotated.root / "estimators" / "mine" / "pose.pth").exists()


def _blacken(picture: Path) -> None:
    import simplejpeg

    height, width, *_ = simplejpeg.decode_jpeg_header(picture.read_bytes())
    picture.write_bytes(simplejpeg.encode_jpeg(np.zeros((int(height), int(width), 3), np.uint8)))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--from-scratch"], "--from-scratch has none to adapt"),
        (["--network", "locator"], "--unlabelled adapts the pose network"),
    ],
)
def test_what_can_not_be_adapted_is_refused(half_annotated: Workspace, options: list[str], words: str) -> None:
    result = CliRunner().invoke(
        main, ["finetune", "--name", "mine", "--unlabelled", *options, "--data", str(half_annotated.root)]
    )
    assert result.exit_code == 2 and words in " ".join(result.stderr.split())
    with pytest.raises(UsageError):
        FinetunePlan("mine", "pose", None, unlabelled=True)


def test_synthetic_dives_are_made_where_the_data_directory_has_none(
    half_annotated: Workspace, competition: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = read_clips(half_annotated)
    own = synthetic_frames(half_annotated, clips, tmp_path / "made")
    assert {f.folder.key for f in own} == {c.key for c in clips if c.source == "synthetic"}
    assert not (tmp_path / "made").exists()

    def copied(out: Path, **_: Any) -> None:
        shutil.copytree(competition, out)

    monkeypatch.setattr("annotate.training.synthetic_dives.make_competition", copied)
    made = synthetic_frames(half_annotated, [c for c in clips if c.source != "synthetic"], tmp_path / "made")
    assert len({f.folder.key for f in made}) == 2
    assert all(tmp_path / "made" in f.folder.folder.parents for f in made)

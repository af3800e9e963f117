"""``fdpose kinematics``: its tables, its plots, its words."""

from __future__ import annotations

import csv
import json
import pickle

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from finediving_pose.cli import main
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.labels.table import write_clips
from finediving_pose.poses import concatenate, take_rows, write_poses
from finediving_pose.workspace import Workspace
from tests.finediving_pose.kinematics.made_up import MadeUpDive, poses_of


@pytest.fixture
def data(workspace: Workspace) -> Workspace:
    """A single dive, one with a wrong dive number, a pair, and a clip without poses."""
    dive = MadeUpDive(25.0)
    n = len(dive.times)
    facts = {"height_m": 10.0, "fps": 25.0, "start_frame": 0, "end_frame": n - 1, "n_frames": n,
             "stage_starts": (13, 50), "sub_actions": (2, 15, 36), "split": "test"}  # fmt: skip
    clips = [
        Clip(ClipKey("made_up", 0), action_type="205b", **facts),
        Clip(ClipKey("made_up", 1), action_type="207b", **facts),
        Clip(ClipKey("pair", 0), action_type="205b", synchronised=True, **facts),
        Clip(ClipKey("unposed", 0), action_type="205b", **facts),
    ]
    write_clips(workspace.clips_table, clips)
    for clip in clips[:2]:
        write_poses(workspace.pose_file("auto", clip.key), poses_of(dive))
    write_poses(workspace.pose_file("auto", clips[2].key), concatenate([poses_of(dive), poses_of(dive, 1, person=1)]))
    return workspace


def run(data: Workspace, *words: object, code: int = 0):
    result = CliRunner().invoke(main, ["kinematics", *map(str, words), "--data", str(data.root)])
    assert result.exit_code == code, result.output
    return result


def test_one_dive_is_told_in_full_with_its_error_bars(data: Workspace):
    text = run(data, "--clip", "made_up/0").stdout
    assert "somersaults          2½" in text and "jump height" in text and "±" in text
    assert "dives.csv" in text and "real ones are harder" in text


def test_tables_hold_numbers_errors_and_reasons(data: Workspace, tmp_path):
    out = tmp_path / "measured"
    run(data, "--clip", "made_up", "--clip", "pair", "--out", out, "--no-plots")
    dives = pd.read_parquet(out / "dives.parquet")
    assert dives[["video", "person"]].to_numpy().tolist() == [["made_up", 0], ["made_up", 0], ["pair", 0], ["pair", 1]]
    assert dives.half_somersaults.tolist() == [5, 5, 5, 5]
    assert dives.count_agrees.tolist() == [True, False, True, True]
    assert (dives.flight_time_s_error >= 0.04).all() and (dives.flight_time_s_why == "").all()
    assert dives.lag_s_why.tolist()[:3] == ["no_partner"] * 3
    assert dives.lag_s[3] == pytest.approx(0.04, abs=0.01)
    frames = pd.read_parquet(out / "frames")  # all clips at once
    assert len(frames) == 4 * len(MadeUpDive(25.0).times)
    first = frames[(frames.video == "made_up") & (frames["index"] == 0)]
    assert np.isfinite(first.trunk_deg[:40]).all() and first.trunk_deg.isna().iloc[-1]
    assert first.trunk_deg_why.iloc[-1] == "no_pose" and set(first.right_hip_deg_why[:40]) == {"sides_unknown"}
    assert first.stage.iloc[0] == "Back" and first.time_s.iloc[25] == 1.0
    assert not (out / "plots").exists()


def test_csv_and_parquet_hold_the_same(data: Workspace, tmp_path):
    run(data, "--clip", "made_up/0", "--out", tmp_path, "--no-plots")
    table = pd.read_parquet(tmp_path / "dives.parquet")
    with open(tmp_path / "dives.csv", newline="") as f:
        (row,) = csv.DictReader(f)
    assert list(row) == list(table.columns)
    assert float(row["flight_time_s"]) == table.flight_time_s[0]
    assert row["splash_share"] == "" and row["splash_share_why"] == "no_splash_mask"


@pytest.mark.slow
def test_a_plot_of_every_dive(data: Workspace, tmp_path):
    run(data, "--clip", "made_up/0", "--clip", "pair/0", "--out", tmp_path)
    plots = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.png"))
    assert plots == ["plots/made_up/0.png", "plots/pair/0.png"]
    assert all((tmp_path / p).stat().st_size > 20_000 for p in plots)


def test_json_says_all_of_it(data: Workspace):
    result = json.loads(run(data, "--split", "test", "--json", "--no-plots").stdout)
    assert result["clips_measured"] == 3 and list(result["failed"]) == ["unposed/0"]
    assert result["dives"][0]["half_somersaults"] == 5 and result["dives"][0]["lag_s"] is None


def test_several_dives_are_a_line_each_and_a_wrong_count_is_said(data: Workspace):
    result = run(data, "--no-plots")
    lines = result.stdout.splitlines()
    heads = ["flight s", "jump m", "somersaults", "peak °/s", "tuck/pike °", "entry °", "bend °", "lag s"]
    assert lines[0].split("  ")[-len(heads) :] == heads
    assert [line.split()[0] for line in lines[1:5]] == ["made_up/0", "made_up/1", "pair/0", "pair/0"]
    assert lines[1].split()[3] == "2½" and lines[4].split()[:3] == ["pair/0", "diver", "1"]
    assert "splash" not in result.stdout and "median" not in result.stdout
    assert "made_up/1: 2½ somersaults seen, but 207b has 3½" in result.stdout
    assert (
        f"unposed/0: has no poses; annotate it first with: fdpose annotate --data {data.root} --auto" in result.stderr
    )


def test_clips_without_a_diver_are_counted_as_such(data: Workspace):
    write_poses(data.pose_file("auto", ClipKey("unposed", 0)), take_rows(poses_of(MadeUpDive(25.0)), np.zeros(0, int)))
    result = run(data, "--no-plots").stdout
    assert "no diver: 1 of 5" in result
    assert next(line for line in result.splitlines() if "unposed/0" in line).split() == ["unposed/0", "no", "diver"]
    assert "clips measured         3" in result and "clips without a diver  1" in result
    alone = run(data, "--clip", "unposed/0", "--no-plots").stdout
    assert alone.startswith("  no diver\n") and "±" not in alone
    answer = json.loads(run(data, "--clip", "unposed/0", "--no-plots", "--json").stdout)
    assert answer["clips_without_a_diver"] == 1 and answer["dives"][0]["touch_s_why"] == "no_diver"


def test_clips_that_can_not_be_measured_at_all_are_a_failure(data: Workspace):
    assert "has no poses" in run(data, "--clip", "unposed/0", code=1).stderr


def test_a_layer_or_clip_that_is_not_there_is_bad_usage(data: Workspace):
    assert "no such layer" in run(data, "--layer", "manual/anna", code=2).stderr
    assert "no such clip" in run(data, "--clip", "made_up/7", code=2).stderr


def test_a_splash_mask_beside_the_data_is_measured(data: Workspace):
    masks = data.splashes / "made_up" / "0.pkl"
    masks.parent.mkdir(parents=True)
    half = np.zeros((112, 112), bool)
    half[:28] = True
    masks.write_bytes(pickle.dumps({"splash_pred_masks": [None, half]}))
    result = json.loads(run(data, "--clip", "made_up/0", "--json", "--no-plots").stdout)
    assert result["dives"][0]["splash_share"] == pytest.approx(0.25)
    masks.write_bytes(pickle.dumps({"something": 1}))
    assert "splash_pred_masks" in run(data, "--clip", "made_up/0", "--no-plots", code=1).stderr

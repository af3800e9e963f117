"""``fdpose score`` on rendered dives: what it prints and writes, and one line for what it can't score."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from baselines.runs.config import make_config
from baselines.runs.run import dives_of, split_of
from baselines.runs.scoring import predict_clips
from baselines.scorer import find
from baselines.scorer.file import write_scorer
from baselines.scorer.make import make_scorer
from finediving_pose.checkpoints import read_checkpoint, write_checkpoint
from finediving_pose.labels.table import read_clips, write_clips
from finediving_pose.packed.reader import open_packed
from finediving_pose.synth.filming import Take, write_video
from finediving_pose.synth.plan import Event
from finediving_pose.workspace import Workspace
from tests.baselines.scorer.small_scorer import METHOD, small_network
from tests.command import fdpose

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scorer(competition: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's network with random weights, and the train dives of the competition."""
    config = make_config(METHOD, "demo", 0)
    network = small_network(config)
    with open_packed(competition.packed) as packed:
        split, dives = split_of(packed, METHOD, config), dives_of(packed, METHOD, config)
        predictions = predict_clips(network, METHOD, dives, split.test, split.train, config.evaluation, 0)
        made = make_scorer(network, METHOD, config, dives, split.train, predictions)
    path = tmp_path_factory.mktemp("scorer") / "scorer.pth"
    write_scorer(path, made)
    return path


@pytest.fixture
def copied(competition: Workspace, tmp_path: Path) -> Workspace:
    """The competition, to be changed."""
    for name in ("frames", "poses"):
        shutil.copytree(competition.root / name, tmp_path / "data" / name)
    shutil.copy(competition.clips_table, tmp_path / "data" / "clips.parquet")
    return Workspace(tmp_path / "data")


def key_of(data: Workspace, split: str = "test") -> str:
    return str(next(c.key for c in read_clips(data) if c.split == split))


def test_a_clip_is_scored_in_lines_and_on_one_page(competition: Workspace, scorer: Path, tmp_path: Path) -> None:
    key = key_of(competition)
    done = fdpose("score", scorer, key, "--data", competition.root, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    for said in (key, "exemplars' mean", "points by stage", "take-off", "not to be seen", "nearest exemplars"):
        assert said in done.stdout
    assert "no interval: the scorer has too few test dives for one" in done.stdout
    page = (tmp_path / "score.html").read_text()
    assert page.count('class="stage') >= 2 and "data:image/jpeg;base64," in page
    assert "http" not in page.replace("http-equiv", "") and 'src="data:' in page


def test_json_has_what_the_lines_have(competition: Workspace, scorer: Path, tmp_path: Path) -> None:
    words = ("score", scorer, "--split", "test", "--data", competition.root, "--out", tmp_path, "--json")
    found: dict[str, Any] = json.loads(fdpose(*words).stdout)
    clips = {str(c.key): c for c in read_clips(competition) if c.split == "test"}
    assert {f"{d['video']}/{d['index']}" for d in found["dives"]} == clips.keys()
    for dive in found["dives"]:
        assert dive["score"] == pytest.approx(dive["exemplars_mean"] + sum(dive["stages"].values()), abs=0.01)
        assert dive["dive_number"] == clips[f"{dive['video']}/{dive['index']}"].action_type
        assert {f["name"] for f in dive["faults"]} >= {"rotation_deg", "crooked_deg", "splash_share"}
        assert all(f["value"] is not None or f["remark"] for f in dive["faults"])
    assert found["scorer"]["learned_from"] == ["synthetic"] and found["failed"] == {}


def test_nothing_changes_in_the_data_directory(scorer: Path, copied: Workspace, tmp_path: Path) -> None:
    def state() -> dict[Path, tuple[int, int]]:
        there = [copied.root, *copied.root.rglob("*")]
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in there}

    before = state()
    assert fdpose("score", scorer, key_of(copied), "--data", copied.root, "--out", tmp_path / "out").exit_code == 0
    assert state() == before and (tmp_path / "out" / "score.html").is_file()


def test_two_dives_in_one_video_are_refused_with_the_commands_that_score_each(scorer: Path, tmp_path: Path) -> None:
    event = Event("Synthetic2026Men10m_final_r1", 10.0, False, ("107b",), (901, 0))
    pictures = list(Take(event).pictures(io.StringIO()))
    write_video(tmp_path / "two.mp4", [*pictures, *pictures[:1] * 20, *pictures], 25)
    words = ("--dive-number", "107b", "--height", 10, "--out", tmp_path / "out")
    done = fdpose("score", scorer, tmp_path / "two.mp4", *words)
    assert done.exit_code == 1 and done.stdout == ""
    table = tmp_path / "out" / "dives-of-the-video.csv"
    assert table.read_text().splitlines()[0] == "video,index,start_frame,end_frame,action_type,height_m"
    assert (
        f"fdpose extract --videos {tmp_path / 'two.mp4'} --labels {table} --data dives && fdpose annotate --auto --data"
        f" dives && fdpose score {scorer} two --data dives" in done.stderr
    )
    again = fdpose("score", scorer, tmp_path / "two.mp4", "--out", tmp_path / "out")
    assert "two.mp4: dive number 107b, as given before; another: --dive-number" in again.stderr


def test_a_run_names_its_scorer(competition: Workspace, scorer: Path, copied: Workspace) -> None:
    run = copied.runs / "some-run"
    run.mkdir(parents=True)
    shutil.copy(scorer, run / "scorer.pth")
    for name in ("some-run", run, run / "scorer.pth"):
        done = fdpose("score", name, key_of(copied), "--data", copied.root)
        assert done.exit_code == 0, done.output
    assert (copied.reports / "score.html").is_file()


def test_a_number_that_is_not_labelled_is_given_or_asked_for(scorer: Path, copied: Workspace) -> None:
    clips = read_clips(copied)
    write_clips(copied.clips_table, [replace(c, action_type=None, difficulty=None, stage_starts=(), sub_actions=())
                                     for c in clips])  # fmt: skip
    words = ("score", scorer, key_of(copied), "--data", copied.root)
    asked = fdpose(*words)
    assert asked.exit_code == 2 and "give it with --dive-number" in asked.stderr
    assert fdpose(*words, "--dive-number", "107b").exit_code == 0
    refused = fdpose(*words, "--dive-number", "405b")
    assert refused.exit_code == 1 and "no exemplar of 405b; the nearest of its 2 dive numbers" in refused.stderr
    far = fdpose(*words, "--dive-number", "405b", "--height", 10, "--exemplar-fallback", "difficulty", "--json")
    (dive,) = json.loads(far.stdout)["dives"]
    assert dive["matched_by"] == "difficulty" and any("405b" in said for said in dive["warnings"])


def test_one_bad_clip_does_not_stop_the_others(scorer: Path, copied: Workspace) -> None:
    bad, empty, *good = [c.key for c in read_clips(copied)]
    frame = next(iter(copied.frame_folder(bad).glob("*.jpg")))
    frame.write_bytes(frame.read_bytes()[:100])
    for file in copied.poses.rglob("*.parquet"):
        if file.parent.name == empty.video and file.stem == str(empty.index):
            file.unlink()
    done = fdpose("score", scorer, *{c.key.video for c in read_clips(copied)}, "--data", copied.root, "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert found["failed"].keys() == {str(bad), str(empty)} and len(found["dives"]) == len(good)
    assert "changed since they were extracted" in found["failed"][str(bad)]
    assert "has no pose of a diver" in found["failed"][str(empty)]
    last = done.stderr.splitlines()[-1]
    assert last == f"fdpose: 2 of {len(good) + 2} dives have no score: {bad}, {empty}" or last.endswith(
        f"{empty}, {bad}"
    )


def test_a_wrong_dive_number_is_noticed_by_the_somersaults(scorer: Path, copied: Workspace, tmp_path: Path) -> None:
    """107b has seven half somersaults, 205b five."""
    clips = read_clips(copied)
    (right,) = (c for c in clips if c.split == "test" and c.action_type == "205b")
    words = ("score", scorer, right.key, "--data", copied.root, "--out", tmp_path, "--json")
    (dive,) = json.loads(fdpose(*words).stdout)["dives"]
    assert not dive["doubted"] or not any("somersaults seen" in said for said in dive["warnings"])
    write_clips(copied.clips_table, [replace(c, action_type="107b") if c.key == right.key else c for c in clips])
    (dive,) = json.loads(fdpose(*words).stdout)["dives"]
    assert dive["doubted"] and "2½ somersaults seen, but 107b has 3½: is the dive number right?" in dive["warnings"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "nothing to score"),
        (("nobody.mp4",), 2, "nobody.mp4: no such video, and no clip of"),
        (("nobody/3",), 2, "list the clips with: fdpose info --data DATA"),
        ((".",), 2, "make clips of all with: fdpose extract --data DATA --videos ."),
        (("--split", "none"), 2, "no clip is in the split none"),
        (("KEY", "--dive-number", "5253b"), 2, "the labels of"),
        (("KEY", "--dive-number", "999z"), 2, "--dive-number: '999z'"),
    ],
)
def test_bad_usage_is_exit_code_two(
    competition: Workspace, scorer: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    words = tuple(key_of(competition) if word == "KEY" else word for word in words)
    done = fdpose("score", scorer, *words, "--data", competition.root)
    said = said.replace("DATA", str(competition.root))
    assert done.exit_code == code and said in done.stderr and done.stderr.count("fdpose: ") == 1


def bad_scorer(kind: str, scorer: Path, folder: Path) -> Path:
    """Something that can't be used as a scorer."""
    if kind == "study":
        for run in ("seed-0", "seed-1"):
            (folder / "study" / run).mkdir(parents=True)
            shutil.copy(scorer, folder / "study" / run / "scorer.pth")
        (folder / "study" / "study.json").write_text("[]")
        return folder / "study"
    if kind == "run":
        (folder / "run").mkdir()
        (folder / "run" / "config.json").write_text("{}")
        return folder / "run"
    path = folder / f"{kind}.pth"
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("a text")
    elif kind == "cut":
        path.write_bytes(scorer.read_bytes()[:5000])
    elif kind in ("later", "other"):
        write_checkpoint(path, read_checkpoint(scorer) | ({"version": 99} if kind == "later" else {"format": "x"}))
    return path


@pytest.mark.parametrize(
    ("kind", "code", "said"),
    [
        ("missing", 2, "no such scorer; give the scorer.pth of a run"),
        ("folder", 2, "a folder, not a scorer; give the scorer.pth of a run"),
        ("text", 2, "not a scorer; give the scorer.pth of a run"),
        ("other", 2, "not a scorer; give the scorer.pth of a run"),
        ("study", 2, "a study, not a scorer; name one of its runs: "),
        ("run", 2, "finish it with: fdpose benchmark --resume"),
        ("cut", 1, "damaged"),
        ("cut", 1, "; copy it again, or train again"),
        ("later", 1, "a scorer of format 99"),
    ],
)
@pytest.mark.parametrize("command", ["score", "dive"])
def test_a_wrong_scorer_is_bad_usage_and_a_damaged_one_is_not(
    scorer: Path, tmp_path: Path, kind: str, code: int, said: str, command: str
) -> None:
    path = bad_scorer(kind, scorer, tmp_path)
    (tmp_path / "a.mp4").write_bytes(b"")
    how = (path, tmp_path / "a.mp4") if command == "score" else (tmp_path / "a.mp4", "--scorer", path)
    done = fdpose(command, *how, "--out", tmp_path / "out")
    assert done.exit_code == code and said in done.stderr and str(path) in done.stderr
    assert done.stderr.startswith("fdpose: ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["score", "dive"])
@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        ((), 2, "film/0: its dive number is not known; give it with --dive-number"),
        (("--dive-number", "405b"), 1, "film/0: the scorer has no exemplar of 405b; the nearest"),
    ],
)
def test_a_number_that_can_not_be_scored_is_refused_before_any_work(
    scorer: Path, tmp_path: Path, command: str, number: tuple[str, ...], code: int, said: str
) -> None:
    (tmp_path / "film.mp4").write_bytes(b"no video: who opens it says something else")
    named = (scorer, tmp_path / "film.mp4") if command == "score" else (tmp_path / "film.mp4", "--scorer", scorer)
    done = fdpose(command, *named, *number, "--out", tmp_path / "out")
    assert done.exit_code == code and said in done.stderr
    assert not (tmp_path / "out").exists()


def test_clips_whose_number_can_not_be_scored_are_refused_before_any_work(scorer: Path, copied: Workspace) -> None:
    write_clips(copied.clips_table, [replace(c, action_type="405b") for c in read_clips(copied)])
    shutil.rmtree(copied.frames)
    done = fdpose("score", scorer, key_of(copied), "--data", copied.root)
    assert done.exit_code == 1 and "no exemplar of 405b" in done.stderr


def test_without_a_bundled_scorer_one_is_asked_for(
    competition: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find, "BUNDLED", tmp_path / "none.pth")
    done = fdpose("score", key_of(competition), "--data", competition.root)
    assert done.exit_code == 1 and "no scorer is given, and none comes with this installation" in done.stderr


def test_a_video_without_a_diver_is_said_and_nothing_scored(scorer: Path, tmp_path: Path) -> None:
    event = Event("Synthetic2026Men10m_final_r1", 10.0, False, ("107b",), (901, 0))
    empty = next(iter(Take(event).pictures(io.StringIO())))
    write_video(tmp_path / "pool.mp4", [empty] * 40, 20)
    done = fdpose("score", scorer, tmp_path / "pool.mp4", "--dive-number", "107b", "--out", tmp_path / "out")
    assert done.exit_code == 1 and "no diver was found in its 40 frames" in done.stderr
    assert done.stdout == "" and not (tmp_path / "out" / "score.html").exists()


def test_faults_are_compared_with_the_truth_of_the_same_dives(
    competition: Workspace, scorer: Path, tmp_path: Path
) -> None:
    words = ("score", scorer, "--split", "test", "--data", competition.root, "--out", tmp_path)
    truth = competition.root.parent / "synth" / "truth" / "dives.json"
    done = fdpose(*words, "--faults", truth, "--json")
    assert done.exit_code == 0, done.output
    figures = {row["name"]: row for row in json.loads(done.stdout)["faults"]}
    assert len(figures) == 9
    assert figures["rotation_deg"]["source"] in ("measured", "estimated")  # one dive leaves the picture at the entry
    assert figures["rotation_deg"]["told"] == sum(c.split == "test" for c in read_clips(competition))
    other = json.loads(truth.read_text())
    other["dives"] = [row | {"video": "elsewhere"} for row in other["dives"]]
    (tmp_path / "other.json").write_text(json.dumps(other))
    refused = fdpose(*words, "--faults", tmp_path / "other.json")
    assert refused.exit_code == 2 and "has none of these dives" in refused.stderr

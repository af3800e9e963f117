"""``fdpose dive``: a video of one dive becomes poses, an overlay video, tables and a page, or one line says why not."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import av
import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from markupsafe import escape

from finediving_pose.cli import main
from finediving_pose.cli.dive import measure_for_page, notes_without_score
from finediving_pose.cli.one_dive import OneDive
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.frames import FrameFolder
from finediving_pose.poses import JointSource, Visibility, read_poses, take_rows, write_poses
from finediving_pose.synth.filming import Take, write_video
from finediving_pose.synth.plan import Event
from finediving_pose.workspace import Workspace
from tests.finediving_pose.kinematics.made_up import MadeUpDive, poses_of

if TYPE_CHECKING:
    from baselines.scorer.predict import Score

NOW = "2026-11-29T12:00:00+00:00"
EVENT = Event("Synthetic2026Men10m_final_r1", 10.0, False, ("107b",), (901, 0))


def dive(video: Path, out: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["dive", str(video), "--out", str(out), *words])


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """A dive from 10 m, 25 frames a second; nobody is in the first frame, nor in the last ones."""
    return list(Take(EVENT).pictures(io.StringIO()))


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("none.mp4", (), "none.mp4: expected a video, found no such file"),
        (".", (), "expected a video, found a folder; give one of its videos, or make clips of all with: fdpose"),
        ("a.mp4", ("--dive-number", "999z"), "--dive-number: '999z'"),
        ("a.mp4", ("--height", "4"), "'4' is not one of '1', '3', '5', '7.5', '10'"),
    ],
)
def test_bad_usage_is_exit_code_two(tmp_path: Path, name: str, words: tuple[str, ...], said: str) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    run = dive(tmp_path / name, tmp_path / "out", *words)
    assert run.exit_code == 2 and said in run.stderr
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_video_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video")
    run = dive(tmp_path / "a.mp4", tmp_path / "out")
    assert run.exit_code == 1
    (said,) = (line for line in run.stderr.splitlines() if line.startswith("fdpose:"))
    assert not (tmp_path / "out").exists()
    assert "a.mp4: " in said and "expected a video" in said and "Traceback" not in run.stderr


@pytest.mark.slow
def test_nobody_in_the_video_is_said_and_nothing_invented(tmp_path: Path, pictures: list[np.ndarray]) -> None:
    write_video(tmp_path / "pool.mp4", pictures[:1] * 40, 20)
    run = dive(tmp_path / "pool.mp4", tmp_path / "out")
    assert run.exit_code == 1
    assert "pool.mp4: no diver was found in its 40 frames, so nothing is measured" in run.stderr
    assert not [
        p for p in (tmp_path / "out").rglob("*") if p.suffix in (".html", ".csv", ".mp4") and "reports" not in str(p)
    ]


@pytest.mark.slow
def test_a_dive_becomes_a_page_a_video_and_tables(tmp_path: Path, pictures: list[np.ndarray]) -> None:
    large = [cv2.resize(p, (912, 512), interpolation=cv2.INTER_CUBIC) for p in pictures]
    film(tmp_path / "IMG 1.mp4", large)
    run = dive(tmp_path / "IMG 1.mp4", tmp_path / "out", "--dive-number", "107b", "--height", "10", "--json")
    assert run.exit_code == 0, run.output
    result = json.loads(run.stdout)
    assert (result["clip"], result["frames"], result["notes"]) == ("IMG 1/0", len(pictures), [])
    (row,) = result["dives"]
    assert row["half_somersaults"] == 7 and row["count_agrees"] is True
    with av.open(result["video"]) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.average_rate) == (912, 25) and stream.height > 512
    page = Path(result["page"]).read_text()
    assert 'src="IMG%201_0.mp4"' in page and "forward 3½ somersaults, pike" in page
    assert (tmp_path / "out" / "kinematics" / "dives.csv").is_file()
    (scored,) = result["score"]["dives"]
    assert scored["doubted"] and 0 <= scored["score"] <= 90 and scored["dive_number"] == "107b"
    assert (
        "Do not trust this score" in page
        and 'href="score.html"' in page
        and (tmp_path / "out" / "score.html").is_file()
    )
    assert (result["layer"], result["joints_by_hand"]) == ("auto", 0)
    correct_a_pose(Workspace(tmp_path / "out"), row["take_off_frame"])
    again = json.loads(dive(tmp_path / "IMG 1.mp4", tmp_path / "out", "--dive-number", "105b", "--json").stdout)
    assert (again["layer"], again["joints_by_hand"]) == ("merged", 16)
    assert again["dives"] != result["dives"], "the measures are those of the corrected poses"
    assert "16 joints placed by hand" in (tmp_path / "out" / "dive.html").read_text()
    command = (
        f"fdpose score '{tmp_path / 'IMG 1.mp4'}' --dive-number 105b --height 10 --out {tmp_path / 'out'}"
        " --exemplar-fallback difficulty"
    )
    assert again["score"] is None and again["score_why"].endswith(f"about the same difficulty: {command}")
    assert f"<code>{escape(command)}</code>" in (tmp_path / "out" / "dive.html").read_text()
    assert not (tmp_path / "out" / "score.html").exists(), "that of another number does not stay"
    (tmp_path / "IMG 1.mp4").write_bytes((tmp_path / "IMG 1.mp4").read_bytes() + b"x")
    film(tmp_path / "b.mp4", large[:5])
    for other in ("IMG 1.mp4", "b.mp4"):
        again = dive(tmp_path / other, tmp_path / "out")
        assert again.exit_code == 2
        assert "holds the dive of another video already (IMG 1/0); give another folder with --out" in again.stderr


@pytest.mark.slow
def test_two_dives_in_one_video_are_told(tmp_path: Path, pictures: list[np.ndarray]) -> None:
    gap = pictures[:1] * 20
    film(tmp_path / "two.mp4", [*pictures, *gap, *pictures])
    run = dive(tmp_path / "two.mp4", tmp_path / "out", "--height", "10")
    assert run.exit_code == 0, run.output
    assert "a diver is seen 2 times" in run.stdout and "as if the video held 2 dives" in run.stdout
    assert "not scored: the dive number is not known; give it, for example with --dive-number 107b" in run.stdout
    assert "Nothing is measured: numbers would mix them" in run.stdout and "flight time" not in run.stdout
    assert [line.split()[:2] for line in run.stdout.splitlines()[-3:]] == [
        ["fdpose", words] for words in ("extract", "annotate", "kinematics")
    ]
    page = (tmp_path / "out" / "dive.html").read_text()
    assert "Not scored: the dive number is not known" in page and 'poster="data:image/jpeg' in page
    assert "flight time" not in page and "fdpose annotate --auto --data dives\n" in page
    assert not (tmp_path / "out" / "kinematics").exists()
    table = (tmp_path / "out" / "dives-of-the-video.csv").read_text().splitlines()
    assert table[0] == "video,index,start_frame,end_frame,height_m"
    first, second = ([int(v) for v in line.split(",")[1:]] for line in table[1:])
    assert (first[:2], second[0], first[3], second[3]) == ([1, 0], 2, 10, 10)
    assert first[2] + 1 == second[1] and second[2] == 2 * len(pictures) + len(gap) - 1
    assert len(pictures) < second[1] < len(pictures) + len(gap) + 3
    assert "kinematics --data dives" in run.stdout


def correct_a_pose(data: Workspace, frame: int) -> None:
    """The pose of a frame as somebody placed it by hand, upside down."""
    poses = read_poses(data.pose_file("auto", ClipKey("IMG 1", 0)))
    hand = take_rows(poses, np.flatnonzero(poses.frame == frame))
    hand.keypoints[..., 1] = 2 * np.nanmean(hand.keypoints[..., 1]) - hand.keypoints[..., 1]
    hand.source[:], hand.visibility[:], hand.confidence[:] = JointSource.MANUAL, Visibility.VISIBLE, 1.0
    hand.keypoints[:] = np.where(np.isfinite(hand.keypoints), hand.keypoints, 20.0)
    write_poses(data.pose_file("manual/kim", ClipKey("IMG 1", 0)), replace(hand, author=["kim"], time=[NOW]))


def film(path: Path, pictures: list[np.ndarray]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "superfast", "crf": "20"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def test_an_upside_down_picture_is_asked_about_on_the_page(tmp_path: Path) -> None:
    """What the page notes is printed, too."""
    made, data = MadeUpDive(50.0, upside_down=1), Workspace(tmp_path)
    poses = poses_of(made)
    clip = Clip(ClipKey("film", 0), action_type="205b", fps=50.0)
    write_poses(data.pose_file("auto", clip.key), poses)
    taken = OneDive(data, clip, cast(FrameFolder, None), "auto", poses, [], 1, ())
    _, _, measured = measure_for_page(taken)
    (doubt,) = measured.doubts
    assert doubt == "before the dive the trunk is upside down, as in no 205b: is the video upside down?"


def test_what_the_score_says_is_not_said_twice() -> None:
    score = cast("Score", SimpleNamespace(doubts=("is the video upside down?",)))
    notes = ["several divers", "is the video upside down?"]
    assert notes_without_score(notes, [score]) == ["several divers"]
    assert notes_without_score(notes, []) == notes

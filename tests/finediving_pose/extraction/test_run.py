"""Clips out of videos: the right frames, whole or not at all, never altered at their source."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import pytest
from click.testing import CliRunner

from finediving_pose.cli import main
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import VideoError
from finediving_pose.extraction.clips_table import add_clips
from finediving_pose.extraction.run import extract_videos
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, is_complete, open_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.workspace import Workspace
from tests.killing import count_moments, kill_at
from tests.media import painted_number, write_video

pytestmark = pytest.mark.slow


def clip(video: str, index: int, first: int | None = None, last: int | None = None, **more) -> Clip:
    return Clip(ClipKey(video, index), start_frame=first, end_frame=last, **more)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    write_video(folder / "men.mp4", 50, codec_options={"bf": "3"})
    write_video(folder / "women.mkv", 40)
    return folder


def shown(workspace: Workspace, key: ClipKey) -> list[int]:
    frames = open_frames(workspace, key)
    return [painted_number(frames.read(n)) for n in frames.numbers]


def leftovers(workspace: Workspace) -> list[Path]:
    return [p for p in workspace.root.rglob(".*") if p.name.endswith((".part", ".old"))]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[ClipKey]:
    """Keys of the clips whose clip.json was read in this process."""
    keys: list[ClipKey] = []

    def count(workspace: Workspace, key: ClipKey) -> FrameFolder:
        keys.append(key)
        return open_frames(workspace, key)

    monkeypatch.setattr("finediving_pose.extraction.run.open_frames", count)
    return keys


# -- videos ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 2])
def test_clips_of_several_videos_hold_their_own_frames(workspace: Workspace, videos: Path, jobs: int) -> None:
    clips = [clip("men", 1, 3, 12), clip("men", 2, 10, 30), clip("women", 0, 39, 39)]
    result = extract_videos(workspace, videos, clips, jobs)
    assert sorted(result.made) == [c.key for c in clips]
    assert result.n_frames == 10 + 21 + 1
    for c in clips:
        assert shown(workspace, c.key) == list(c.frame_range or ())
    frames = open_frames(workspace, clips[0].key)
    assert (frames.width, frames.height, frames.fps, frames.names[0]) == (427, 256, 25.0, "00003.jpg")
    assert frames.path(3).name == "00003.jpg"


def test_a_cluster_cuts_the_same_frames(workspace: Workspace, videos: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'fdpose[scale]'")
    clips = [clip("men", 1, 3, 12), clip("women", 0, 39, 39), clip("women", 1, 30, 50)]
    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as running:
        result = extract_videos(workspace, videos, clips, scheduler=running.scheduler_address)
    assert sorted(result.made) == [c.key for c in clips[:2]]
    assert list(result.failed) == [clips[2].key], "the video has 40 frames"
    for c in clips[:2]:
        assert shown(workspace, c.key) == list(c.frame_range or ())
    assert leftovers(workspace) == []


def test_the_clips_table_learns_what_only_frames_know(workspace: Workspace, videos: Path) -> None:
    labelled = clip("men", 1, 3, 12, action_type="107b", stage_starts=(4,), sub_actions=(1, 36))
    extract_videos(workspace, videos, [labelled])
    assert read_clips(workspace) == [replace(labelled, n_frames=10, fps=25.0, image_width=427, image_height=256)]


def test_labels_read_again_keep_what_the_frames_said(workspace: Workspace) -> None:
    add_clips(workspace, [clip("men", 1, n_frames=10, fps=25.0, stage_starts=(2, 5), sub_actions=(1, 2, 3))])
    add_clips(workspace, [clip("men", 1, 3, 12, dive_score=81.0, sub_actions=(7,)), clip("men", 2)])
    first, second = read_clips(workspace)
    expected = clip("men", 1, 3, 12, n_frames=10, fps=25.0, dive_score=81.0, sub_actions=(7,))
    assert (first, second) == (expected, clip("men", 2))


def test_what_is_complete_is_not_made_again(workspace: Workspace, videos: Path) -> None:
    clips = [clip("men", 1, 3, 12)]
    extract_videos(workspace, videos, clips)
    made = workspace.frame_folder(clips[0].key).stat().st_ino
    again = extract_videos(workspace, videos, clips)
    assert (again.made, again.kept) == ([], [clips[0].key])
    assert workspace.frame_folder(clips[0].key).stat().st_ino == made
    forced = extract_videos(workspace, videos, clips, force=True)
    assert forced.made == [clips[0].key]
    assert workspace.frame_folder(clips[0].key).stat().st_ino != made
    assert leftovers(workspace) == []


def test_labels_that_moved_are_told(workspace: Workspace, videos: Path) -> None:
    extract_videos(workspace, videos, [clip("men", 1, 3, 12)])
    moved = extract_videos(workspace, videos, [clip("men", 1, 5, 12)])
    assert "frames are 3 to 12 (10), the labels say 5 to 12" in moved.warnings[0]


def test_one_bad_clip_stops_nobody(workspace: Workspace, videos: Path) -> None:
    clips = [
        clip("men", 1, 0, 9),
        clip("men", 2, 45, 55),
        clip("men", 3),
        clip("women", 1, 0, 9),
        clip("mixed", 1, 0, 9),
    ]
    result = extract_videos(workspace, videos, clips)
    assert sorted(map(str, result.made)) == ["men/1", "women/1"]
    assert "men/2: frames 45 to 55" in str(result.failed[ClipKey("men", 2)])
    assert "only 50 (0 to 49)" in str(result.failed[ClipKey("men", 2)])
    assert "no start_frame" in str(result.failed[ClipKey("men", 3)])
    assert len(result.warnings) == 1
    assert "1 of 3 videos are missing (mixed)" in result.warnings[0]
    assert not workspace.frame_folder(ClipKey("men", 2)).exists()
    assert leftovers(workspace) == []


def test_a_failed_second_try_leaves_the_first_whole(workspace: Workspace, videos: Path) -> None:
    extract_videos(workspace, videos, [clip("men", 1, 3, 12)])
    result = extract_videos(workspace, videos, [clip("men", 1, 3, 99)], force=True)
    assert list(result.failed) == [ClipKey("men", 1)]
    assert shown(workspace, ClipKey("men", 1)) == list(range(3, 13))


def test_no_video_at_all_is_an_error(workspace: Workspace, videos: Path, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"2 of 2 videos are missing \(x, y\); expected files such as x\.mp4"):
        extract_videos(workspace, videos, [clip("x", 1, 0, 1), clip("y", 1, 0, 1)])
    with pytest.raises(VideoError, match="no such folder"):
        extract_videos(workspace, tmp_path / "nowhere", [clip("men", 1, 0, 1)])


def test_a_killed_extraction_leaves_whole_clips_and_goes_on(workspace: Workspace, videos: Path) -> None:
    clips = [clip("men", 1, 0, 5), clip("men", 2, 4, 9)]
    reference = Workspace(workspace.root.parent / "reference")
    extract_videos(reference, videos, clips)

    def work() -> None:
        extract_videos(workspace, videos, clips, jobs=1, force=True)

    total = count_moments(work)
    for step in range(8):
        kill_at(work, total * (2 * step + 1) // 16)
        for c in clips:
            if is_complete(workspace, c.key):
                assert open_frames(workspace, c.key).digest == open_frames(reference, c.key).digest
                assert shown(workspace, c.key) == list(c.frame_range or ())
    work()
    assert leftovers(workspace) == []
    assert read_clips(workspace) == read_clips(reference)


@pytest.mark.parametrize("jobs", [1, 3])
def test_damage_fails_the_clips_that_it_touches_and_names_the_frames(
    workspace: Workspace, tmp_path: Path, jobs: int
) -> None:
    """Shared among threads, too; the clips after the damage are exact."""
    options = {"bf": "3", "b_strategy": "0", "g": "15", "sc_threshold": "0"}
    path = write_video(tmp_path / "videos" / "men.mp4", 90, codec_options=options)
    with av.open(path) as container:
        victim = bytes([p for p in container.demux(video=0) if p.size][33])
    path.write_bytes(path.read_bytes().replace(victim, victim[:8] + b"\xff" * (len(victim) - 8)))
    clips = [clip("men", 1, 0, 9), clip("men", 2, 25, 50), clip("men", 3, 40, 47), clip("men", 4, 46, 89)]
    result = extract_videos(workspace, path.parent, clips, jobs)
    assert sorted(map(str, result.made)) == ["men/1", "men/4"]
    message = str(result.failed[ClipKey("men", 2)])
    # decoded I30 P34 B32 b31 b33 P38 ...: b31 is damaged, 34 and 32 were decoded before it
    assert "men/2: 12 of 26 frames can't be decoded, 31, 33, 35 to 44: " in message
    assert "men.mp4 is damaged there" in message
    assert "men/3: 5 of 8 frames can't be decoded, 40 to 44: " in str(result.failed[ClipKey("men", 3)])
    assert shown(workspace, ClipKey("men", 4)) == list(range(46, 90))
    assert leftovers(workspace) == []


def test_threads_give_the_bytes_that_one_gives(workspace: Workspace, tmp_path: Path) -> None:
    write_video(tmp_path / "videos" / "men.mp4", 90, codec_options={"bf": "3", "g": "15"})
    clips = [clip("men", 1, 3, 80), clip("men", 2, 44, 46), clip("men", 3, 70, 89)]
    one, many = Workspace(tmp_path / "one"), Workspace(tmp_path / "many")
    for target, jobs in ((one, 1), (many, 4)):
        assert len(extract_videos(target, tmp_path / "videos", clips, jobs).made) == 3
    for c in clips:
        assert open_frames(one, c.key).digest == open_frames(many, c.key).digest
        assert shown(many, c.key) == list(c.frame_range or ())
        assert digest_jpegs(map(open_frames(many, c.key).jpeg, c.frame_range or ())) == open_frames(many, c.key).digest


def test_brightness_is_that_of_the_video(workspace: Workspace, videos: Path) -> None:
    """Video black and white, 16 and 235, are 0 and 255 in a JPEG picture."""
    extract_videos(workspace, videos, [clip("men", 1, 5, 5)])
    picture = open_frames(workspace, ClipKey("men", 1)).read(5)
    columns = picture[100:150, 10:].mean((0, 2))
    assert abs(columns[:30].mean() - 220) < 4
    assert abs(columns[70:85].mean() - 20) < 4


# -- one video a dive -----------------------------------------------------------------------------------------------


def test_a_video_a_dive_is_taken_whole_and_numbered_by_the_labels(workspace: Workspace, tmp_path: Path) -> None:
    for index, n in ((1, 12), (2, 10), (3, 8)):
        write_video(tmp_path / "dives" / f"men__{index}.mp4", n)
    clips = [clip("men", 1, 100, 111), clip("men", 2, 200, 211), clip("men", 3), clip("men", 4, 1, 2)]
    result = extract_videos(workspace, tmp_path / "dives", clips, 1)
    assert sorted(map(str, result.made)) == ["men/1", "men/2", "men/3"]
    assert open_frames(workspace, ClipKey("men", 1)).numbers == tuple(range(100, 112))
    assert open_frames(workspace, ClipKey("men", 2)).numbers == tuple(range(10))
    assert shown(workspace, ClipKey("men", 3)) == list(range(8))
    assert result.warnings[0].endswith("no video for 1 clips (men/4); expected files such as men__4.mp4")
    assert result.warnings[1:] == ["men/2: 10 frames, but the labels count 12"]


def test_a_manifest_is_read_once(workspace: Workspace, videos: Path, opened: list[ClipKey]) -> None:
    """Of clips made now, and of those that were there."""
    clips = [clip("men", 1, 3, 12), clip("women", 0, 39, 39)]
    for _ in range(2):
        extract_videos(workspace, videos, clips, jobs=1)
        assert sorted(opened) == [c.key for c in clips]
        opened.clear()
    assert [c.n_frames for c in read_clips(workspace)] == [10, 1]


# -- the command ----------------------------------------------------------------------------------------------------


def test_real_labels_alone_make_the_clips_table(workspace: Workspace, shared_data: Path) -> None:
    labels = shared_data / "finediving" / "Annotations"
    run = CliRunner().invoke(main, ["extract", "--labels", str(labels), "--data", str(workspace.root)])
    assert run.exit_code == 0, run.output
    assert len(read_clips(workspace)) == 3000
    assert not workspace.frames.exists()


def test_a_failed_clip_is_exit_code_one_and_the_others_are_there(workspace: Workspace, videos: Path) -> None:
    table = workspace.root.parent / "ranges.csv"
    table.write_text("video,index,start_frame,end_frame\nmen,1,0,9\nmen,2,45,55\n")
    words = ["extract", "--videos", str(videos), "--labels", str(table), "--data", str(workspace.root)]
    run = CliRunner().invoke(main, words)
    assert run.exit_code == 1
    assert "fdpose: men/2: frames 45 to 55" in run.stderr
    assert "Traceback" not in run.output
    assert "clips extracted      1" in run.stdout
    again = CliRunner().invoke(main, [*words, "--clip", "men/1"])
    assert again.exit_code == 0
    assert "clips already there  1" in again.stdout


def test_many_failures_are_not_a_wall_of_text(workspace: Workspace, videos: Path) -> None:
    table = workspace.root.parent / "ranges.csv"
    table.write_text("video,index,start_frame,end_frame\n" + "".join(f"men,{i},45,{60 + i}\n" for i in range(25)))
    words = ["extract", "--videos", str(videos), "--labels", str(table), "--data", str(workspace.root)]
    lines = [x for x in CliRunner().invoke(main, words).stderr.splitlines() if x.startswith("fdpose: ")]
    assert len(lines) == 11
    assert lines[-1] == "fdpose: and 15 more like these; --json lists them all"
    assert len(json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)["failed"]) == 25


def test_asking_for_nothing_or_for_both_is_bad_usage(workspace: Workspace, videos: Path) -> None:
    for words in ([], ["--videos", str(videos), "--frames", str(videos)]):
        run = CliRunner().invoke(main, ["extract", *words, "--data", str(workspace.root)])
        assert run.exit_code == 2
        assert len(run.stderr.splitlines()) == 1


# -- what a power cut leaves ----------------------------------------------------------------------------------------


def test_every_picture_is_on_the_disk_before_clip_json(
    workspace: Workspace, videos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def note(fd: int) -> None:
        synced.append(Path(f"/proc/self/fd/{fd}").readlink().name)
        real(fd)

    monkeypatch.setattr(os, "fsync", note)
    extract_videos(workspace, videos, [clip("men", 1, 3, 6)], jobs=1)
    manifest = next(i for i, name in enumerate(synced) if name.startswith(".clip.json"))
    pictures = [frame_name(n) for n in range(3, 7)]
    first = synced.index(pictures[0])
    assert synced[first : first + 4] == pictures
    assert synced[first + 4].endswith(".part")  # the folder with their names
    assert first + 4 < manifest


def empty(folder: Path) -> str:
    (folder / "00004.jpg").write_bytes(b"")
    return "picture 00004.jpg has 0 of "


def cut_short(folder: Path) -> str:
    content = (folder / "00005.jpg").read_bytes()
    (folder / "00005.jpg").write_bytes(content[:-1])
    return f"picture 00005.jpg has {len(content) - 1:,} of {len(content):,} bytes"


def lost(folder: Path) -> str:
    (folder / "00004.jpg").unlink()
    return "picture 00004.jpg is missing"


def empty_manifest(folder: Path) -> str:
    (folder / "clip.json").write_bytes(b"")
    return "not a frame manifest"


@pytest.mark.parametrize("tear", [empty, cut_short, lost, empty_manifest])
def test_the_same_command_makes_a_torn_clip_again_and_says_so(
    workspace: Workspace, videos: Path, tear: Callable[[Path], str]
) -> None:
    clips = [clip("men", 1, 3, 6), clip("men", 2, 10, 12)]
    extract_videos(workspace, videos, clips)
    whole = open_frames(workspace, clips[0].key)
    said = tear(workspace.frame_folder(clips[0].key))
    again = extract_videos(workspace, videos, clips)
    assert (again.made, again.kept) == ([clips[0].key], [clips[1].key])
    assert again.warnings[0].startswith("men/1: was not whole any more (")
    assert said in again.warnings[0]
    assert again.warnings[0].endswith("; extracted again")
    assert open_frames(workspace, clips[0].key) == whole
    assert shown(workspace, clips[0].key) == [3, 4, 5, 6]
    assert extract_videos(workspace, videos, clips).warnings == []

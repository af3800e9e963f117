"""A packed file as a sequence of clips."""

from __future__ import annotations

import multiprocessing
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finediving_pose.clip import ClipKey
from finediving_pose.errors import PackedError
from finediving_pose.frames import open_frames
from finediving_pose.labels.table import read_clips, to_pandas
from finediving_pose.packed.reader import PackedFile, open_packed
from finediving_pose.packed.writer import write_packed
from finediving_pose.poses import read_poses, write_poses
from finediving_pose.workspace import Workspace
from tests.finediving_pose.packed.made_up import fill, random_poses


def test_a_clip_is_found_by_row_and_by_key(packed_path: Path) -> None:
    with open_packed(packed_path) as packed:
        assert packed[2] == packed[-2] == packed["women/0"] == packed[ClipKey("women", 0)]
        assert [str(c.key) for c in packed] == ["men/1", "men/2", "women/0", "women/7"]
        with pytest.raises(PackedError, match="no clip women/1 among its 4"):
            packed["women/1"]
        with pytest.raises(IndexError):
            packed[4]


def test_a_slice_is_a_list_of_clips(packed_path: Path) -> None:
    with open_packed(packed_path) as packed:
        assert packed[1:3] == [packed[1], packed[2]]
        assert packed[::-2] == [packed[3], packed[1]]
        assert packed[2:100] == [packed[2], packed[3]]
        assert packed[5:] == []


def test_a_key_is_in_the_file_or_not(packed_path: Path) -> None:
    with open_packed(packed_path) as packed:
        assert "women/7" in packed and ClipKey("women", 7) in packed
        assert "women/8" not in packed and ClipKey("women", 8) not in packed
        assert "women" not in packed and "" not in packed and 0 not in packed


def test_everything_is_shown_in_one_short_line(packed_path: Path, source: Workspace) -> None:
    with open_packed(packed_path) as packed:
        clip = packed["men/2"]
        assert repr(packed) == f"PackedFile({str(packed_path)!r})"
        assert repr(packed[:2]) == "[PackedClip('men/1', 8 frames), PackedClip('men/2', 9 frames)]"
        assert repr(packed.clips) == f"Clips(4 clips of {str(packed_path)!r})"
        assert repr(clip.frames) == "Frames('men/2', 9 frames)"
        assert repr(clip.frames.at(24)) == "Frames('men/2', 9 frames, 24 high)"
        assert repr(clip.poses) == "PackedPoses(9 frames, 2 persons, 16 joints)"
    assert repr(open_frames(source, clip.key)) == "FrameFolder('men/2', 9 frames of 64 x 48)"
    poses = read_poses(source.pose_file("merged", clip.key))
    assert repr(poses) == "ClipPoses(3 rows, 2 frames, by someone)"


def test_the_clips_are_a_data_frame(packed_path: Path, source: Workspace) -> None:
    """Of the same rows and columns as that of the data directory; packing adds what the frames know."""
    with open_packed(packed_path) as packed:
        table = packed.to_pandas()
    before = to_pandas(read_clips(source))
    assert list(table.columns) == list(before.columns)
    facts = ["n_frames", "fps", "image_width", "image_height"]
    assert table.drop(columns=facts).equals(before.drop(columns=facts))
    assert table[facts].iloc[1].tolist() == [9, 25.0, 64, 48]
    assert table[table["split"] == "train"]["dive_score"].tolist() == [60.5, 62.5]


# -- the file is replaced while it is read --------------------------------------------------------------------------


def _what_a_fork_reads(packed: PackedFile, send) -> None:
    try:
        send.send((packed.digest, packed.jpegs(1), packed.poses(1).keypoints))
    except PackedError as e:
        send.send(str(e))


def read_in_a_fork(packed: PackedFile) -> Any:
    fork = multiprocessing.get_context("fork")
    receive, send = fork.Pipe(duplex=False)
    child = fork.Process(target=_what_a_fork_reads, args=(packed, send))
    child.start()
    found = receive.recv()
    child.join()
    return found


@pytest.fixture
def changing(tmp_path: Path) -> Workspace:
    """A data directory whose packed file may be replaced."""
    workspace = fill(Workspace(tmp_path / "data"))
    write_packed(workspace, cache=True)
    return workspace


def pack_again(workspace: Workspace) -> None:
    """Corrected poses, fewer clips."""
    write_poses(workspace.pose_file("merged", ClipKey("men", 2)), random_poses([10, 11], [0, 0], 9))
    write_packed(workspace, clips=read_clips(workspace)[1:], cache=True)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux's /proc")
def test_a_forked_process_reads_on_in_the_file_that_was_opened(changing: Workspace) -> None:
    with open_packed(changing.packed) as packed:
        before = packed.digest, packed.jpegs(1), packed.poses(1).keypoints
        pack_again(changing)
        assert open_packed(changing.packed).digest != before[0]
        digest, pictures, joints = read_in_a_fork(packed)
        assert (digest, pictures) == before[:2]
        np.testing.assert_array_equal(joints, before[2])
        changing.packed.unlink()
        assert read_in_a_fork(packed)[1] == before[1]


def test_another_file_in_its_place_is_not_read(changing: Workspace) -> None:
    packed = open_packed(changing.packed)
    copy = pickle.dumps(packed)
    old = packed.digest
    pack_again(changing)
    new = open_packed(changing.packed).digest
    packed.close()
    says = rf"was replaced while it was being read \(digest {old[:12]}, now {new[:12]}\); run the same command again"
    for reader in (packed, pickle.loads(copy)):
        with pytest.raises(PackedError, match=says):
            reader.jpegs(1)


def test_the_same_data_packed_again_is_read_on(changing: Workspace) -> None:
    packed = open_packed(changing.packed)
    pictures = packed.jpegs(1)
    copy = pickle.loads(pickle.dumps(packed))
    packed.close()
    write_packed(changing)
    assert packed.jpegs(1) == copy.jpegs(1) == pictures

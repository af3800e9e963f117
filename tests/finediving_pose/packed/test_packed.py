"""The packed file gives back what went in, to every process, whatever happens while it is written."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finediving_pose.cli import main
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import LabelError, PackedError
from finediving_pose.frames import open_frames
from finediving_pose.labels.table import read_clips
from finediving_pose.packed import schema
from finediving_pose.packed.card import card_path, croissant_path
from finediving_pose.packed.clip_content import sub_action_of_frames
from finediving_pose.packed.clips_table import Clips
from finediving_pose.packed.reader import PackedFile, open_packed
from finediving_pose.packed.verify import verify_packed
from finediving_pose.packed.writer import write_packed
from finediving_pose.poses import ClipPoses, read_poses, write_poses
from finediving_pose.workspace import Workspace
from tests.finediving_pose.packed.made_up import add_clip, random_poses
from tests.killing import count_moments, kill_at


@st.composite
def clips(draw: st.DrawFn) -> Clip:
    n_stages = draw(st.integers(0, 7))
    starts = sorted(draw(st.sets(st.integers(1, 11), min_size=max(n_stages - 1, 0), max_size=max(n_stages - 1, 0))))
    score = st.none() | st.floats(0, 200, width=64)
    return Clip(
        ClipKey(draw(st.sampled_from(["men", "Fédération_été", "01"])), draw(st.integers(0, 10**9))),
        split=draw(st.sampled_from(["train", "test", "none"])),
        action_type=draw(st.none() | st.sampled_from(["107b", "5253b"])),
        difficulty=draw(score),
        dive_score=draw(score),
        judge_scores=tuple(draw(st.lists(st.sampled_from([0.0, 7.5, 10.0]), max_size=11))),
        start_frame=draw(st.none() | st.just(30)),
        end_frame=draw(st.none() | st.just(41)),
        height_m=draw(st.sampled_from([None, 3.0, 10.0])),
        synchronised=draw(st.sampled_from([None, True, False])),
        stage_starts=tuple(starts),
        sub_actions=tuple(draw(st.lists(st.integers(0, 40), min_size=n_stages, max_size=n_stages))),
        source=draw(st.sampled_from(["finediving", "mtl_aqa", "synthetic", "unlabelled"])),
    )


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(clips(), min_size=1, max_size=3, unique_by=lambda c: c.key),
    st.lists(st.sampled_from([(), (0,), (1,), (0, 1)]), min_size=12, max_size=12),
    st.booleans(),
)
def test_packed_file_gives_back_what_went_in(
    tmp_path_factory: pytest.TempPathFactory, given_clips: list[Clip], present: list[tuple[int, ...]], cache: bool
) -> None:
    """Labels, poses and JPEG bytes are identical, for any number of stages, judges and persons."""
    workspace = Workspace(tmp_path_factory.mktemp("roundtrip"))
    numbers = list(range(30, 42))
    pictures = {c.key: add_clip(workspace, c, numbers) for c in given_clips}
    rows = [(n, person) for n, persons in zip(numbers, present, strict=True) for person in persons]
    poses = random_poses([n for n, _ in rows], [p for _, p in rows], seed=len(rows))
    for c in given_clips:
        write_poses(workspace.pose_file("auto", c.key), poses)
    write_packed(workspace, cache=cache)
    with open_packed(workspace.packed) as packed:
        assert len(packed) == len(given_clips)
        for c in given_clips:
            i = packed.index(c.key)
            stored = packed.clips[i]
            assert (stored.n_frames, stored.fps, stored.image_width, stored.image_height) == (12, 25.0, 64, 48)
            assert {f: getattr(stored, f) for f in LABELS} == {f: getattr(c, f) for f in LABELS}
            assert packed.jpegs(i) == pictures[c.key]
            assert packed.frame_numbers(i).tolist() == numbers
            assert packed.frame_labels(i).tolist() == stored.frame_labels()
            _assert_same_poses(packed, i, poses, numbers)


LABELS = [
    "key", "split", "action_type", "difficulty", "dive_score", "judge_scores", "start_frame", "end_frame",
    "height_m", "synchronised", "stage_starts", "sub_actions", "source",
]  # fmt: skip


def _assert_same_poses(packed: PackedFile, i: int, poses: ClipPoses, numbers: list[int]) -> None:
    got = packed.poses(i)
    for position, number in enumerate(numbers):
        for person in (0, 1):
            row = poses.row(number, person)
            for name, (_, shape, empty) in schema.POSE.items():
                expected = np.full(shape[1:], empty) if row is None else getattr(poses, name)[row]
                np.testing.assert_array_equal(getattr(got, name)[position, person], expected)


def test_frames_come_in_any_order_and_size(packed_path: Path, source: Workspace) -> None:
    with open_packed(packed_path) as packed:
        folder = open_frames(source, packed.clips[3].key)
        n = len(folder.numbers)
        all_frames = packed.frames(3)
        assert all_frames.shape == (n, 48, 64, 3)
        np.testing.assert_array_equal(all_frames[4], folder.read(folder.numbers[4]))
        np.testing.assert_array_equal(packed.frames(3, [5, 0, 5]), all_frames[[5, 0, 5]])
        assert packed.frames(3, height=24).shape == (n, 24, 32, 3)
        assert packed.frames(3, height=17).shape == (n, 17, 23, 3)
        assert packed.jpegs(3, []) == []
        with pytest.raises(IndexError):
            packed.jpegs(3, [n])
        with pytest.raises(IndexError):
            packed.poses(4)


def test_training_frames_are_the_same_pixels_with_and_without_cache(packed_path: Path, source: Workspace) -> None:
    plain = packed_path.with_name("plain.h5")
    write_packed(source, target=plain)
    with open_packed(packed_path) as cached, open_packed(plain) as decoded:
        assert decoded.cached(0) is None
        assert cached.training_frames(1).shape == (9, 112, 200, 3)
        np.testing.assert_array_equal(cached.training_frames(1, [7, 2]), decoded.training_frames(1, [7, 2]))
        np.testing.assert_array_equal(cached.training_frames(1), decoded.training_frames(1))
        assert cached.digest == decoded.digest


def test_merged_poses_win_over_automatic_ones(packed_path: Path, source: Workspace) -> None:
    with open_packed(packed_path) as packed:
        i = packed.index("men/2")
        merged = read_poses(source.pose_file("merged", ClipKey("men", 2)))
        _assert_same_poses(packed, i, merged, packed.frame_numbers(i).tolist())


def test_the_file_says_where_its_poses_come_from(source: Workspace, tmp_path: Path) -> None:
    summary = write_packed(source, target=tmp_path / "a.h5")
    assert summary["pose_rows_without_frame"] == 1
    with open_packed(tmp_path / "a.h5") as packed:
        provenance = packed.attrs["provenance"]
        assert provenance["clips_by_layer"] == {"auto": 2, "merged": 1}
        assert provenance["rows_by_annotator"] == {"someone": 3}
        assert provenance["joints_by_source"]["manual"] > 0
        assert packed.attrs["skeleton"]["joints"][9] == "head_top"
        assert (packed.attrs["n_clips"], packed.attrs["n_frames"]) == (4, 8 + 9 + 10 + 11)


def test_clips_without_frames_are_left_out_and_counted(source: Workspace, tmp_path: Path) -> None:
    extra = [*read_clips(source), Clip(ClipKey("men", 99))]
    summary = write_packed(source, target=tmp_path / "a.h5", clips=extra)
    assert (summary["clips"], summary["left_out"]) == (4, 1)
    with open_packed(tmp_path / "a.h5") as packed, pytest.raises(PackedError, match="no clip men/99 among its 4"):
        packed.index("men/99")


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (range(30, 36), [3, 3, 24, 24, 36, 36]),
        (range(32, 36), [24, 24, 36, 36]),
        ([30, 35], [3, 36]),
        (range(1, 5), [3, 3, 24, 24]),
    ],
)
def test_sub_actions_follow_frame_numbers(numbers: list[int], expected: list[int]) -> None:
    """A folder with gaps keeps its labels; one numbered from 1 counts from its first frame."""
    clip = Clip(ClipKey("a", 1), start_frame=30, end_frame=35, stage_starts=(2, 4), sub_actions=(3, 24, 36))
    assert sub_action_of_frames(clip, np.array(numbers)).tolist() == expected


@pytest.mark.slow
def test_the_real_labels_survive_packing(shared_data: Path) -> None:
    from finediving_pose.labels.read import read_labels

    clips = read_labels(shared_data / "finediving" / "Annotations")
    assert schema.decode_clips(schema.encode_clips(clips)) == clips


def test_the_documented_ten_lines_read_the_file(packed_path: Path, source: Workspace) -> None:
    """The example in docs/format.md runs as it is printed and reads what was packed."""
    page = (Path(__file__).parents[3] / "docs" / "format.md").read_text()
    code = page.split("```python\n")[1].split("```")[0]
    found: dict = {}
    exec(code.replace('"finediving_pose.h5"', repr(str(packed_path))), found)
    assert found["jpegs"] == [open_frames(source, ClipKey("men", 1)).jpeg(n) for n in range(8)]
    assert found["first"].size == (64, 48)
    assert found["keypoints"].shape == (8, 16, 2)
    assert found["stages"].tolist() == [3, 3, 24, 24, 24, 36, 36, 36]


# -- from any process -----------------------------------------------------------------------------------------------


def _read_part(packed: PackedFile, i: int) -> str:
    return hashlib.sha256(b"".join(packed.jpegs(i)) + packed.poses(i).keypoints.tobytes()).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("opened_before", [True, False])
def test_workers_read_the_same_bytes(packed_path: Path, method: str, opened_before: bool) -> None:
    packed = open_packed(packed_path)
    if not opened_before:
        packed = pickle.loads(pickle.dumps(packed))
    expected = [_read_part(open_packed(packed_path), i) for i in range(4)]
    with multiprocessing.get_context(method).Pool(2) as pool:
        got = pool.starmap(_read_part, [(packed, i) for i in range(4)] * 3)
    assert got == expected * 3
    assert _read_part(packed, 0) == expected[0]


def test_a_forked_child_opens_the_file_for_itself(packed_path: Path) -> None:
    """The open object is inherited, not pickled, as in a DataLoader under fork."""
    packed = open_packed(packed_path)
    expected = _read_part(packed, 2)
    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe(duplex=False)
    children = [context.Process(target=lambda: send.send(_read_part(packed, 2))) for _ in range(2)]
    for child in children:
        child.start()
    assert [receive.recv() for _ in children] == [expected] * 2
    for child in children:
        child.join()
    assert _read_part(packed, 2) == expected


def test_a_read_only_file_in_a_read_only_folder_can_be_read(packed_path: Path) -> None:
    packed_path.chmod(0o444)
    assert verify_packed(packed_path).damaged == {}


# -- while it is written --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_killed_pack_leaves_the_old_file_whole(source: Workspace, tmp_path: Path) -> None:
    """kill -9 anywhere in pack: the previous file still verifies, no part file is left after the next run."""
    target = tmp_path / "packed.h5"
    old = write_packed(source, target=target, clips=read_clips(source)[:2])["digest"]

    def work() -> None:
        write_packed(source, target=target)

    total = count_moments(work)
    new = open_packed(target).digest
    write_packed(source, target=target, clips=read_clips(source)[:2])
    for step in range(20):
        kill_at(work, total * (2 * step + 1) // 40)
        found = verify_packed(target)
        assert found.damaged == {}
        assert found.digest in (old, new)
        if croissant_path(target).exists():
            described = json.loads(croissant_path(target).read_text())["distribution"][0]
            assert described["sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    work()
    assert open_packed(target).digest == new
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        p.name for p in (target, card_path(target), croissant_path(target))
    )


def test_pictures_changed_since_extraction_are_refused(source: Workspace, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "data")
    shutil.copytree(source.root, workspace.root)
    write_packed(workspace)
    before = workspace.packed.read_bytes()
    folder = open_frames(workspace, ClipKey("men", 2))
    folder.path(12).write_bytes(folder.jpeg(11))
    with pytest.raises(PackedError, match=r"men/2: pictures in .* changed .* fdpose extract --clip men/2 --force"):
        write_packed(workspace)
    folder.path(12).unlink()
    with pytest.raises(PackedError, match=r"men/2: .*00012\.jpg is missing"):
        write_packed(workspace)
    assert workspace.packed.read_bytes() == before
    assert sorted(p.name for p in workspace.root.iterdir()) == [
        "clips.parquet",
        "finediving_pose.h5",
        "finediving_pose.h5.card.md",
        "finediving_pose.h5.croissant.json",
        "frames",
        "poses",
    ]


def test_no_frames_is_an_error_with_the_next_step(workspace: Workspace) -> None:
    with pytest.raises(LabelError, match="no clips table"):
        write_packed(workspace)
    with pytest.raises(PackedError, match="none of 1 clips has complete frames; run: fdpose extract"):
        write_packed(workspace, clips=[Clip(ClipKey("a", 1))])


# -- the commands ---------------------------------------------------------------------------------------------------


def test_pack_verify_and_info_agree(source: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    words = ["--data", str(source.root), "--json"]
    packed = json.loads(CliRunner().invoke(main, ["pack", "--out", str(out), "--split", "train", *words]).stdout)
    verified = json.loads(CliRunner().invoke(main, ["verify", str(out), *words]).stdout)
    shown = json.loads(CliRunner().invoke(main, ["info", str(out), *words]).stdout)
    assert packed["digest"] == verified["digest"] == shown["digest"]
    assert (packed["clips"], verified["clips"], shown["clips"]) == (2, 2, 2)
    assert shown["splits"] == {"train": 2}
    here = json.loads(CliRunner().invoke(main, ["info", *words]).stdout)
    assert (here["clips"], here["clips_with_frames"], here["clips_with_poses"]) == (4, 4, {"auto": 3, "merged": 1})
    assert here["frames_with_a_diver"] > 0 and here["frames_without_a_diver"] == 0
    assert 0 < shown["frames_with_a_diver"] <= shown["frames"]
    table = CliRunner().invoke(main, ["info", str(out)])
    assert packed["digest"] in table.stdout


def test_labels_are_decoded_when_they_are_asked_for_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking one of 3 000 clips up decodes one row."""
    clips = [Clip(ClipKey(f"Event{i // 30}", i % 30), "train", "107b", 3.0, 72.0) for i in range(3_000)]
    decoded: list[int] = []
    decode = schema.decode_clips
    monkeypatch.setattr(schema, "decode_clips", lambda c: decoded.append(len(c["index"])) or decode(c))
    lazy = Clips(Path("x.h5"), schema.encode_clips(clips))
    row = lazy.rows()["Event99", 29]
    assert decoded == []
    assert lazy[row] == lazy[-1] == clips[-1]
    assert decoded == [1]
    assert lazy[3:5] == clips[3:5]
    assert list(lazy) == clips
    assert list(lazy) == clips
    assert decoded == [1, 1, 1, 3_000]

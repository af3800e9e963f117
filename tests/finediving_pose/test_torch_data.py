"""Clips as torch items, in this process and in many."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.errors import PackedError, UsageError
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, write_manifest
from finediving_pose.labels.table import write_clips
from finediving_pose.packed.views import View, mirror_joints
from finediving_pose.packed.writer import write_packed
from finediving_pose.poses import ClipPoses, JointSource, Visibility, write_poses
from finediving_pose.skeleton import FLIP
from finediving_pose.torch_data import ClipDataset, normalise, to_crop
from finediving_pose.workspace import Workspace
from tests.media import jpeg, painted_number

pytestmark = pytest.mark.slow

N = 20
POINTS = np.stack([np.linspace(60, 260, 16), np.linspace(20, 170, 16)], axis=-1)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four clips of 20 numbered frames, 320 x 192, one joint absent; two to train, two to test."""
    workspace = Workspace(tmp_path_factory.mktemp("torch"))
    clips = []
    for c in range(4):
        key = ClipKey("Cup_Men10m", c)
        folder = workspace.frame_folder(key)
        folder.mkdir(parents=True)
        pictures = [jpeg(i + 20 * c) for i in range(N)]
        for i, picture in enumerate(pictures):
            (folder / frame_name(i)).write_bytes(picture)
        names = tuple(map(frame_name, range(N)))
        write_manifest(FrameFolder(key, folder, tuple(range(N)), 320, 192, "v", names, 25.0, digest_jpegs(pictures)))
        keypoints = np.tile(POINTS, (N, 1, 1))
        keypoints[:, 3] = np.nan
        present = np.isfinite(keypoints).all(-1)
        poses = ClipPoses(
            np.arange(N), np.zeros(N), np.tile([50, 10, 270, 180], (N, 1)), keypoints,
            np.where(present, Visibility.VISIBLE, Visibility.ABSENT), np.asarray(present * 1.0),
            np.where(present, JointSource.AUTOMATIC, JointSource.NONE), ["a"] * N, [""] * N,
        )  # fmt: skip
        write_poses(workspace.pose_file("auto", key), poses)
        split = "train" if c < 2 else "test"
        clips.append(Clip(key, split, "107b", 3.0, 60.0 + c, n_frames=N, stage_starts=(5, 12), sub_actions=(1, 17, 36)))
    write_clips(workspace.clips_table, clips)
    write_packed(workspace, cache=True)
    return workspace.packed


def test_an_item_is_a_clip(packed: Path) -> None:
    data = ClipDataset(packed, split="test", frames=10)
    assert len(data) == 2
    item = data[1]
    assert {k: (tuple(v.shape), v.dtype) for k, v in item.items() if k != "clip"} == {
        "video": ((3, 10, 112, 112), torch.float32),
        "keypoints": ((10, 2, 16, 2), torch.float32),
        "visibility": ((10, 2, 16), torch.uint8),
        "sub_action": ((10,), torch.int64),
        "score": ((), torch.float32),
        "difficulty": ((), torch.float32),
    }
    assert (item["clip"], float(item["score"]), float(item["difficulty"])) == (3, 63.0, 3.0)
    assert item["sub_action"].tolist() == [1, 1, 1, 17, 17, 17, 36, 36, 36, 36]
    assert torch.isnan(item["keypoints"][:, 0, 3]).all()
    assert torch.isnan(item["keypoints"][:, 1]).all(), "there is no second diver"


def test_frames_are_spread_over_the_clip(packed: Path) -> None:
    """The painted number, read from the whole width: the crop of 112 has its middle bits alone."""
    data = ClipDataset(packed, split="train", frames=5, normalise=False)
    whole = data.packed.cached(1, np.linspace(0, N - 1, 5).astype(int))
    assert whole is not None
    assert [painted_number(f) for f in whole] == [20, 24, 29, 34, 39]
    assert np.array_equal(data[1]["video"].numpy(), whole[:, :, 44:156])


def test_bytes_normalised_on_the_device_are_what_the_floats_are(packed: Path) -> None:
    floats, raw = (ClipDataset(packed, frames=4, normalise=n)[0]["video"] for n in (True, False))
    assert raw.dtype == torch.uint8
    assert torch.allclose(normalise(raw), floats, atol=1e-5)
    batch = normalise(torch.stack([raw, raw]))
    assert batch.shape == (2, 3, 4, 112, 112)


def test_joints_follow_the_crop_and_the_mirror(packed: Path) -> None:
    """A joint at the centre of a pixel of the frame is there in the crop, too."""
    view = View(30, 5, 96)
    inside = to_crop(
        np.array([[(30 + 48 + 0.5) * 320 / 200 - 0.5, (5 + 48 + 0.5) * 192 / 112 - 0.5]]), (320, 192), view
    )
    assert inside == pytest.approx(np.array([[48.0, 48.0]]), abs=1e-4)
    points = to_crop(POINTS, (320, 192), view)
    turned = mirror_joints(points, 96)
    assert np.allclose(turned[:, 0], 95 - points[list(FLIP), 0])
    assert np.allclose(mirror_joints(turned, 96), points)


def test_augmentation_moves_pictures_and_joints_alike(packed: Path) -> None:
    """The bright block of the painted number and a joint put on it stay together."""
    torch.manual_seed(0)
    data = ClipDataset(packed, frames=2, crop=100, augment=True, normalise=False)
    seen = set()
    for _ in range(12):
        item = data[1]
        x, y = item["keypoints"][0, 0, 0].tolist()
        seen.add((round(x), round(y)))
    assert len(seen) > 8, "another crop or mirror each time"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_many_workers_read_the_same_file(packed: Path, method: str) -> None:
    data = ClipDataset(packed, frames=6)
    alone = [data[i]["video"] for i in range(len(data))]  # opens the file before the workers start
    loader = DataLoader(data, batch_size=1, num_workers=2, multiprocessing_context=method)
    together = [batch["video"][0] for batch in loader]
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))


def test_a_dataset_can_be_pickled(packed: Path) -> None:
    data = ClipDataset(packed, split="train", frames=6)
    again = pickle.loads(pickle.dumps(data))
    assert torch.equal(data[0]["video"], again[0]["video"])


def test_workers_do_not_all_crop_at_the_same_place(packed: Path) -> None:
    loader = DataLoader(ClipDataset(packed, frames=2, crop=64, augment=True), batch_size=1, num_workers=2)
    places = {tuple(b["keypoints"][0, 0, 0, 0].tolist()) for _ in range(3) for b in loader}
    assert len(places) > 6


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"split": "none"}, PackedError, "none of its 4 clips is in the split 'none'"),
        ({"crop": 113}, UsageError, "crop 113: the pictures are 200 x 112; take up to 112"),
    ],
)
def test_what_can_not_be_is_refused(packed: Path, options: dict, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        ClipDataset(packed, **options)

"""Pictures as a model reads them: from the cache, and from JPEG nearly the same."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import simplejpeg

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, write_manifest
from finediving_pose.labels.table import write_clips
from finediving_pose.packed.reader import PackedFile, open_packed
from finediving_pose.packed.snippets import DEVIATION, MEAN, Crop, mirrored, normalised, snippet
from finediving_pose.packed.writer import write_packed
from finediving_pose.workspace import Workspace

N = 9
GREY_LEVELS = 3.0
"""How far a picture decoded at half size may be from the cache's on average."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PackedFile]:
    """One soft moving picture, packed with and without cache."""
    workspace = Workspace(tmp_path_factory.mktemp("snippets"))
    key = ClipKey("Cup_Men10m", 3)
    folder = workspace.frame_folder(key)
    folder.mkdir(parents=True)
    scene = cv2.resize(np.random.default_rng(0).integers(0, 255, (12, 24, 3), np.uint8), (520, 256))
    jpegs = [
        simplejpeg.encode_jpeg(np.ascontiguousarray(scene[:, 5 * i : 5 * i + 455]), colorsubsampling="420")
        for i in range(N)
    ]
    for i, jpeg in enumerate(jpegs):
        (folder / frame_name(i)).write_bytes(jpeg)
    names = tuple(map(frame_name, range(N)))
    write_manifest(FrameFolder(key, folder, tuple(range(N)), 455, 256, "made", names, 25.0, digest_jpegs(jpegs)))
    write_clips(workspace.clips_table, [Clip(key, "train", "107b", 3.0, 72.0)])
    write_packed(workspace, target=workspace.root / "plain.h5")
    write_packed(workspace, target=workspace.root / "cached.h5", cache=True)
    return {name: open_packed(workspace.root / f"{name}.h5") for name in ("plain", "cached")}


POSITIONS = np.array([0, 7, 3, 3])


@pytest.mark.parametrize("crop", [Crop.centre(112), Crop(0, 0, 112), Crop(88, 0, 112), Crop(40, 30, 64)])
def test_a_snippet_is_the_crop_of_the_cached_frames(files: dict[str, PackedFile], crop: Crop) -> None:
    whole = files["cached"].cached(0)
    assert whole is not None
    part = whole[POSITIONS, crop.y : crop.y + crop.side, crop.x : crop.x + crop.side]
    assert np.array_equal(snippet(files["cached"], 0, POSITIONS, crop), part)
    from_jpeg = snippet(files["plain"], 0, POSITIONS, crop).astype(int)
    assert from_jpeg.shape == part.shape
    assert np.abs(from_jpeg - part).mean() < GREY_LEVELS
    shifted = np.roll(part, 2, axis=2).astype(int)
    assert np.abs(from_jpeg - part).mean() < 0.5 * np.abs(from_jpeg - shifted).mean(), "not a pixel off"


def test_real_frames_differ_by_as_little(shared_data: Path, tmp_path: Path) -> None:
    jpegs = [p.read_bytes() for p in sorted((shared_data / "finediving_pose_examples" / "images").glob("*.jpg"))[:5]]
    exact = [cv2.resize(simplejpeg.decode_jpeg(j), (200, 112), interpolation=cv2.INTER_AREA) for j in jpegs]

    class OneClip(PackedFile):
        def jpegs(self, *_: object) -> list[bytes]:
            return jpegs

        def cached_block(self, *_: object) -> None:
            return None

    fast = snippet(OneClip(tmp_path / "x.h5"), 0, np.arange(5), Crop(44, 0, 112))
    assert np.abs(fast.astype(int) - np.stack(exact)[:, :, 44:156]).mean() < GREY_LEVELS


def test_normalised_pictures_are_what_the_formula_gives() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 8, 10, 3), np.uint8)
    expected = ((pictures / 255 - MEAN) / DEVIATION).transpose(3, 0, 1, 2)
    assert normalised(pictures).dtype == np.float32
    assert np.allclose(normalised(pictures), expected, atol=1e-6)


def test_mirrored_twice_is_as_before() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 8, 10, 3), np.uint8)
    assert np.array_equal(mirrored(pictures), pictures[:, :, ::-1])
    assert np.array_equal(mirrored(mirrored(pictures)), pictures)


@pytest.mark.parametrize("corner", [(-1, 0), (89, 0), (0, 1)])
def test_a_crop_outside_the_picture_can_not_be_made(corner: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="is not inside 200 x 112"):
        Crop(*corner, 112)

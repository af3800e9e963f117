"""Pictures as a model reads them: from the cache, and from JPEG nearly the same."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import simplejpeg

from finediving_pose.packed.reader import PackedFile
from finediving_pose.packed.snippets import DEVIATION, MEAN, mirrored, normalised, snippet
from finediving_pose.packed.views import View
from tests.finediving_pose.packed.made_up import moving_picture

GREY_LEVELS = 3.0
"""How far a picture decoded at half size may be from the cache's on average."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PackedFile]:
    return moving_picture(tmp_path_factory.mktemp("snippets"))


POSITIONS = np.array([0, 7, 3, 3])


@pytest.mark.parametrize("view", [View.centre(112), View(0, 0, 112), View(88, 0, 112), View(40, 30, 64)])
def test_a_snippet_is_the_crop_of_the_cached_frames(files: dict[str, PackedFile], view: View) -> None:
    whole = files["cached"].cached(0)
    assert whole is not None
    part = whole[POSITIONS, view.y : view.y + view.side, view.x : view.x + view.side]
    assert np.array_equal(snippet(files["cached"], 0, POSITIONS, view), part)
    from_jpeg = snippet(files["plain"], 0, POSITIONS, view).astype(int)
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

    fast = snippet(OneClip(tmp_path / "x.h5"), 0, np.arange(5), View(44, 0, 112))
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
def test_a_view_outside_the_picture_can_not_be_read(files: dict[str, PackedFile], corner: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="is not inside 200 x 112"):
        snippet(files["cached"], 0, POSITIONS, View(*corner, 112))

"""Damage to a packed file is found and named; other files are not taken for one."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from finediving_pose.cli import main
from finediving_pose.errors import PackedError
from finediving_pose.packed.reader import open_packed
from finediving_pose.packed.verify import verify_packed

PARTS = {
    "frames/jpeg": "women/0", "frames/number": "men/1", "labels/sub_action": "men/2", "pose/keypoints": "women/7",
    "pose/visibility": "men/1", "pose/confidence": "men/2", "pose/source": "women/0", "pose/box": "women/7",
    "clips/dive_score": "men/2", "clips/split": "women/7", "digest/clip": "men/1",
    "cache/rgb_112x200": "women/0", "digest/cache": "men/2",
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_one_changed_byte_is_found_and_its_clip_named(packed_path: Path, name: str) -> None:
    with open_packed(packed_path) as packed:
        i = packed.index(PARTS[name])
        first, row = packed.dataset("clips/frame_offset")[i], i
        at = {"frames": first, "pose": first, "labels": first, "cache": first, "clips": row, "digest": row}[
            name.partition("/")[0]
        ]
        if name == "frames/jpeg":
            at = packed.dataset("frames/jpeg_offset")[first] + 100
    with h5py.File(packed_path, "r+") as file:
        dataset = file[name]
        assert isinstance(dataset, h5py.Dataset)
        width = dataset.dtype.itemsize * int(np.prod(dataset.shape[1:]))
        offset = dataset.id.get_offset() + int(at) * width
    content = bytearray(packed_path.read_bytes())
    content[offset] ^= 1
    packed_path.write_bytes(content)
    assert list(verify_packed(packed_path).damaged) == [PARTS[name]]
    run = CliRunner().invoke(main, ["verify", str(packed_path)])
    assert run.exit_code == 1
    assert f"{PARTS[name]}: " in run.stderr


def test_moved_offsets_are_found(packed_path: Path) -> None:
    """The two clips on either side of the offset are named, and so are the offsets; the others are whole."""
    with h5py.File(packed_path, "r+") as file:
        offsets = file["clips/frame_offset"]
        assert isinstance(offsets, h5py.Dataset)
        offsets[1] = offsets[2] + 1
    found = verify_packed(packed_path)
    assert list(found.damaged) == ["men/1", "men/2"]
    assert "clips/frame_offset" in found.parts


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.99])
def test_a_file_cut_short_is_told_in_one_line(packed_path: Path, share: float) -> None:
    content = packed_path.read_bytes()
    packed_path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(PackedError, match=r"packed\.h5: (cut short|not an HDF5 file) \([\d,]+ bytes\)") as caught:
        open_packed(packed_path)
    assert "\n" not in str(caught.value)


def test_other_files_are_not_taken_for_packed_ones(packed_path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["x"] = 1
    with pytest.raises(PackedError, match="not one that fdpose packed"):
        open_packed(other)
    with pytest.raises(PackedError, match="no such file"):
        open_packed(tmp_path / "nothing.h5")
    with h5py.File(packed_path, "r+") as file:
        del file["pose/box"]
    with pytest.raises(PackedError, match="lacks pose/box"):
        open_packed(packed_path)


def test_a_newer_format_is_refused_with_a_sentence_and_a_newer_minor_one_read(packed_path: Path) -> None:
    with h5py.File(packed_path, "r+") as file:
        file.attrs["version"] = "1.9"
    assert len(open_packed(packed_path)) == 4
    with h5py.File(packed_path, "r+") as file:
        file.attrs["version"] = "2.0"
    with pytest.raises(PackedError, match=r"format 2\.0 is newer than this fdpose can read \(up to 1\.x\)"):
        open_packed(packed_path)

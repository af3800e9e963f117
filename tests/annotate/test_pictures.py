"""Pictures at hand: no more than the limit, in any number of looks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import simplejpeg

from annotate.pictures import Pictures
from finediving_pose.errors import FrameError
from finediving_pose.frames import FrameFolder, open_frames
from finediving_pose.workspace import Workspace
from tests.annotate.made_up import KEY


def test_a_long_clip_is_decoded_twice_and_a_short_one_once(grey: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = open_frames(grey, KEY)
    decoded: list[int] = []
    plain = FrameFolder.read
    monkeypatch.setattr(FrameFolder, "read", lambda self, n: decoded.append(n) or plain(self, n))
    pictures = Pictures([folder], kept_bytes=2 * 64 * 112 * 3)
    for _ in range(2):
        for i in range(3):
            assert pictures.read(0, i).shape == (64, 112, 3)
    assert sorted(decoded) == [0, 1, 2, 2] and not pictures.failed


def test_a_picture_of_another_size_fails_its_clip_only(grey: Workspace) -> None:
    folder = open_frames(grey, KEY)
    small = simplejpeg.encode_jpeg(np.zeros((32, 56, 3), np.uint8), colorspace="RGB")
    folder.path(1).write_bytes(small)
    pictures = Pictures([folder, replace(folder, numbers=(0, 2))])
    assert not pictures.read(0, 1).any() and pictures.read(1, 0).any()
    assert list(pictures.failed) == [0]
    error = pictures.failed[0]
    assert isinstance(error, FrameError)
    assert str(error).startswith("meet/0: frame 00001.jpg is 56 x 32, the clip's frames are 112 x 64; extract it again")

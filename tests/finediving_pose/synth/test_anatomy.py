from __future__ import annotations

import numpy as np
import pytest

from finediving_pose.skeleton import N_JOINTS
from finediving_pose.synth.anatomy import LIMBS, SIDES, Skin, tubes
from finediving_pose.synth.body import PIKE, STAND, STRAIGHT, SWAN, TUCK, Build, Pose, body_points
from finediving_pose.synth.figure import Figure
from finediving_pose.synth.look import random_look

POSES = {"stand": STAND, "straight": STRAIGHT, "pike": PIKE, "tuck": TUCK, "swan": SWAN}


@pytest.mark.parametrize("pose", POSES.values(), ids=POSES.keys())
def test_every_face_looks_outwards(pose: Pose) -> None:
    parts = tubes(True, True)
    skin = Skin.of(Build(), parts)
    corners = skin.corners(body_points(np.array([pose]), Build()))[0]
    assert np.isfinite(corners).all()
    a, b = corners[skin.strips[:, 0]], corners[skin.strips[:, 1]]
    c, d = np.roll(b, -1, 1), np.roll(a, -1, 1)
    normals = np.cross(c - a, b - d) * skin.turned[:, None, None]
    middle = (a + b + c + d) / 4
    outwards = middle - middle.mean(1, keepdims=True)
    # Faces that close a part look along it; around a part every face looks away from its middle.
    flat = (normals * outwards).sum(-1) / np.linalg.norm(normals, axis=-1) / np.linalg.norm(outwards, axis=-1)
    signs = np.sign(flat[np.abs(flat).min(1) > 0.3])
    assert len(signs) > 40 and (signs == signs[0, 0]).all()


def test_a_standing_body_is_as_wide_and_deep_as_people_are() -> None:
    skin = Skin.of(Build(), tubes(False, False))
    corners = skin.corners(body_points(np.array([STAND]), Build()))[0].reshape(-1, 3)
    depth, width, height = np.ptp(corners, axis=0) / Build().stature
    assert 0.97 < height < 1.04 and 0.25 < width < 0.42 and 0.12 < depth < 0.22


def test_all_joints_but_the_head_s_ends_lie_in_the_skin() -> None:
    points = body_points(np.array([STAND]), Build())
    corners = Skin.of(Build(), tubes(False, False)).corners(points)[0].reshape(-1, 3)
    low, high = corners.min(0), corners.max(0)
    assert ((points[0, :N_JOINTS] >= low - 0.02) & (points[0, :N_JOINTS] <= high + 0.02)).all()


@pytest.mark.parametrize("woman", [False, True])
def test_front_and_back_of_head_and_trunk_have_other_colours(woman: bool) -> None:
    figures = [Figure.of(Build(), random_look(np.random.default_rng(k), woman)) for k in range(20)]
    apart = []
    for figure in figures:
        colours = figure.colours.reshape(-1, SIDES, 3)
        limb = figure.limb.reshape(-1, SIDES)[:, 0]
        front, back = SIDES // 4, 3 * SIDES // 4
        for name in ("head", "trunk"):
            strips = colours[limb == LIMBS.index(name)]
            apart.append(np.abs(strips[:, front] - strips[:, back]).max(-1).mean())
    assert np.median(apart[::2]) > 40 and np.median(apart[1::2]) > 4


@pytest.mark.parametrize("woman", [False, True])
def test_left_and_right_are_painted_alike(woman: bool) -> None:
    figure = Figure.of(Build(), random_look(np.random.default_rng(1), woman))
    colours = figure.colours.reshape(-1, SIDES, 3)
    limb = figure.limb.reshape(-1, SIDES)[:, 0]
    mirror = (SIDES // 2 - np.arange(SIDES)) % SIDES
    right, left = (colours[limb == LIMBS.index(f"{side} leg")] for side in ("right", "left"))
    assert np.allclose(right[:, mirror], left)

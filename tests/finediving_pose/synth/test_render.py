from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from finediving_pose.skeleton import N_JOINTS
from finediving_pose.synth.camera import HEIGHT, WIDTH, random_view, to_pixels
from finediving_pose.synth.figure import draw_figure, place_figure
from finediving_pose.synth.filming import shoot
from finediving_pose.synth.judge import Panel
from finediving_pose.synth.occlusion import hidden_joints
from finediving_pose.synth.performance import LANES
from finediving_pose.synth.plan import DIVE_NUMBERS, deal
from finediving_pose.synth.render import Painter, Shot
from finediving_pose.synth.scenery import random_scenery
from finediving_pose.synth.splash import Splash

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=[10.0, 3.0], ids=["platform", "springboard"])
def shot(request: pytest.FixtureRequest) -> Shot:
    event = next(e for e in deal(16, 5, DIVE_NUMBERS) if e.height == request.param)
    rng = np.random.default_rng(event.seed)
    view = random_view(rng)
    return shoot(event, 1, random_scenery(rng, view, event.height), view, Panel((0.0,) * 7))[0]


def test_true_joints_are_inside_the_drawn_diver(shot: Shot) -> None:
    time = np.arange(shot.motion.n_frames) / 25
    placed = place_figure(shot.figure, shot.view, shot.motion.points(time), *shot.pan.at(time))
    checked = 0
    for p in placed:
        picture = draw_figure(shot.figure, p, shot.scene.light, -shot.view.away, (0, 0, WIDTH, HEIGHT))
        assert picture.shape == (HEIGHT, WIDTH, 4) and picture.dtype == np.uint8
        joints = np.round(p.places[:N_JOINTS]).astype(int)
        # The crown of the head and the nape lie on the outline.
        joints = np.delete(joints, [8, 9], 0)
        inside = ((joints >= 0) & (joints < [WIDTH, HEIGHT])).all(1)
        x, y = joints[inside].T
        assert (picture[y, x, 3] > 127).all()
        checked += inside.sum()
    assert checked > 500


def test_the_picture_differs_from_the_empty_pool_at_the_joints(shot: Shot) -> None:
    rng = np.random.default_rng(0)
    painter = Painter(shot.scene, shot.view, rng)
    painter.grain[:] = 0
    different = []
    for i, (picture, (truth,), _) in enumerate(painter.film(shot)):
        assert picture.shape == (HEIGHT, WIDTH, 3) and picture.dtype == np.uint8
        if truth is not None and i / 25 < shot.motion.take_off - 0.2:
            empty = painter.empty(shot.pan, i / 25)
            x, y = np.round(truth.joints[truth.visible]).astype(int).T
            different.append((np.abs(picture[y, x].astype(int) - empty[y, x]).max(1) > 8).mean())
    assert np.mean(different) > 0.85


def test_joints_under_water_are_not_visible_and_a_sunken_diver_has_no_truth(shot: Shot) -> None:
    truths = [truth for _, (truth,), _ in Painter(shot.scene, shot.view, np.random.default_rng(0)).film(shot)]
    touch = round(shot.motion.touch * 25)
    seen = [0 if t is None else int(t.visible.sum()) for t in truths]
    assert min(seen[: touch - 4]) >= 1 and np.mean(np.array(seen[:touch]) == N_JOINTS) > 0.85
    assert truths[-1] is None or seen[-1] < N_JOINTS
    for truth in filter(None, truths):
        x1, y1, x2, y2 = truth.box
        assert 0 <= x1 < x2 <= WIDTH - 1 and 0 <= y1 < y2 <= HEIGHT - 1
        inside = truth.joints[truth.visible]
        assert (inside >= [x1 - 1, y1 - 1]).all() and (inside <= [x2 + 1, y2 + 1]).all()


def test_of_two_divers_each_has_a_truth_and_the_near_one_covers_the_far_one() -> None:
    shot, painter = _of_two()
    assert shot.partner is not None and len(painter.lanes) == 2
    both = 0
    covered = 0
    for _, truths, _ in painter.film(shot):
        first, second = truths
        if first is not None and second is not None:
            both += 1
            assert np.linalg.norm(first.joints - second.joints, axis=1).max() > 2
            covered += int(first.hidden.sum()) - int(second.hidden.sum())
    assert both > 0.5 * shot.motion.n_frames
    near_is_second = shot.view.away[1] < 0
    assert covered != 0 and (covered > 0) == near_is_second


def test_joints_behind_other_limbs_are_told(shot: Shot) -> None:
    time = np.array([shot.motion.take_off - 0.3, (shot.motion.take_off + shot.motion.touch) / 2])
    standing, folded = place_figure(shot.figure, shot.view, shot.motion.points(time), *shot.pan.at(time))
    covered = hidden_joints(shot.figure, folded)
    assert 1 <= covered.sum() < 16
    # From the side the farther arm or leg of a pair is the covered one.
    for right, left in ((1, 4), (11, 14), (12, 13)):
        if covered[right] != covered[left]:
            near, far = (left, right) if covered[right] else (right, left)
            assert folded.depths[near] < folded.depths[far]
    assert hidden_joints(shot.figure, standing, ((shot.figure, standing),)).sum() >= 14


def test_what_lies_over_a_diver_hides_the_joints_under_it(shot: Shot) -> None:
    time = np.array([shot.motion.take_off - 0.3])
    placed = place_figure(shot.figure, shot.view, shot.motion.points(time), *shot.pan.at(time))[0]
    before = hidden_joints(shot.figure, placed)
    cover = np.zeros((HEIGHT, WIDTH), np.uint8)
    below = int(placed.places[[0, 5], 1].min()) - 4
    cover[below:] = 255
    after = hidden_joints(shot.figure, placed, cover=cover)
    inside = ((placed.places[:N_JOINTS] >= 0) & (placed.places[:N_JOINTS] < [WIDTH - 1, HEIGHT - 1])).all(1)
    under = inside & (placed.places[:N_JOINTS, 1] > below + 1)
    assert under[[0, 5]].all() and after[under].all()
    assert (after == before)[~under].all()


def test_a_platform_above_the_camera_hides_what_stands_behind_its_edge() -> None:
    rng = np.random.default_rng(0)
    low = replace(random_view(rng), height=2.0, distance=20.0)
    scene = random_scenery(rng, low, 10.0)
    centre, scale = low.panorama(np.array([[-1.0, 0.0, 10.0]])), np.array([80.0])
    assert scene.platform is not None
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    cover = scene.platform.draw(picture, low, centre, scale, 0.0)
    assert cover is not None and picture[cover == 255].any(1).mean() > 0.95
    far = np.sign(low.away[1])

    def covered(x: float, y: float, z: float) -> bool:
        column, row = np.round(to_pixels(low.panorama(np.array([[[x, y, z]]])), centre, scale)[0, 0]).astype(int)
        return cover[row, column] == 255

    assert covered(-1.0, 0.0, 10.05) and covered(-1.0, 0.8 * far, 10.2)
    assert not covered(-1.0, 0.0, 11.4)


def test_the_splash_hides_joints_at_the_entry(shot: Shot) -> None:
    painter = Painter(shot.scene, shot.view, np.random.default_rng(0))
    splash = Splash.random(
        shot.motion.touch, shot.motion.points(np.array([shot.motion.touch]))[0, 9, :2], 1.0, painter.rng
    )
    touch = round(shot.motion.touch * 25)
    frames = range(touch + 1, touch + 6)
    covered = []
    for size in (shot.splash, splash):
        truths = [t for _, (t,), _ in painter.film(replace(shot, splash=size), frames)]
        covered.append(sum(int((t.hidden & t.visible).sum()) for t in truths if t is not None))
    assert covered[1] >= covered[0]
    assert covered[1] > 0


def test_some_frames_are_the_same_as_all_of_them(shot: Shot) -> None:
    few = [t for _, (t,), _ in Painter(shot.scene, shot.view, np.random.default_rng(0)).film(shot, [3, 40])]
    every = [t for _, (t,), _ in Painter(shot.scene, shot.view, np.random.default_rng(0)).film(shot)]
    for a, b in zip(few, (every[3], every[40]), strict=True):
        assert a is not None and b is not None
        assert (a.joints == b.joints).all() and (a.hidden == b.hidden).all()


def test_a_splash_has_an_area_only_after_the_touch(shot: Shot) -> None:
    areas = [int(splash.sum()) for _, _, splash in Painter(shot.scene, shot.view, np.random.default_rng(0)).film(shot)]
    touch = round(shot.motion.touch * 25)
    assert max(areas[:touch]) == 0 and max(areas[touch:]) > 50


def _of_two() -> tuple[Shot, Painter]:
    event = next(e for e in deal(64, 5, ("305b",), pairs=True) if e.synchronised)
    rng = np.random.default_rng(event.seed)
    view = random_view(rng)
    scene = random_scenery(rng, view, event.height)
    shot = shoot(event, 1, scene, view, Panel((0.0,) * 7))[0]
    return shot, Painter(scene, view, rng, LANES[event.height])

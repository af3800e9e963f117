"""Pictures of a dive: the panorama through the moving camera, the diver with motion blur, the water, the splash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from finediving_pose.skeleton import N_JOINTS
from finediving_pose.synth.body import Point
from finediving_pose.synth.camera import HEIGHT, WIDTH, Pan, View, to_pixels
from finediving_pose.synth.dive import FPS, Motion
from finediving_pose.synth.figure import Figure, Placed, draw_figure, figure_box, place_figure
from finediving_pose.synth.graphics import random_sign
from finediving_pose.synth.occlusion import hidden_joints
from finediving_pose.synth.scenery import Scenery
from finediving_pose.synth.splash import Splash

SAMPLES = 25
"""Instants within one exposure, evenly spaced; the middle one is where the truth is told."""

STEP = 2.2
"""Pixels that anything of a diver moves between two instants that are drawn, where ``SAMPLES`` allow it."""

SPLASH_SHOWS = 20
"""Levels of 255 by which a splash has to change a pixel to be counted."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One dive before the camera of an event; ``partner`` dives with it where two are synchronised."""

    scene: Scenery
    view: View
    pan: Pan
    motion: Motion
    figure: Figure
    splash: Splash
    partner: Shot | None = None

    @property
    def divers(self) -> tuple[Shot, ...]:
        """This one and the partner."""
        return (self,) if self.partner is None else (self, self.partner)


@dataclass(frozen=True, slots=True)
class Seen:
    """One diver in one frame: body points (N_POINTS, 3), the figure at instants of the exposure, in their order."""

    shot: Shot
    points: NDArray[np.float64]
    instants: list[Placed]

    @property
    def exact(self) -> Placed:
        """The figure in the middle of the exposure."""
        return self.instants[len(self.instants) // 2]


@dataclass(frozen=True, slots=True)
class Truth:
    """What is truly in a frame of a diver.

    Attributes
    ----------
    joints : (16, 2) pixels
    visible : (16,) whether the joint is in the picture and above the water
    hidden : (16,) whether limbs, a nearer diver, the platform or the splash cover it
    box : (x1, y1, x2, y2) within the picture
    """

    joints: NDArray[np.float64]
    visible: NDArray[np.bool_]
    hidden: NDArray[np.bool_]
    box: NDArray[np.float64]


class Painter:
    """Draws frames of one event; holds the noise of its camera.

    ``step``: see :data:`STEP`; a larger one is faster, for pictures that are made smaller afterwards.
    """

    def __init__(
        self,
        scene: Scenery,
        view: View,
        rng: np.random.Generator,
        lanes: tuple[float, ...] = (0.0,),
        step: float = STEP,
    ) -> None:
        self.scene, self.view, self.step = scene, view, step
        self.lanes = sorted(lanes, key=lambda y: -view.away[1] * y)
        self.soft, self.crisp = float(rng.uniform(0.3, 0.6)), float(rng.uniform(-0.3, 0.9))
        grain = rng.normal(0, rng.uniform(0.3, 2.2), (HEIGHT + 64, WIDTH + 64, 1)).astype(np.int16)
        self.grain = np.repeat(grain, 3, 2)
        self.sign = random_sign(rng)
        self.rng = rng

    def empty(self, pan: Pan, time: float) -> NDArray[np.uint8]:
        """The pool without a diver, uint8 (H, W, 3) RGB."""
        picture = self._background(pan, time, [0.0] * len(self.lanes))
        return self._finished(picture)

    def film(
        self, shot: Shot, frames: Sequence[int] | None = None
    ) -> Iterator[tuple[NDArray[np.uint8], tuple[Truth | None, ...], NDArray[np.bool_]]]:
        """The frames of a dive, all or some, each with every diver's truth and where the splash is, bool (H, W).

        None instead of a truth where no joint of a diver is to be seen.
        """
        chosen = range(shot.motion.n_frames) if frames is None else frames
        tracks = [self._track(diver, chosen) for diver in shot.divers]
        for i, *divers in zip(chosen, *tracks, strict=True):
            yield self._frame(i / FPS, divers)

    def _track(self, shot: Shot, frames: Sequence[int]) -> Iterator[Seen]:
        """One diver, frame by frame."""
        n = len(frames)
        offsets = self.view.exposure / FPS * np.linspace(-0.5, 0.5, SAMPLES)
        time = (np.array(frames)[:, None] / FPS + offsets).ravel()
        points = shot.motion.points(time)
        centre, scale = shot.pan.at(time)
        places = to_pixels(self.view.panorama(points), centre, scale).reshape(n, SAMPLES, -1, 2)
        moved = np.linalg.norm(places[:, -1] - places[:, 0], axis=-1).max(1)
        chosen = [i * SAMPLES + _instants(m, self.step) for i, m in enumerate(moved.tolist())]
        needed = np.concatenate(chosen)
        placed = iter(place_figure(shot.figure, self.view, points[needed], centre[needed], scale[needed]))
        for i in range(n):
            yield Seen(shot, points[i * SAMPLES + SAMPLES // 2], [next(placed) for _ in chosen[i]])

    def _frame(self, time: float, divers: list[Seen]) -> tuple[np.ndarray, tuple[Truth | None, ...], np.ndarray]:
        """One frame: what is behind the divers, the divers, far ones first, and the splashes before them."""
        pan = divers[0].shot.pan
        centre, scale = pan.at(np.array([time]))
        picture = self._background(pan, time, [self._dip(divers, lane, time) for lane in self.lanes])
        waterlines = [self._waterline(d.points, centre, scale) for d in divers]
        covers: list[np.ndarray | None] = [None] * len(divers)
        for k in sorted(range(len(divers)), key=lambda k: -_depth(divers[k])):
            motion = divers[k].shot.motion
            self._diver(picture, divers[k], waterlines[k], time > motion.touch)
            if self.scene.platform:
                covers[k] = self.scene.platform.draw(picture, self.view, centre, scale, motion.lane)
        dry, splash = picture.copy(), np.zeros(picture.shape[:2], bool)
        foams = [d.shot.splash.draw(picture, time, self.view, pan, self.scene.foam) for d in divers]
        if any(foam is not None for foam in foams):
            red, green, blue = cv2.split(cv2.absdiff(picture, dry))
            splash = cv2.max(cv2.max(red, green), blue) > SPLASH_SHOWS
        covers = [_over(cover, *foams) for cover in covers]
        truths = tuple(_truth(d, _nearer(d, divers), w, c) for d, w, c in zip(divers, waterlines, covers, strict=True))
        return self._finished(picture), truths, splash

    def _dip(self, divers: list[Seen], lane: float, time: float) -> float:
        """How far the board under a diver is bent, metres."""
        diver = min(divers, key=lambda d: abs(d.shot.motion.lane - lane))
        if time >= diver.shot.motion.take_off:
            return 0.0
        return float(diver.points[[Point.RIGHT_TOE, Point.LEFT_TOE], 2].min() - 0.02 - self.scene.height)

    def _background(self, pan: Pan, time: float, dips: list[float]) -> np.ndarray:
        """The panorama and the springboards through the window of the camera, smeared along its movement."""
        (before, after), scales = pan.at(time + self.view.exposure / FPS * np.array([-0.5, 0.5]))
        centre, scale = (before + after) / 2, float(scales.mean())
        ratio = self.scene.scale / scale
        x = (centre[0] - self.scene.left) * self.scene.scale - ratio * (WIDTH - 1) / 2
        y = (self.scene.top - centre[1]) * self.scene.scale - ratio * (HEIGHT - 1) / 2
        window = np.array([[ratio, 0, x], [0, ratio, y]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        picture = cv2.warpAffine(
            self.scene.picture, window, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        for lane, dip in zip(self.lanes, dips, strict=True):
            self._plank(picture, pan, time, dip, lane)
        across, down = np.abs(after - before) * scale
        if max(across, down) > 0.7:
            picture = cv2.sepFilter2D(picture, -1, _smear(across), _smear(down))
        return picture

    def _plank(self, picture: np.ndarray, pan: Pan, time: float, dip: float, lane: float) -> None:
        """The springboard, bent by ``dip`` metres at its tip; platforms are part of the panorama."""
        if self.scene.height > 5:
            return
        dip = float(np.clip(dip, -0.6, 0.0))
        centre, scale = pan.at(np.array([time]))
        x = np.linspace(-4.9, 0.0, 12)
        bend = self.scene.height + dip * np.clip((x + 2.8) / 2.8, 0, 1) ** 2
        for half, rise, tone in ((0.25, -0.05, 0.7), (0.25, 0.0, 1.05)):
            edges = [np.stack([x, np.full_like(x, lane + y), bend + rise], -1) for y in (-half, half)]
            outline = np.concatenate([edges[0], edges[1][::-1]])
            near = (
                np.concatenate([edges[0] - [0, 0, 0.05], edges[0][::-1]])
                if self.view.away[1] > 0
                else np.concatenate([edges[1] - [0, 0, 0.05], edges[1][::-1]])
            )
            for shape, tint in ((outline, tone), (near, 0.8)):
                place = to_pixels(self.view.panorama(shape)[None], centre, scale)[0]
                colour = tuple(min(255.0, c * tint) for c in self.scene.plank)
                cv2.fillPoly(picture, [np.round(place * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)

    def _waterline(self, points: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> float:
        """Row of the picture where the diver's plane meets the water."""
        foot = points[6] * np.array([1, 1, 0])
        return float(to_pixels(self.view.panorama(foot[None])[None], centre, scale)[0, 0, 1])

    def _diver(self, picture: np.ndarray, diver: Seen, waterline: float, wet: bool) -> None:
        """The diver, averaged over the exposure; what is under water shows faintly."""
        boxes = np.array([figure_box(p) for p in diver.instants])
        left, top = np.maximum(np.floor(boxes[:, :2].min(0)).astype(int) - 2, 0)
        right, bottom = np.minimum(np.ceil(boxes[:, 2:].max(0)).astype(int) + 3, [WIDTH, HEIGHT])
        if right <= left or bottom <= top:
            return
        total = np.zeros((bottom - top, right - left, 4), np.float32)
        towards = self.view.place - diver.points[6]
        towards /= np.linalg.norm(towards)
        window = (int(left), int(top), int(right - left), int(bottom - top))
        for p in diver.instants:
            cv2.accumulate(draw_figure(diver.shot.figure, p, self.scene.light, towards, window), total)
        total *= 1 / len(diver.instants)
        if wet and waterline < bottom:
            depth = (np.arange(top, bottom) - waterline) / (diver.exact.scale * 0.7)
            total *= np.where(depth < 0, 1.0, np.clip(0.35 * (1 - depth), 0, 1)).astype(np.float32)[:, None, None]
        part = picture[top:bottom, left:right]
        part[:] = part * (1 - total[..., 3:] / 255) + total[..., :3]

    def _finished(self, picture: np.ndarray) -> np.ndarray:
        """Lens, broadcast, sensor: soft or with crisped edges, a sign in the corner, a little grain."""
        picture = cv2.GaussianBlur(picture, (0, 0), self.soft)
        if self.crisp > 0:
            picture = cv2.addWeighted(picture, 1 + self.crisp, cv2.GaussianBlur(picture, (5, 5), 1.1), -self.crisp, 0)
        if self.sign:
            self.sign.draw(picture)
        dy, dx = self.rng.integers(0, 64, 2)
        return cv2.add(picture, self.grain[dy : dy + HEIGHT, dx : dx + WIDTH], dtype=cv2.CV_8U)


def _instants(moved: float, step: float) -> np.ndarray:
    """Which instants of an exposure to draw when something moves by ``moved`` pixels: an odd number of them."""
    for count in (1, 3, 5, 7, 13, SAMPLES):
        if moved <= step * (count - 0.5) or count == SAMPLES:
            return np.linspace(0, SAMPLES - 1, count).round().astype(int) if count > 1 else np.array([SAMPLES // 2])
    raise AssertionError("unreachable")


def _smear(length: float) -> np.ndarray:
    """Box of ``length`` pixels (its ends fractional) that sums to one."""
    half = max(0, int(np.ceil((length - 1) / 2)))
    offsets = np.arange(-half, half + 1)
    weight = np.clip(max(length, 1.0) / 2 + 0.5 - np.abs(offsets), 0, 1)
    return weight / weight.sum()


def _over(*covers: np.ndarray | None) -> np.ndarray | None:
    """The most opaque of what lies over each pixel; None where there is nothing."""
    there = [cover for cover in covers if cover is not None]
    return np.maximum.reduce(there) if there else None


def _depth(diver: Seen) -> float:
    return float(diver.exact.depths.mean())


def _nearer(diver: Seen, divers: list[Seen]) -> tuple[tuple[Figure, Placed], ...]:
    """The figures of those who are drawn over a diver."""
    return tuple((d.shot.figure, d.exact) for d in divers if _depth(d) < _depth(diver))


def _truth(
    diver: Seen, before: tuple[tuple[Figure, Placed], ...], waterline: float, cover: np.ndarray | None
) -> Truth | None:
    placed, points = diver.exact, diver.points
    joints = placed.places[:N_JOINTS]
    inside = (joints >= 0).all(1) & (joints[:, 0] <= WIDTH - 1) & (joints[:, 1] <= HEIGHT - 1)
    visible = inside & (points[:N_JOINTS, 2] > 0)
    if not visible.any():
        return None
    box = figure_box(placed)
    if points[:, 2].min() < 0:
        box[3] = min(box[3], max(waterline, joints[visible, 1].max(), box[1] + 1))
    hidden = hidden_joints(diver.shot.figure, placed, before, cover)
    return Truth(joints, visible, hidden, np.clip(box, 0, [WIDTH - 1, HEIGHT - 1, WIDTH - 1, HEIGHT - 1]))

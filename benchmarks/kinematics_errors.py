"""Error bars of fdpose kinematics: machine poses of synthetic dives against what is truly there.

    python benchmarks/kinematics_errors.py --folder /tmp/kinematics-errors --write

Dives are performed, filmed, extracted and annotated with ``fdpose annotate --auto``, then measured and compared with
the true 3-D joints, moments and jumps. Four cases:

* ``one``: dive numbers of FineDiving once each, one diver, a camera that turns after the diver, labelled stages;
* ``two``: synchronised dives, filmed the same way; each partner is one measurement;
* ``unlabelled``: the dives of ``one`` without stages, so that the take-off is the one that the spin tells;
* ``still``: these before a camera that stands still, for heights. The machine's joints are moved to where such a
  camera, with as many pixels for the diver, would have seen them.

``--write`` puts the table into ``data_manifest/kinematics_errors.csv`` and ``docs/kinematics.md``. A folder that is
there is gone on with.

    python benchmarks/kinematics_errors.py --real DATA --reference manual/NAME

compares the angles of the automatic poses of a data directory with those of a layer that people placed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

import data_manifest
from finediving_pose.clip import Clip
from finediving_pose.kinematics import angles, flight, moments, posture, rotation
from finediving_pose.kinematics.diver import Diver, diver_of_poses
from finediving_pose.kinematics.error_bars import TABLE, Case
from finediving_pose.kinematics.measure import DiverMeasures, Facts, measure_divers
from finediving_pose.kinematics.quantities import DIVE_QUANTITIES, PAIR_QUANTITIES
from finediving_pose.kinematics.readings import Series
from finediving_pose.labels.table import read_clips
from finediving_pose.parallel import map_clips
from finediving_pose.persons import numbered_like
from finediving_pose.poses import read_poses
from finediving_pose.spreadsheet import write_csv
from finediving_pose.synth import judge
from finediving_pose.synth.body import centre_of_mass
from finediving_pose.synth.camera import HEIGHT, WIDTH, to_pixels
from finediving_pose.synth.dive import FPS
from finediving_pose.synth.filming import Take, film_event, is_finished, shoot
from finediving_pose.synth.joining import join
from finediving_pose.synth.plan import DIVE_NUMBERS, Event, Plan, deal
from finediving_pose.synth.render import Shot
from finediving_pose.workspace import Workspace

FINE = 0.001
"""Seconds between two samples of the true motion."""

IN_FRAMES = ("trunk_deg", "somersault_rate_deg_s", "hip_deg", "knee_deg", "elbow_deg", "shoulder_deg", "height_m")


@dataclass
class Errors:
    """Errors of one quantity in one case: measured less true, and how many could have been measured."""

    found: list[float] = field(default_factory=list)
    possible: int = 0

    def row(self) -> list[str]:
        """Percentiles of the absolute error, bias, count and measured share."""
        sizes = np.abs(self.found)
        marks = np.quantile(sizes, [0.5, 0.68, 0.95])
        share = len(self.found) / self.possible
        return [*(f"{m:.3g}" for m in (*marks, np.mean(self.found))), str(len(self.found)), f"{share:.3f}"]


@dataclass(frozen=True)
class True_:
    """One diver's true motion, sampled every :data:`FINE` seconds in flight."""

    shot: Shot
    time: NDArray[np.float64]
    trunk: NDArray[np.float64]
    joints: dict[str, NDArray[np.float64]]
    centre: NDArray[np.float64]

    @classmethod
    def of(cls, shot: Shot) -> True_:
        motion = shot.motion
        time = np.arange(motion.take_off - 0.15, motion.touch + 0.15, FINE)
        body = motion.points(time)
        points = body[:, :16]
        along = points[:, angles.THORAX] - points[:, angles.PELVIS]
        # seen from the other side of the pool, what turns clockwise turns anticlockwise
        side = np.sign(shot.view.right[0])
        trunk = -side * np.degrees(np.unwrap(np.arctan2(along[:, 0], along[:, 2])))
        joints = {}
        for name, chains in angles.CHAINS.items():
            both = np.mean([angles.bend(*(points[:, j] for j in chain)) for chain in chains], axis=0)
            joints[name] = 180 - both if name == "shoulder" else both
        ankles = points[:, list(angles.ANKLES)].mean(1)
        joints["body"] = angles.bend(ankles, points[:, angles.PELVIS], points[:, angles.THORAX])
        return cls(shot, time, trunk, joints, centre_of_mass(body)[:, 2])

    @property
    def take_off(self) -> float:
        return self.shot.motion.take_off

    @property
    def touch(self) -> float:
        return self.shot.motion.touch

    def at(self, values: NDArray[np.float64], time: float | NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.interp(time, self.time, values))

    @property
    def rates(self) -> NDArray[np.float64]:
        """Slope of the trunk's angle over the same window as measured ones."""
        reach = round(rotation.RATE_WINDOW / FINE)
        rates = np.full(len(self.time), np.nan)
        rates[reach:-reach] = (self.trunk[2 * reach :] - self.trunk[: -2 * reach]) / (2 * reach * FINE)
        return rates

    def frame_truth(self, times: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """True values (n,) of what is measured in every frame, at the times of frames."""
        truth = {f"{name}_deg": self.at(self.joints[name], times) for name in angles.CHAINS}
        return truth | {
            "trunk_deg": self.at(self.trunk, times),
            "somersault_rate_deg_s": self.at(self.rates, times),
            "height_m": self.at(self.centre, times),
        }

    def dive_truth(self) -> dict[str, float]:
        """True values of what is measured of the dive; what it does not have is left out."""
        turned = float(self.at(self.trunk, self.touch) - self.at(self.trunk, self.take_off))
        speed = max(float(self.shot.motion.velocity[2]), 0.0)
        flying = (self.time >= self.take_off) & (self.time <= self.touch)
        hip = Series(self.joints["hip"], np.zeros(len(self.time), np.uint8))
        truth = {
            "take_off_s": self.take_off,
            "touch_s": self.touch,
            "flight_time_s": self.touch - self.take_off,
            "jump_height_m": speed**2 / (2 * flight.GRAVITY),
            "half_somersaults": float(round(abs(turned) / 180)),
            "peak_rate_deg_s": float(np.nanmax(np.abs(self.rates[flying]))),
            "entry_angle_deg": posture.from_vertical(float(self.at(self.trunk, self.touch)), turned),
            "straightness_deg": float(self.at(self.joints["body"], self.touch)),
        }
        closed = moments.closure(hip, self.time, self.take_off, self.touch)
        if closed:
            truth |= {"closure_deg": closed[0], "closure_reached_s": closed[1]}
            opens = moments.come_out(hip, self.time, closed, self.touch)
            truth |= {"come_out_s": opens} if opens else {}
        return truth


# -- dives -----------------------------------------------------------------------------------------------------------


def events_of(dives: int, pairs: int, seed: int) -> list[Event]:
    """Dives of one diver, each number once, and synchronised ones of the numbers that are dived most."""
    events = deal(dives, seed, DIVE_NUMBERS[:dives])
    feet = [n for n in DIVE_NUMBERS if not n.startswith("6")][:pairs]
    for height in (10.0, 3.0):
        mine = tuple(
            n for n in feet if n in {d for e in deal(pairs, 0, feet) if e.height == height for d in e.dive_numbers}
        )
        if mine:
            name = f"Synthetic2026Men{height:.0f}mSynchronised_final_r1"
            events.append(Event(name, height, False, mine, (seed, len(events)), True))
    return events


def made(folder: Path, events: list[Event], plan: Plan) -> Workspace:
    """The dives filmed, extracted and annotated in ``folder``."""
    films, data = folder / "films", Workspace(folder / "data")
    todo = [e for e in events if not is_finished(films, e)]
    for _, outcome in map_clips(
        partial(film_event, films), todo, 2, "filming", "dives", count=lambda e: len(e.dive_numbers)
    ):
        if isinstance(outcome, Exception):
            raise outcome
    join(films, plan, events)
    for words in (
        ["extract", "--videos", films / "videos", "--labels", films / "labels"],
        ["annotate", "--auto"],
    ):
        command = [sys.executable, "-m", "finediving_pose.cli", *map(str, words), "--data", str(data.root)]
        subprocess.run(command, check=True)
    return data


def shots(events: list[Event]) -> Iterator[tuple[str, Shot]]:
    """Every dive as it was performed before the camera, by the key of its clip."""
    for event in events:
        take = Take(event)
        panel = judge.random_panel(np.random.default_rng([*event.seed, 1_000_000]))
        for index in range(len(event.dive_numbers)):
            yield f"{event.video}/{index}", shoot(event, index, take.scene, take.view, panel)[0]


def before_still_camera(diver: Diver, shot: Shot, times: NDArray[np.float64]) -> Diver:
    """The diver's joints where a camera with a scale that does not change, and that does not turn, would see them."""
    centre, scale = shot.pan.at(times)
    middle = np.array([(WIDTH - 1) / 2, (HEIGHT - 1) / 2])
    place = (diver.keypoints - middle) / scale[:, None, None] * np.array([1, -1]) + centre[:, None]
    still = float(np.median(scale))
    return replace(diver, keypoints=place * np.array([1, -1]) * still, picture=None)


# -- errors ----------------------------------------------------------------------------------------------------------


def compare(errors: dict[tuple[str, Case], Errors], case: Case, found: DiverMeasures, true: True_) -> None:
    """Add what one diver's measures are off by: of "still" only heights, of "unlabelled" only values of the dive."""
    times = found.line.axis
    flying = (times >= true.take_off) & (times <= true.touch)
    for name, truth in true.frame_truth(times).items():
        if (name == "height_m") != (case == "still") or case == "unlabelled":
            continue
        series, entry = found.series[name], errors[name, case]
        use = flying & series.measured
        off = (series.values - truth)[use]
        if name == "trunk_deg":
            off = (off + 180) % 360 - 180
        entry.found += off.tolist()
        entry.possible += int(flying.sum())
    for name, truth in true.dive_truth().items() if case != "still" else ():
        entry = errors[name, case]
        entry.possible += 1
        if found.values[name].measured:
            entry.found.append(found.values[name].value - truth)


def compare_pair(errors: dict[tuple[str, Case], Errors], found: list[DiverMeasures], trues: list[True_]) -> None:
    """Add what is measured of two divers together."""
    one, two = trues
    start, end = max(one.take_off, two.take_off), min(one.touch, two.touch)
    time = np.arange(start, end, FINE)
    truth = {"lag_s": two.take_off - one.take_off}
    for part in ("hip", "knee"):
        apart = one.at(one.joints[part], time) - two.at(two.joints[part], time)
        truth[f"{part}_difference_deg"] = float(np.abs(apart).mean())
    apart = (one.at(one.trunk, time) - two.at(two.trunk, time) + 180) % 360 - 180
    truth["trunk_difference_deg"] = float(np.abs(apart).mean())
    for name in PAIR_QUANTITIES:
        errors[name, "two"].possible += 1
        if found[1].values[name].measured:
            errors[name, "two"].found.append(found[1].values[name].value - truth[name])


def measure_all(data: Workspace, events: list[Event]) -> dict[tuple[str, Case], Errors]:
    """Errors of every quantity in every case."""
    errors: dict[tuple[str, Case], Errors] = defaultdict(Errors)
    clips = {str(c.key): c for c in read_clips(data)}
    wrong = defaultdict(list)
    for key, shot in shots(events):
        clip = clips[key]
        divers, times = _divers(data, clip, shot), np.arange(clip.n_frames or 0) / FPS
        facts = Facts(clip.action_type, clip.height_m, clip.stage_starts, len(divers) == 2)
        trues = [True_.of(s) for s in shot.divers]
        found = measure_divers(divers, times, facts)
        case = "two" if len(divers) == 2 else "one"
        for measures, true in zip(found, trues, strict=True):
            compare(errors, case, measures, true)
            if measures.count_agrees is False:
                wrong[case].append(f"{key} {clip.action_type}: {measures.values['half_somersaults'].value:.0f} halves")
        if case == "two":
            compare_pair(errors, found, trues)
            continue
        still = before_still_camera(divers[0], shot, times)
        unlabelled = replace(facts, stage_starts=())
        compare(errors, "still", measure_divers([still], times, unlabelled)[0], trues[0])
        compare(errors, "unlabelled", measure_divers(divers, times, unlabelled)[0], trues[0])
    for case, lines in wrong.items():
        print(f"counts that differ from the dive number, {case}:", *lines, sep="\n  ")
    return errors


def _divers(data: Workspace, clip: Clip, shot: Shot) -> list[Diver]:
    """The divers of a clip in the order of the shot's."""
    poses = read_poses(data.pose_file("auto", clip.key))
    start, n = clip.start_frame or 0, clip.n_frames or 0
    if len(shot.divers) == 2:
        times = np.arange(n) / FPS
        centre, scale = shot.pan.at(times)
        there = {}
        for person, diver in enumerate(shot.divers):
            joints = to_pixels(shot.view.panorama(diver.motion.points(times)[:, :16]), centre, scale)
            there |= {(start + i, person): joints[i] for i in range(n)}
        poses = numbered_like(poses, there)
    numbers, picture = range(start, start + n), (WIDTH, HEIGHT)
    return [diver_of_poses(poses, numbers, person, picture) for person in range(len(shot.divers))]


MARKS = ("<!-- errors: written by benchmarks/kinematics_errors.py -->", "<!-- end of errors -->")


def _into_page(page: Path, columns: list[str], rows: list[list[str]]) -> Path:
    """Put the table between the marks of the page."""
    heads = [{"p68": "68 %", "p95": "95 %"}.get(c, c) for c in columns]
    cells = [[f"`{name}`", *rest] for name, *rest in rows]
    lines = [f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *cells]]
    before, _, rest = page.read_text(encoding="utf-8").partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    page.write_text("\n".join([before + MARKS[0], "", *lines, "", MARKS[1] + after]), encoding="utf-8")
    return page


def real_errors(data: Workspace, reference: str) -> None:
    """Print how far angles of automatic poses are from those of hand poses, frame by frame."""
    off: dict[str, list[float]] = defaultdict(list)
    possible: dict[str, int] = defaultdict(int)
    for clip in read_clips(data):
        files = [data.pose_file(layer, clip.key) for layer in ("auto", reference)]
        if not all(f.is_file() for f in files):
            continue
        tables = [read_poses(f) for f in files]
        numbers = sorted(set(tables[1].frame.tolist()))
        machine, hand = (diver_of_poses(poses, numbers, 0) for poses in tables)
        pairs = {f"{joint}_deg": [angles.pair_angle(d, joint) for d in (machine, hand)] for joint in angles.CHAINS}
        pairs["trunk_deg"] = [angles.trunk_angle(d) for d in (machine, hand)]
        for name, (found, true) in pairs.items():
            both = found.measured & true.measured
            apart = (found.values - true.values)[both]
            off[name] += np.abs((apart + 180) % 360 - 180).tolist()
            possible[name] += int(true.measured.sum())
    for name, sizes in off.items():
        marks = "  ".join(f"{m:6.1f}" for m in np.quantile(sizes, [0.5, 0.68, 0.95]))
        print(f"{name:>14}  {marks}  {len(sizes)} of {possible[name]} frames")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/kinematics-errors"))
    parser.add_argument("--real", type=Path)
    parser.add_argument("--reference", default="manual/hand")
    parser.add_argument("--dives", type=int, default=30)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=2028)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if options.real:
        real_errors(Workspace(options.real), options.reference)
        return
    events = events_of(options.dives, options.pairs, options.seed)
    data = made(options.folder, events, Plan(options.dives + options.pairs, options.seed))
    errors = measure_all(data, events)
    order = [*IN_FRAMES, *DIVE_QUANTITIES, *PAIR_QUANTITIES]
    keys = sorted(
        (k for k, e in errors.items() if e.found),
        key=lambda k: (list(get_args(Case)).index(k[1]), order.index(k[0])),
    )
    columns = ["quantity", "case", "median", "p68", "p95", "bias", "count", "measured"]
    rows = [[*key, *errors[key].row()] for key in keys]
    for row in [columns, *rows]:
        print("  ".join(f"{cell:>12}" for cell in row))
    if options.write:
        print(write_csv(Path(data_manifest.__file__).parent / TABLE, columns, rows))
        print(_into_page(Path(__file__).parents[1] / "docs" / "kinematics.md", columns, rows))


if __name__ == "__main__":
    main()

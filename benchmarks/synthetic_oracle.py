"""How far true poses explain the scores of synthetic dives, beside what judges' noise allows.

    python benchmarks/synthetic_oracle.py --dives 1500

Dives are performed, not filmed, number by number as often as FineDiving has them. Spearman's rho between scores and

* true quality x difficulty: the noise ceiling;
* a kernel ridge regression from measures of the true poses and the size of the splash;
* the same without the splash;
* the mean score of the dive number in the training dives.

A quarter of the dives is held out, with the same dive numbers in both parts.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from finediving_pose.lexicon import parse_dive_number
from finediving_pose.synth import judge
from finediving_pose.synth.dive import Motion
from finediving_pose.synth.faults import dived
from finediving_pose.synth.performance import Performance, difficulty_of, perform, random_builds

Dive = tuple[str, Performance]

BEFORE_ENTRY = (0.30, 0.24, 0.18, 0.12, 0.06, 0.0)
"""Seconds before the touch at which the come-out is measured."""


def performed(dives: int, seed: int) -> list[Dive]:
    """Dives in the proportions of FineDiving's dive numbers, heights and synchronised events."""
    rng = np.random.default_rng(seed)
    rows = dived()
    weight = np.array([int(r["count"]) for r in rows], float)
    found: list[Dive] = []
    while len(found) < dives:
        row = rows[rng.choice(len(rows), p=weight / weight.sum())]
        number, height = row["dive_number"], float(row["height_m"])
        synchronised = rng.random() < int(row["synchronised"]) / int(row["count"])
        if difficulty_of(number, height, synchronised) is None:
            continue
        builds = random_builds(rng, bool(rng.integers(2)), synchronised)
        found.append((number, perform(number, height, builds, judge.random_panel(rng), 0.0, rng)))
    return found


def angle(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Angle (T,) at joint ``b`` between ``a`` and ``c``, each (T, 3), radians."""
    u, v = a - b, c - b
    cosine = (u * v).sum(-1) / np.linalg.norm(u, axis=-1) / np.linalg.norm(v, axis=-1)
    return np.arccos(np.clip(cosine, -1, 1))


def measures(motion: Motion) -> np.ndarray:
    """What a judge looks at, out of the 16 true joints alone (metres, radians), at moments of the flight."""
    air = np.linspace(motion.take_off + 0.1, motion.touch - 0.35, 24)
    joints = motion.points(np.concatenate([air, motion.touch - np.array(BEFORE_ENTRY)]))[:, :16]
    hips = (angle(joints[:, 7], joints[:, 2], joints[:, 1]) + angle(joints[:, 7], joints[:, 3], joints[:, 4])) / 2
    knees = (angle(joints[:, 2], joints[:, 1], joints[:, 0]) + angle(joints[:, 3], joints[:, 4], joints[:, 5])) / 2
    size = np.linalg.norm(joints[0, 1] - joints[0, 0])
    apart = np.linalg.norm(joints[:, 0] - joints[:, 5], axis=-1) / size
    flying, entering = slice(0, len(air)), slice(len(air), None)
    last = joints[-1]
    line = last[[12, 13]].mean(0) - last[[0, 5]].mean(0)
    trunk, legs = last[7] - last[6], last[6] - last[[0, 5]].mean(0)
    shoulders = last[12] - last[13]
    return np.array([
        np.arctan2(abs(line[0]), abs(line[2])), np.arctan2(abs(legs[0]), abs(legs[2])),
        np.arctan2(abs(line[1]), abs(line[2])), np.arctan2(abs(trunk[1]), abs(trunk[2])),
        abs(np.arctan2(shoulders[0], abs(shoulders[1]))),
        last[:, 0].mean(), hips[flying].min(), np.percentile(hips[flying], 30), knees[flying].min(),
        np.percentile(knees[flying], 30), np.percentile(knees[flying], 70), *np.percentile(apart[flying], [30, 60, 90]),
        *hips[entering], *knees[entering][-3:], *apart[entering][-3:],
    ])  # fmt: skip


def features(dives: list[Dive], splash: bool = True) -> np.ndarray:
    """One row a dive: its divers' measures, how far apart two divers are, splash, and what its number says."""
    rows = []
    for number, p in dives:
        named = parse_dive_number(number)
        seen = np.mean([measures(m) for m in p.motions], 0)
        touched = [m.touch for m in p.motions]
        thrown = np.mean([f.splash for f in p.faults]) if splash else 0.0
        kind = [named.position == "tuck", named.position == "straight", named.half_twists > 0, named.armstand]
        sizes = [named.half_somersaults, named.half_twists, len(p.motions), p.motions[0].launch[2]]
        rows.append([*seen, abs(touched[-1] - touched[0]), thrown, *map(float, kind), *map(float, sizes)])
    return np.array(rows)


def regressed(train: np.ndarray, target: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Ridge regression on standardised measures, and a Gaussian kernel ridge on what it leaves."""
    mean, sd = train.mean(0), train.std(0) + 1e-9
    a, b = (train - mean) / sd, (test - mean) / sd
    linear = np.linalg.solve(a.T @ a + 3.0 * np.eye(a.shape[1]), a.T @ (target - target.mean()))
    rest = target - target.mean() - a @ linear

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        square = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
        return np.exp(-square / (4 * x.shape[1]))

    alpha = np.linalg.solve(kernel(a, a) + 0.3 * np.eye(len(a)), rest)
    return target.mean() + b @ linear + kernel(b, a) @ alpha


def compare(dives: list[Dive]) -> dict[str, float]:
    """Spearman's rho of every predictor on the last quarter of the dives."""
    cut = len(dives) * 3 // 4
    difficulty = np.array([p.difficulty for _, p in dives])
    score = np.array([p.score for _, p in dives])
    award = score / difficulty / 3
    by_number: dict[str, list[float]] = defaultdict(list)
    for (number, _), s in zip(dives[:cut], score[:cut], strict=True):
        by_number[number].append(float(s))
    predicted = {
        "noise_ceiling": np.array([p.quality for _, p in dives[cut:]]) * difficulty[cut:],
        "dive_number_alone": np.array([np.mean(by_number.get(n, [float(score[:cut].mean())])) for n, _ in dives[cut:]]),
    }
    for name, splash in (("true_poses_and_splash", True), ("true_poses", False)):
        x = features(dives, splash)
        predicted[name] = regressed(x[:cut], award[:cut], x[cut:]) * difficulty[cut:]
    return {name: rho(values, score[cut:]) for name, values in predicted.items()}


def rho(predicted: np.ndarray, score: np.ndarray) -> float:
    result: Any = spearmanr(predicted, score)
    return float(result.statistic)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dives", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found = compare(performed(options.dives, options.seed))
    share = {f"{k}_of_ceiling": v / found["noise_ceiling"] for k, v in found.items() if k != "noise_ceiling"}
    print(json.dumps({k: round(v, 4) for k, v in (found | share).items()}, indent=1))


if __name__ == "__main__":
    main()

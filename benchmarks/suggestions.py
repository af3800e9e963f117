"""Does an estimator learn more from the frames that ``fdpose suggest`` lists than from random ones?

Synthetic dives of two competitions, one in 24 of them (``--unknown``) in black and white: the bundled estimator
knows their like in colour, and does not know those. A pool, which it annotates, and a test, which nobody trains on,
half of it black and white. For every seed, N frames of the pool get their true joints, once the N suggested ones
and once N random ones of those in which there is a diver (so the random ones waste nothing, while a suggestion under
water does). From both the same estimator is fine-tuned for the same number of steps, and measured on the test:
PCKh@0.5 in the true box. The suggested frames are the same for every seed; the training differs.

    python benchmarks/suggestions.py
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import simplejpeg

from annotate.auto import Machinery, annotate_clips
from annotate.estimators.base import Estimator
from annotate.estimators.device import has_bf16
from annotate.estimators.mmpose import from_checkpoint
from annotate.estimators.presets import DEFAULT, resolve
from annotate.merge import merge_clips
from annotate.suggest import suggest
from annotate.training.finetune import finetune
from annotate.training.labelled_frames import LEAST_JOINTS, LabelledFrame, read_labelled_frames
from annotate.training.measure import measure
from annotate.training.plan import FinetunePlan
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.extraction.clips_table import add_clips
from finediving_pose.extraction.run import extract_videos
from finediving_pose.formats.intake import take_in
from finediving_pose.formats.official import OfficialPose, read_official, write_official
from finediving_pose.labels.read import read_labels
from finediving_pose.labels.table import read_clips
from finediving_pose.synth.competition import make_competition
from finediving_pose.workspace import Workspace

NUMBERS = ("101b", "107b", "201b", "207c", "301b", "305c", "401b", "407c", "5132d", "5253b", "5353b", "612b")
MEASURED = 300
"""At most this many test frames of each kind, evenly spread."""
Tests = tuple[list[LabelledFrame], list[LabelledFrame]]
"""Test frames in colour, and in black and white."""


def competition(
    folder: Path, dives: int, seed: int, unknown: float
) -> tuple[Workspace, list[OfficialPose], set[ClipKey]]:
    """A competition's frames, the true joints of every frame with a diver, and the dives in black and white."""
    make_competition(folder / "made", dives=dives, seed=seed, dive_numbers=NUMBERS)
    workspace, clips = Workspace(folder / "data"), read_labels(folder / "made" / "labels")
    add_clips(workspace, clips)
    extract_videos(workspace, folder / "made" / "videos", clips)
    grey = set(sorted(c.key for c in clips)[:: round(1 / unknown)])
    for key in grey:
        for picture in workspace.frame_folder(key).glob("*.jpg"):
            levels = simplejpeg.decode_jpeg(picture.read_bytes(), colorspace="GRAY")
            picture.write_bytes(simplejpeg.encode_jpeg(np.repeat(levels, 3, 2), 95, colorspace="RGB"))
    truth = read_official(folder / "made" / "truth" / "annotations.json")
    return workspace, [t for t in truth if t.visible.sum() >= LEAST_JOINTS], grey


def annotated(folder: Path, source: Workspace, clips: Sequence[Clip], truth: Sequence[OfficialPose]) -> Workspace:
    """A data directory with the frames of ``source`` and ``truth`` as what a person placed, merged."""
    folder.mkdir(parents=True)
    (folder / "frames").symlink_to(source.frames.resolve())
    workspace = Workspace(folder)
    add_clips(workspace, clips)
    write_official(folder / "truth.json", truth)
    take_in(workspace, clips, [folder / "truth.json"], "truth")
    merge_clips(workspace, clips)
    return workspace


def learned(workspace: Workspace, clips: Sequence[Clip], steps: int, seed: int, tests: Tests) -> list[float]:
    """PCKh@0.5 of the bundled estimator, fine-tuned on the data directory, on each test."""
    plan = FinetunePlan("tuned", "pose", DEFAULT, steps, seed)
    finetune(workspace, clips, plan, bf16=has_bf16("cpu"))
    return accuracies(from_checkpoint(resolve("tuned", workspace).pose), tests)


def accuracies(estimator: Estimator, tests: Tests) -> list[float]:
    """PCKh@0.5 in the true box, in colour and in black and white."""
    return [measure(estimator, test, "pose")["pckh"] for test in tests]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=12, help="N: frames that a person annotates")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pool-dives", type=int, default=48)
    parser.add_argument("--test-dives", type=int, default=16)
    parser.add_argument("--unknown", type=float, default=1 / 24, help="share of the pool in black and white")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        pool, truth, grey = competition(root / "pool", options.pool_dives, 101, options.unknown)
        tests, clips, preset = held_apart(root, options.test_dives), read_clips(pool), resolve(DEFAULT)
        annotate_clips(pool, clips, Machinery(preset))
        named = suggested(pool, clips, truth, options.frames)
        print(
            f"{len(truth)} frames of the pool show a diver, {sum(in_one_of(grey, t) for t in truth)} in black and white"
        )
        say("before", accuracies(from_checkpoint(preset.pose), tests))
        gains = []
        for seed in range(options.seeds):
            found = []
            for way, frames in (("suggested", named), ("random", by_lot(truth, options.frames, seed))):
                workspace = annotated(root / f"{way}-{seed}", pool, clips, frames)
                found.append(learned(workspace, clips, options.steps, seed, tests))
                what = f"{len(frames)} {way}, {sum(in_one_of(grey, t) for t in frames)} of them black and white"
                say(f"seed {seed}, {what}", found[-1])
            gains.append(np.subtract(*found))
        say("suggested over random, mean", np.mean(gains, axis=0).tolist())


def suggested(pool: Workspace, clips: Sequence[Clip], truth: Sequence[OfficialPose], n: int) -> list[OfficialPose]:
    """The true joints of the frames that are suggested; fewer than ``n`` where there is no diver in some."""
    named = {f"{s.key}/{s.frame:05d}.jpg" for s in suggest(pool, clips, n)}
    return [t for t in truth if t.image in named]


def by_lot(truth: Sequence[OfficialPose], n: int, seed: int) -> list[OfficialPose]:
    """The true joints of ``n`` random frames."""
    return [truth[i] for i in np.random.default_rng(seed).choice(len(truth), n, replace=False)]


def in_one_of(keys: set[ClipKey], pose: OfficialPose) -> bool:
    """Whether the pose is of one of these dives."""
    return pose.image.rpartition("/")[0] in {str(k) for k in keys}


def held_apart(folder: Path, dives: int) -> Tests:
    """Test frames of a competition of its own, half of its dives black and white."""
    source, truth, grey = competition(folder / "test", dives, seed=102, unknown=0.5)
    clips = read_clips(source)
    labelled = read_labelled_frames(annotated(folder / "measured", source, clips, truth), clips)
    kinds = [[f for key in sorted(labelled) if (key in grey) == kind for f in labelled[key]] for kind in (False, True)]
    colour, black_and_white = (test[:: max(1, len(test) // MEASURED)] for test in kinds)
    return colour, black_and_white


def say(what: str, figures: Sequence[float]) -> None:
    print(f"{what}: in colour {figures[0]:.4f}, in black and white {figures[1]:.4f}", flush=True)


if __name__ == "__main__":
    main()

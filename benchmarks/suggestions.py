"""Does an estimator learn more from the frames that ``fdpose annotate --suggest`` names than from random ones?

Synthetic dives of two competitions, in black and white: the bundled estimator knows their like in colour so well that
there is nothing left to learn. A pool, which it annotates, and a test, which nobody trains on. For every seed, N frames
of the pool get their true joints, once the N suggested ones and once N random ones of those in which there is a diver
(so the random ones waste nothing, while a suggestion under water does). From both the same estimator is fine-tuned for
the same number of steps, and measured on the test: PCKh@0.5 in the true box. The suggested frames are the same for
every seed; the training differs.

    python benchmarks/suggestions.py
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import simplejpeg

from annotate.agreement import pckh
from annotate.auto import Machinery, annotate_clips
from annotate.crop import crop, to_frame
from annotate.estimators.base import Estimator
from annotate.estimators.mmpose import from_checkpoint, has_bf16
from annotate.estimators.presets import DEFAULT, resolve
from annotate.finetune import Training, finetune
from annotate.merge import merge_clips
from annotate.samples import LEAST_JOINTS, Sample, hand_placed
from annotate.suggest import suggest
from finediving_pose.clip import Clip
from finediving_pose.extract import add_clips, extract_videos
from finediving_pose.formats.intake import take_in
from finediving_pose.formats.official import OfficialPose, read_official, write_official
from finediving_pose.labels.read import read_labels
from finediving_pose.labels.table import read_clips
from finediving_pose.synth.competition import make_competition
from finediving_pose.workspace import Workspace

NUMBERS = ("101b", "107b", "201b", "207c", "301b", "305c", "401b", "407c", "5132d", "5253b", "5353b", "612b")
MEASURED = 400
"""At most this many test frames, evenly spread."""


def competition(folder: Path, dives: int, seed: int) -> tuple[Workspace, list[OfficialPose]]:
    """A competition's frames in a data directory, and the true joints of every frame with a diver in it."""
    make_competition(folder / "made", dives=dives, seed=seed, dive_numbers=NUMBERS)
    workspace, clips = Workspace(folder / "data"), read_labels(folder / "made" / "labels")
    add_clips(workspace, clips)
    extract_videos(workspace, folder / "made" / "videos", clips)
    for picture in workspace.frames.rglob("*.jpg"):
        grey = simplejpeg.decode_jpeg(picture.read_bytes(), colorspace="GRAY")
        picture.write_bytes(simplejpeg.encode_jpeg(np.repeat(grey, 3, 2), 95, colorspace="RGB"))
    truth = read_official(folder / "made" / "truth" / "annotations.json")
    return workspace, [t for t in truth if t.visible.sum() >= LEAST_JOINTS]


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


def learned(workspace: Workspace, clips: Sequence[Clip], steps: int, seed: int, test: Sequence[Sample]) -> float:
    """PCKh@0.5 on the test of the bundled estimator, fine-tuned on the data directory."""
    training = Training("tuned", "pose", DEFAULT, steps, seed)
    finetune(workspace, clips, training, bf16=has_bf16("cpu"))
    return accuracy(from_checkpoint(resolve("tuned", workspace).pose), test)


def accuracy(estimator: Estimator, test: Sequence[Sample]) -> float:
    """PCKh@0.5 in the true box."""
    box = np.stack([s.box for s in test])
    found = []
    for i in range(0, len(test), 64):
        pictures = [s.frames.read(s.number) for s in test[i : i + 64]]
        found.append(estimator.estimate(crop(pictures, box[i : i + 64], estimator))[0])
    truth = np.stack([np.where(s.known[:, None], s.keypoints, np.nan) for s in test])
    return pckh(to_frame(np.concatenate(found), box, estimator), truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=40, help="N: frames that a person annotates")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pool-dives", type=int, default=40)
    parser.add_argument("--test-dives", type=int, default=16)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        pool, truth = competition(root / "pool", options.pool_dives, seed=101)
        other, test_truth = competition(root / "test", options.test_dives, seed=102)
        clips, test_clips = read_clips(pool), read_clips(other)
        samples = hand_placed(annotated(root / "measured", other, test_clips, test_truth), test_clips)
        test = [s for key in sorted(samples) for s in samples[key]]
        test = test[:: max(1, len(test) // MEASURED)]
        preset = resolve(DEFAULT)
        annotate_clips(pool, clips, Machinery(preset))
        named = {f"{s.key}/{s.frame:05d}.jpg" for s in suggest(pool, clips, options.frames)}
        suggested = [t for t in truth if t.image in named]
        print(f"before: PCKh@0.5 {accuracy(from_checkpoint(preset.pose), test):.4f}", flush=True)
        print(f"of {options.frames} suggested frames {len(suggested)} show a diver", flush=True)
        gains = []
        for seed in range(options.seeds):
            drawn = np.random.default_rng(seed).choice(len(truth), options.frames, replace=False)
            ways = {"suggested": suggested, "random": [truth[i] for i in drawn]}
            found = {}
            for way, frames in ways.items():
                workspace = annotated(root / f"{way}-{seed}", pool, clips, frames)
                found[way] = learned(workspace, clips, options.steps, seed, test)
            gains.append(found["suggested"] - found["random"])
            print(f"seed {seed}: suggested {found['suggested']:.4f}, random {found['random']:.4f}", flush=True)
        print(f"suggested over random: {statistics.mean(gains):+.4f} on average of {options.seeds} seeds")


if __name__ == "__main__":
    main()

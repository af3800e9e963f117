"""Whole runs of any method in seconds, on made-up pictures, packed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from baselines.registry import find_method
from baselines.report.page import write_page
from baselines.runs.predictions import Prediction, read_predictions
from baselines.runs.results import RunMetrics
from baselines.runs.run import new_run, run
from baselines.runs.start import begin, make_plan
from baselines.scorer.file import SCORER, read_scorer
from baselines.scorer.predict import Judge
from finediving_pose.clip import Clip, ClipKey
from finediving_pose.packed.reader import open_packed
from finediving_pose.packed.writer import write_packed
from finediving_pose.poses import write_poses
from finediving_pose.workspace import Workspace
from tests.finediving_pose.packed.made_up import add_clip, random_poses

SMALL_I3D = {"width": 0.0625, "stride": 8}
SMALL_DATA = {
    "data.frames": 24,
    "data.resize": [58, 32],
    "data.crop": 32,
    "training.batch_size": 4,
    "training.workers": 0,
    "training.frozen": False,
}
"""Of any preset, whatever its method; encoders are trained."""


def pack_made_up(workspace: Workspace, dives: int = 12, stages: bool = True) -> Workspace:
    """Pack dives of 20 grey pictures, the brighter the better, of two numbers; the last third is the test split."""
    for i in range(dives):
        number, difficulty, sub_actions = (("107b", 3.0, (1, 16, 36)), ("205b", 3.2, (2, 17, 36)))[i % 2]
        award = 5 + 4 * (i * 5 % dives) / dives
        key, split = ClipKey(f"made_up_{i // 4}", i), "test" if i >= 2 * dives // 3 else "train"
        labels: dict[str, Any] = {"stage_starts": (5, 12), "sub_actions": sub_actions} if stages else {}
        awards = {"judge_scores": (award,) * 7, "dive_score": 3 * award * difficulty, "height_m": 10.0, "n_frames": 20}
        clip = Clip(key, split, number, difficulty, synchronised=False, source="synthetic", **labels, **awards)
        add_clip(workspace, clip, list(range(int(25 * award), int(25 * award) + 20)))
        poses = random_poses(list(range(int(25 * award), int(25 * award) + 20)), [0] * 20, i, (1,))
        write_poses(workspace.pose_file("merged", key), poses)
    write_packed(workspace)
    return workspace


def begun(workspace: Workspace, method: str, preset: str = "demo", seeds: Sequence[int] = (0,), **options: Any) -> Path:
    """The folder of a study, or with ``all`` of a suite, as ``fdpose benchmark`` makes it; nothing is trained."""
    return begin(workspace, partial(make_plan, workspace, method, preset, seeds, study=True, **options))[0]


def small_run(
    workspace: Workspace,
    method: str,
    preset: str = "demo",
    epochs: int | None = 1,
    without: Sequence[str] = (),
    **changes: Any,
) -> tuple[RunMetrics, Path]:
    """Train, score and write the page; ``changes`` are dotted names with ``__`` in the place of the dot."""
    settings = SMALL_DATA | {name.replace("__", "."): value for name, value in changes.items()}
    folder = new_run(workspace, find_method(method), preset, 0, epochs=epochs, without=without, changes=settings)
    metrics = run(folder)
    write_page(folder)
    return metrics, folder


def score_again(workspace: Workspace, folder: Path) -> list[tuple[Prediction, float]]:
    """Predictions of a run, and what its scorer says of the same dives."""
    judge = Judge(read_scorer(folder / SCORER))
    with open_packed(workspace.packed) as packed:
        predictions = read_predictions(folder)
        return [(p, judge.score(packed, packed.index(p.dive)).points) for p in predictions]

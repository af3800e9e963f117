"""A data directory of two short labelled clips, and poses of every kind for them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.poses import ClipPoses, JointSource, Visibility, write_poses
from finediving_pose.workspace import Workspace
from tests.finediving_pose.packed.made_up import add_clip

WIDTH, HEIGHT = 64, 48
CLIPS = (
    Clip(
        ClipKey("Men__10m", 1), "train", "107b", 3.0, 76.5, (8.5, 8.5, 8.5), 100, 103,
        stage_starts=(1, 3), sub_actions=(3, 24, 36),
    ),
    Clip(
        ClipKey("07", 12), "test", "5253b", 3.2, 80.0, (8.0, 8.5, 8.5), 7, 10,
        stage_starts=(2, 3), sub_actions=(3, 24, 36),
    ),
)  # fmt: skip
FRAMES = {c.key: tuple(c.frame_range or ()) for c in CLIPS}


def fill(workspace: Workspace) -> Workspace:
    """The two clips' frames and labels."""
    for clip in CLIPS:
        add_clip(workspace, clip, list(FRAMES[clip.key]))
    return workspace


def write_layer(workspace: Workspace, tables: dict[ClipKey, ClipPoses], layer: str = "auto") -> None:
    for key, poses in tables.items():
        write_poses(workspace.pose_file(layer, key), poses)


def table(frames: list[int], persons: list[int], keypoints: np.ndarray, visibility: np.ndarray) -> ClipPoses:
    """Automatic poses; the box and the confidence follow from the joints, so that every row has its own."""
    present = visibility > 0
    n = len(frames)
    joints = np.where(present[..., None], keypoints, np.nan).astype(np.float32).reshape(n, 16, 2)
    low = np.where(present[..., None], keypoints, np.inf).min(1, initial=np.inf) if n else np.zeros((0, 2))
    corner = np.where(np.isfinite(low), np.clip(low, 0, 40), 0).reshape(n, 2)
    return ClipPoses(
        frame=np.array(frames, np.int32),
        person=np.array(persons, np.int8),
        box=np.concatenate([corner, corner + 8], axis=1),
        keypoints=joints,
        visibility=visibility.reshape(n, 16),
        confidence=np.where(present, 0.25 + visibility / 4, 0).reshape(n, 16),
        source=np.where(present, JointSource.AUTOMATIC, JointSource.NONE).reshape(n, 16),
        author=["net"] * n,
        time=["2026-01-01T00:00:00+00:00"] * n,
    )


@st.composite
def clip_tables(draw: st.DrawFn) -> dict[ClipKey, ClipPoses]:
    """Any poses of the two clips: frames without one, one or two persons, joints absent and occluded, rows of none."""
    tables = {}
    for key, frames in FRAMES.items():
        people = [draw(st.sampled_from([(), (0,), (1,), (0, 1)])) for _ in frames]
        pairs = [(frame, person) for frame, there in zip(frames, people, strict=True) for person in there]
        n = len(pairs)
        tables[key] = table(
            [f for f, _ in pairs],
            [p for _, p in pairs],
            draw(arrays(np.float32, (n, 16, 2), elements=st.floats(-20, 90, width=32, allow_subnormal=False))),
            draw(arrays(np.uint8, (n, 16), elements=st.sampled_from([int(v) for v in Visibility]))),
        )
    return tables


def full_tables() -> dict[ClipKey, ClipPoses]:
    """Two persons in every frame of the first clip, one in the first two frames of the second; some joints hidden."""
    rng = np.random.default_rng(0)
    tables = {}
    for key, pairs in (
        (CLIPS[0].key, [(f, p) for f in FRAMES[CLIPS[0].key] for p in (0, 1)]),
        (CLIPS[1].key, [(f, 0) for f in FRAMES[CLIPS[1].key][:2]]),
    ):
        n = len(pairs)
        visibility = rng.choice([0, 1, 2], (n, 16), p=[0.1, 0.2, 0.7]).astype(np.uint8)
        keypoints = rng.uniform(2, 46, (n, 16, 2)).astype(np.float32)
        tables[key] = table([f for f, _ in pairs], [p for _, p in pairs], keypoints, visibility)
    return tables

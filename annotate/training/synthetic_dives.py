"""Synthetic dives with their true poses, as labelled frames: beside real ones, so that nothing is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from annotate.merge import merge_clips
from annotate.training.labelled_frames import LabelledFrame, read_labelled_frames
from finediving_pose.clip import Clip
from finediving_pose.errors import PoseError
from finediving_pose.extraction.clips_table import add_clips
from finediving_pose.extraction.run import extract_videos
from finediving_pose.formats.intake import take_in
from finediving_pose.labels.read import read_labels
from finediving_pose.progress import console
from finediving_pose.synth.competition import make_competition
from finediving_pose.workspace import Workspace

DIVES, SEED = 40, 72


def made_for(target: Path) -> Path:
    """The folder of the dives that are made for the training of the checkpoint ``target``."""
    return target.parent / ".synthetic"


def synthetic_frames(workspace: Workspace, clips: Sequence[Clip], folder: Path) -> list[LabelledFrame]:
    """Those of the data directory that have merged poses; where there are none, of dives made in ``folder``.

    A making that was stopped goes on.
    """
    try:
        found = read_labelled_frames(workspace, [c for c in clips if c.source == "synthetic"])
    except PoseError:  # none
        made, data = folder / "made", Workspace(folder / "data")
        console.print(f"making {DIVES} synthetic dives to train on beside the frames of {workspace.root}")
        make_competition(made, dives=DIVES, seed=SEED)
        own = add_clips(data, read_labels(made / "labels"))
        extract_videos(data, made / "videos", own)
        take_in(data, own, [made / "truth" / "annotations.json"], "truth")
        merge_clips(data, own)
        found = read_labelled_frames(data, own)
    return [frame for frames in found.values() for frame in frames]

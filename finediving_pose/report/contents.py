"""A picture of what a packed file holds: where its bytes go, which dives are in it, and some of its frames."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.packed.reader import PackedFile, open_packed
from finediving_pose.report.charts import BLUE, GREY, ORANGE, PLAIN_TEXT
from finediving_pose.report.overlay import draw_pose
from finediving_pose.workspace import atomic_write

PICTURES = 6
_GROUPS = {
    "JPEG frames": ("frames/jpeg",),
    "cache": ("cache/",),
    "poses": ("pose/",),
    "labels": ("clips/", "labels/"),
    "offsets, digests": ("frames/jpeg_offset", "frames/number", "digest/"),
}


def draw_contents(path: Path, target: Path) -> Path:
    """Write the picture, a PNG file.

    Raises
    ------
    PackedError
        ``path`` is no packed file, or can't be read.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    with open_packed(path) as packed, matplotlib.rc_context(PLAIN_TEXT):
        figure = plt.figure(figsize=(12, 5.6), layout="constrained", facecolor="white")
        rows = figure.add_gridspec(2, 1, height_ratios=(1.6, 1))
        charts, pictures = rows[0].subgridspec(1, 4), rows[1].subgridspec(1, PICTURES)
        figure.suptitle(_title(packed), x=0.01, ha="left", fontsize=11)
        for k, draw in enumerate((_sizes, _splits, _stages, _scores)):
            _plain(draw(figure.add_subplot(charts[k]), packed))
        for k, i in enumerate(_shown(packed)):
            _picture(figure.add_subplot(pictures[k]), packed, i)
        with atomic_write(target) as part:
            figure.savefig(part, format="png", dpi=110)
        plt.close(figure)
    return target


def _title(packed: PackedFile) -> str:
    n, frames = len(packed), packed.shape("frames/number")[0]
    return (
        f"{packed.path.name}   {n:,} clips, {frames:,} frames, {packed.path.stat().st_size / 1e6:,.0f} MB,"
        f" format {packed.attrs['version']}, digest {packed.digest[:12]}"
    )


def _sizes(ax: Any, packed: PackedFile) -> Any:
    sizes = packed.sizes()
    groups = {}
    for group, prefixes in _GROUPS.items():
        taken = [name for name in sizes if name.startswith(prefixes)]
        groups[group] = sum(sizes.pop(name) for name in taken) / 1e6
    groups = {g: mb for g, mb in groups.items() if mb}
    bars = ax.barh(list(groups), list(groups.values()), color=BLUE, height=0.7)
    ax.bar_label(bars, [f"{mb:,.1f}" if mb < 100 else f"{mb:,.0f}" for mb in groups.values()], padding=3, fontsize=9)
    ax.set_title("MB", fontsize=10, loc="left")
    ax.invert_yaxis()
    ax.margins(x=0.2)
    ax.xaxis.set_visible(False)
    return ax


def _splits(ax: Any, packed: PackedFile) -> Any:
    kinds = Counter((c.split, _event(c.height_m, c.synchronised)) for c in packed.clips)
    splits = [s for s in ("train", "test", "none") if any(s == split for split, _ in kinds)]
    left = np.zeros(len(splits))
    for event, colour in zip(dict.fromkeys(e for _, e in sorted(kinds, key=lambda k: k[1])), _COLOURS, strict=False):
        counts = np.array([kinds[s, event] for s in splits])
        ax.barh(splits, counts, left=left, color=colour, height=0.7, label=event)
        left += counts
    for y, total in enumerate(left):
        ax.text(total, y, f" {int(total):,}", va="center", fontsize=9)
    ax.set_title("clips by split and event", fontsize=10, loc="left")
    ax.invert_yaxis()
    ax.margins(x=0.2)
    ax.xaxis.set_visible(False)
    ax.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=2)
    return ax


def _event(height: float | None, synchronised: bool | None) -> str:
    board = f"{height:g} m" if height else "height unknown"
    return f"{board}, synchronised" if synchronised else board


def _stages(ax: Any, packed: PackedFile) -> Any:
    counts = Counter(c.n_stages for c in packed.clips)
    names = [str(n) if n else "none" for n in sorted(counts)]
    bars = ax.bar(names, [counts[n] for n in sorted(counts)], color=BLUE, width=0.7)
    ax.bar_label(bars, padding=2, fontsize=9)
    ax.set_title("clips by number of stages", fontsize=10, loc="left")
    ax.yaxis.set_visible(False)
    ax.margins(y=0.12)
    return ax


def _scores(ax: Any, packed: PackedFile) -> Any:
    scores = packed.columns["dive_score"]
    scores = scores[np.isfinite(scores)]
    if len(scores):
        ax.hist(scores, bins=min(30, max(5, len(scores) // 3)), color=BLUE, rwidth=0.92)
    ax.set_title(f"dive scores ({len(scores):,})", fontsize=10, loc="left")
    return ax


def _shown(packed: PackedFile) -> list[int]:
    """Rows of a few clips, spread over the file."""
    return sorted({round(i) for i in np.linspace(0, len(packed) - 1, min(PICTURES, len(packed)))})


def _picture(ax: Any, packed: PackedFile, i: int) -> None:
    """The middle frame of a clip, with its poses."""
    clip = packed[i]
    at = len(clip) // 2
    picture = clip.frames[at]
    for person in range(2):
        pose = clip.poses
        if np.isfinite(pose.keypoints[at, person]).any():
            picture = draw_pose(
                picture, pose.keypoints[at, person], pose.visibility[at, person], pose.source[at, person],
                pose.box[at, person], confidence=pose.confidence[at, person],
            )  # fmt: skip
    ax.imshow(picture, interpolation="antialiased")
    key = f"{clip.key}"
    words = " ".join(filter(None, (clip.labels.action_type, f"frame {at + 1} of {len(clip)}")))
    ax.set_title(f"{key if len(key) < 28 else '...' + key[-25:]}\n{words}", fontsize=8, loc="left")
    ax.axis("off")


_COLOURS = (BLUE, ORANGE, "#5aa9a3", "#b3598c", GREY)


def _plain(ax: Any) -> None:
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.tick_params(length=0, labelsize=9)

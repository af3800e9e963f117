"""A picture of what a packed file holds: where its bytes go, which dives are in it, and some of its frames."""

from __future__ import annotations

import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.packed.arrays import PackedPoses
from finediving_pose.packed.reader import PackedFile, open_packed
from finediving_pose.report.charts import BLUE, GREY, LEAST_VALUES, ORANGE, PLAIN_TEXT
from finediving_pose.report.lettering import wrap
from finediving_pose.report.views import Person, draw_view, person_of, square_around
from finediving_pose.validate.words import counted
from finediving_pose.workspace import atomic_write

PICTURES, SIDE = 6, 220
WIDTH, DPI = 12, 110
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
        charts = [draw for draw, tells in _CHARTS if tells(packed)]
        pictures = _pictures(packed)
        title = textwrap.fill(_title(packed), 140)
        heights = [3.4 * bool(charts), 2.8 * bool(pictures)]
        size = (WIDTH, sum(heights) + 0.25 * (title.count("\n") + 2))
        figure = plt.figure(figsize=size, layout="constrained", facecolor="white")
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        rows = figure.add_gridspec(2, 1, height_ratios=[max(h, 0.01) for h in heights])
        upper, lower = rows[0].subgridspec(1, max(len(charts), 1)), rows[1].subgridspec(1, PICTURES)
        for k, draw in enumerate(charts):
            _plain(draw(figure.add_subplot(upper[k]), packed))
        for k, (words, picture) in enumerate(pictures):
            _show(figure.add_subplot(lower[k]), words, picture)
        with atomic_write(target) as part:
            figure.savefig(part, format="png", dpi=DPI)
        plt.close(figure)
    return target


def _title(packed: PackedFile) -> str:
    """The file in numbers, and in words what charts would show as a single bar or as equal ones."""
    posed = int((packed.dataset("pose/visibility") > 0).any((-1, -2)).sum()) if len(packed) else 0
    parts = [
        f"{packed.path.name}: {counted(len(packed), 'clip')}",
        f"{counted(packed.shape('frames/number')[0], 'frame')}, {posed:,} of them with a pose",
        f"{packed.path.stat().st_size / 1e6:,.0f} MB, format {packed.attrs['version']}, digest {packed.digest[:12]}",
    ]
    stages = Counter(c.n_stages for c in packed.clips if c.n_stages)
    if stages and not _tells_stages(packed):
        parts.append(f"{' or '.join(str(n) for n in sorted(stages))} stages")
    scores = _known_scores(packed)
    if len(scores) and not _tells_scores(packed):
        parts.append(f"{counted(len(scores), 'score')}, {scores.min():g} to {scores.max():g}")
    return "; ".join(parts)


def _sizes(ax: Any, packed: PackedFile) -> Any:
    sizes = packed.sizes()
    groups = {}
    for group, prefixes in _GROUPS.items():
        taken = [name for name in sizes if name.startswith(prefixes)]
        groups[group] = sum(sizes.pop(name) for name in taken) / 1e6
    groups = {g: mb for g, mb in groups.items() if mb >= 0.05}
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
    scores = _known_scores(packed)
    ax.hist(scores, bins=min(30, max(5, len(scores) // 3)), color=BLUE, rwidth=0.92)
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.set_title(f"dive scores ({len(scores):,})", fontsize=10, loc="left")
    return ax


def _known_scores(packed: PackedFile) -> np.ndarray:
    scores = packed.columns["dive_score"]
    return scores[np.isfinite(scores)]


def _tells_sizes(packed: PackedFile) -> bool:
    return packed.shape("frames/number")[0] > 0


def _tells_splits(packed: PackedFile) -> bool:
    return len({(c.split, _event(c.height_m, c.synchronised)) for c in packed.clips}) > 1


def _tells_stages(packed: PackedFile) -> bool:
    return len(set(Counter(c.n_stages for c in packed.clips).values())) > 1


def _tells_scores(packed: PackedFile) -> bool:
    return len(_known_scores(packed)) >= LEAST_VALUES


_CHARTS = ((_sizes, _tells_sizes), (_splits, _tells_splits), (_stages, _tells_stages), (_scores, _tells_scores))
"""Charts, and whether each says more than a sentence: one bar, equal bars or none are left out."""


def _pictures(packed: PackedFile) -> list[tuple[str, np.ndarray]]:
    """(words, picture) of a few clips, spread over the file: the middle one of the frames with a pose."""
    spread = np.linspace(0, len(packed) - 1, min(PICTURES, len(packed)))
    pictures = []
    for i in sorted({round(i) for i in spread}):
        clip = packed[i]
        posed = [k for k in range(len(clip)) if _people(clip.poses, k)]
        if not len(clip):
            continue
        at = posed[len(posed) // 2] if posed else len(clip) // 2
        frame, people = clip.frames[at], _people(clip.poses, at)
        view = square_around(people, frame.shape[1], frame.shape[0])
        number = f"{clip.labels.action_type}, " if clip.labels.action_type else ""
        words = f"{clip.key}\n{number}frame {at + 1} of {len(clip)}{'' if people else ', no diver'}"
        pictures.append((words, draw_view(frame, view, SIDE, people)))
    return pictures


def _people(poses: PackedPoses, at: int) -> list[Person]:
    return [p for p in (person_of(poses, (at, k)) for k in range(2)) if p.is_there]


def _show(ax: Any, words: str, picture: np.ndarray) -> None:
    """A picture under its words, which are wrapped to its width."""
    ax.imshow(picture, interpolation="antialiased")
    ax.set_title("\n".join(wrap(words, 0.92 * WIDTH * DPI / PICTURES, round(8 * DPI / 72))), fontsize=8, loc="left")
    ax.axis("off")


_COLOURS = (BLUE, ORANGE, "#5aa9a3", "#b3598c", GREY)


def _plain(ax: Any) -> None:
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.tick_params(length=0, labelsize=9)

"""Charts as SVG text to be put into a page: they take the page's colour and fonts."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

BLUE, ORANGE, GREY = "#2f7fd6", "#e07b1f", "#8a8f98"
PLAIN_TEXT: dict[Any, Any] = {"text.parse_math": False, "text.usetex": False}
"""For ``matplotlib.rc_context`` around every figure: a ``$`` in a video's name is a letter, no formula."""
_INK = "#010203"  # stands for the page's own text colour until the SVG is written
LEAST_VALUES = 12
_salt = itertools.count()


def histogram(values: Mapping[str, Sequence[float]], label: str) -> str | None:
    """Stacked histogram of named groups of values; None for fewer than 12 values, whose bars would all be alike."""
    groups = {name: [v for v in vs if np.isfinite(v)] for name, vs in values.items()}
    groups = {name: vs for name, vs in groups.items() if vs}
    total = sum(map(len, groups.values()))
    if total < LEAST_VALUES:
        return None
    with _figure(5.2, 2.6) as (ax, svg):
        ax.hist(
            list(groups.values()),
            bins=min(24, round(1.6 * total**0.5)),
            stacked=True,
            color=(BLUE, ORANGE, GREY)[: len(groups)],
            rwidth=0.92,
        )
        _words(ax, label, "dives")
        ax.yaxis.get_major_locator().set_params(integer=True)
        _legend(ax, groups)
    return svg()


def bars(counts: Mapping[str, int]) -> str | None:
    """Horizontal bars, the first at the top, the number at the end of each; None where all are equal."""
    if len(set(counts.values())) < 2:
        return None
    names = list(counts)
    with _figure(5.2, 0.6 + 0.24 * len(names)) as (ax, svg):
        ax.barh(names, list(counts.values()), color=BLUE, height=0.7)
        ax.bar_label(ax.containers[0], padding=3, color=_INK, fontsize=9)
        ax.invert_yaxis()
        ax.margins(x=0.1, y=0.01)
        ax.xaxis.set_visible(False)
        ax.spines["bottom"].set_visible(False)
        ax.tick_params(length=0)
    return svg()


def curves(history: Sequence[Mapping[str, Any]]) -> str:
    """Every loss of a training history over its epochs, and on a second axis every rho."""
    epochs = [h.get("epoch", i + 1) for i, h in enumerate(history)]
    keys = list(dict.fromkeys(k for h in history for k in h))
    with _figure(4.4, 4.0) as (ax, svg):
        for k, colour in zip((k for k in keys if k.endswith("loss")), itertools.cycle(_COLOURS), strict=False):
            ax.plot(
                epochs, [h.get(k, np.nan) for h in history], label=_name(k), color=colour, lw=2 if k == "loss" else 1
            )
        _words(ax, "epoch", "loss")
        right = None
        for k in (k for k in keys if "rho" in k):
            right = right or ax.twinx()
            known = [(e, h[k]) for e, h in zip(epochs, history, strict=True) if h.get(k) is not None]
            right.plot(*zip(*known, strict=True), label=_name(k), color=ORANGE, marker="o", ms=3, lw=1)
            right.set_ylabel("rho")
            right.spines["right"].set_visible(True)
        ax.set_ylim(bottom=0)
        ax.xaxis.get_major_locator().set_params(integer=True)
        lines = [*ax.get_lines(), *(right.get_lines() if right else ())]
        names = [str(line.get_label()) for line in lines]
        ax.figure.legend(lines, names, loc="outside lower center", ncols=2, frameon=False, labelcolor=_INK, fontsize=9)
    return svg()


SCORE_EDGE = 12.0
"""Points; a typing error of an award, 45 for 4.5, makes a difference of 100 that would flatten all others."""


def formula(right: Sequence[tuple[float, float]], odd: Sequence[tuple[float, float]]) -> str:
    """How far listed scores lie from awards x difficulty, (computed, listed) each; those with a finding in orange."""
    ends = [v for v, _ in (*right, *odd) if np.isfinite(v)] or [0.0]
    last = max(float(np.percentile(ends, 99.9)) * 1.05, 1.0)
    with _figure(5.0, 3.4) as (ax, svg):
        for pairs, style in (
            (right, {"s": 7, "color": GREY, "alpha": 0.5, "label": "no finding", "rasterized": True}),
            (odd, {"s": 16, "color": ORANGE, "alpha": 0.85, "label": "with a finding"}),
        ):
            computed, listed = np.array(pairs, float).reshape(-1, 2).T
            ax.scatter(
                np.minimum(computed, last), np.clip(listed - computed, -SCORE_EDGE, SCORE_EDGE), linewidths=0, **style
            )
        ax.set(xlim=(-0.02 * last, 1.02 * last), ylim=(-1.06 * SCORE_EDGE, 1.06 * SCORE_EDGE))
        _words(ax, "awards x difficulty, points", "listed score minus that")
        ax.legend(frameon=False, labelcolor=_INK, fontsize=9, loc="upper left")
    return svg()


_COLOURS = (BLUE, "#1f9d78", "#a05cc8", "#c8963c", GREY)


def _name(key: str) -> str:
    return key.replace("_", " ")


def _words(ax: Any, x: str, y: str) -> None:
    ax.set_xlabel(x)
    ax.set_ylabel(y)


def _legend(ax: Any, groups: Mapping[str, Any]) -> None:
    if len(groups) > 1:
        ax.legend(list(groups), frameon=False, labelcolor=_INK, fontsize=9)


@contextmanager
def _figure(width: float, height: float) -> Iterator[Any]:
    """The axes of a figure, and a function that gives its SVG once drawn."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        **PLAIN_TEXT,
        "svg.fonttype": "none",  # text stays text, in the page's font
        "svg.hashsalt": f"fdpose{next(_salt)}",  # else two charts share the names of their clip paths
        "font.size": 10,
        "font.family": "sans-serif",
        "axes.spines.top": False,
        "axes.spines.right": False,
        **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK),
    }
    with matplotlib.rc_context(style):
        fig = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(fig)
        yield fig.add_subplot(), lambda: _svg(fig)


def _svg(fig: Any) -> str:
    out = io.StringIO()
    fig.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :].replace(_INK, "currentColor")

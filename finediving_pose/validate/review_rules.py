"""Rules on what people said of poses in ``fdpose review``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from finediving_pose.reviews import MachinePose, Review, ReviewState
from finediving_pose.validate.layer_poses import LayerPoses
from finediving_pose.validate.rules import Finding, rule

CHANGED_PIXELS = 1.0
"""A pose whose joints moved by less on average is the same."""


@rule("pose.reviews-readable", severity="error")
def reviews_are_readable(layer: LayerPoses) -> Iterator[Finding]:
    """A file of reviews can be read."""
    if layer.review_problem and layer.layer == min([layer.layer, *layer.others]):
        yield layer.finding(layer.review_problem)


@rule("pose.rejected", severity="warning")
def nobody_rejects_a_pose(layer: LayerPoses) -> Iterator[Finding]:
    """No pose is left that somebody rejected in review, and nobody corrected or accepted."""
    yield from _said(layer, ReviewState.REJECTED, "rejected by")


@rule("pose.unsure", severity="note")
def somebody_is_sure(layer: LayerPoses) -> Iterator[Finding]:
    """No pose is left of which somebody was unsure in review, and that nobody corrected or accepted."""
    yield from _said(layer, ReviewState.UNSURE, "not judged for certain by")


@rule("pose.accepted-changed", severity="warning")
def accepted_poses_stay(layer: LayerPoses) -> Iterator[Finding]:
    """An automatic pose that somebody accepted is still the one that was accepted.

    A finding means that another estimator moved its joints since, by more than a pixel on average.
    """
    if layer.layer != "auto" or layer.poses is None:
        return
    rows = []
    for review in layer.reviews:
        row = layer.poses.row(review.frame, review.person)
        if review.state is ReviewState.ACCEPTED and review.machine is not None and row is not None:
            rows += [row] * (moved(review.machine, layer.points[row]) > CHANGED_PIXELS)
    if rows:
        yield layer.on_rows("another pose than the one that was accepted", np.unique(rows))


def moved(before: MachinePose, now: np.ndarray) -> float:
    """Mean distance of a pose's joints (16, 2) from where they were, pixels.

    Infinite where only one of the two has joints, 0 where neither has.
    """
    then = before.points
    apart = np.linalg.norm(then - now, axis=-1)
    if np.isfinite(apart).any():
        return float(np.nanmean(apart))
    return float("inf") if np.isfinite(then).any() != np.isfinite(now).any() else 0.0


def _said(layer: LayerPoses, state: ReviewState, words: str) -> Iterator[Finding]:
    """Once a clip: of the automatic poses, or of the merged ones where there are none."""
    if layer.poses is None or layer.by_hand or (layer.layer == "merged" and "auto" in layer.others):
        return
    better = {_place(r) for r in layer.reviews if r.state in (ReviewState.ACCEPTED, ReviewState.CORRECTED)}
    left = [r for r in layer.reviews if r.state is state and _place(r) not in better]
    rows = {
        row: r for r in left if (row := layer.poses.row(r.frame, r.person)) is not None and layer.present[row].any()
    }
    if rows:
        names = ", ".join(sorted({r.annotator for r in rows.values()}))
        yield layer.on_rows(f"{words} {names}", np.array(sorted(rows)))


def _place(review: Review) -> tuple[int, int]:
    return review.frame, review.person

"""Rules that look at all clips together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from finediving_pose.clip import Clip
from finediving_pose.validate.rules import Finding, rule


@rule("split.ranges-overlap", severity="warning")
def ranges_do_not_overlap(clips: list[Clip]) -> Iterator[Finding]:
    """Two dives of one video share no frames."""
    placed = sorted((c for c in clips if c.frame_range), key=lambda c: (c.key.video, c.start_frame, c.key))
    for _, dives in groupby(placed, key=lambda c: c.key.video):
        last: Clip | None = None
        for clip in dives:
            shared = _shared_frames(last, clip) if last else 0
            if last and shared:
                splits = f", one in {last.split}, one in {clip.split}" if last.split != clip.split else ""
                yield Finding(
                    clip.key,
                    f"frames {clip.start_frame} to {clip.end_frame} share {shared} with {last.key}"
                    f" ({last.start_frame} to {last.end_frame}){splits}",
                )
            if last is None or (clip.end_frame or 0) > (last.end_frame or 0):
                last = clip


@rule("split.test-exemplar", severity="warning")
def test_dives_have_an_exemplar(clips: list[Clip]) -> Iterator[Finding]:
    """For every test dive there is a training dive of the same number to compare it with."""
    train = Counter(c.action_type for c in clips if c.split == "train")
    for clip in clips:
        if clip.split == "test" and clip.action_type and not train[clip.action_type]:
            yield Finding(clip.key, f"no training dive has the number {clip.action_type}, so there is no exemplar")


@rule("split.train-exemplar", severity="warning")
def training_dives_have_an_exemplar(clips: list[Clip]) -> Iterator[Finding]:
    """For every training dive there is another one of the same number."""
    train = Counter(c.action_type for c in clips if c.split == "train")
    for clip in clips:
        if clip.split == "train" and clip.action_type and train[clip.action_type] == 1:
            yield Finding(
                clip.key, f"the only training dive with the number {clip.action_type}; it can only pair itself"
            )


@rule("split.both-sides", severity="warning")
def there_is_something_to_test(clips: list[Clip]) -> Iterator[Finding]:
    """Where there are splits, both have dives."""
    splits = Counter(c.split for c in clips)
    for have, lack in (("train", "test"), ("test", "train")):
        if splits[have] and not splits[lack]:
            yield Finding(clips[0].key, f"{splits[have]:,} dives are in the {have} split and none in the {lack} split")


def _shared_frames(a: Clip, b: Clip) -> int:
    assert a.frame_range and b.frame_range
    return max(0, min(a.frame_range.stop, b.frame_range.stop) - max(a.frame_range.start, b.frame_range.start))

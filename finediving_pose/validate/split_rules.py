"""Rules on which dives are for training and which for testing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator

from finediving_pose.clip import Clip
from finediving_pose.events import competition, diver, event
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.words import counted


@rule("split.test-exemplar", severity="warning")
def test_dives_have_an_exemplar(clips: list[Clip]) -> Iterator[Finding]:
    """Every test dive has a training dive of the same dive number to be compared with."""
    train = Counter(c.action_type for c in clips if c.split == "train")
    for clip in clips:
        if clip.split == "test" and clip.action_type and not train[clip.action_type]:
            what = f"no training dive has the number {clip.action_type}, so there is no exemplar"
            yield Finding(
                clip.key, what, "action_type", clip.action_type, level="convention", evidence="counted in the splits"
            )


@rule("split.train-exemplar", severity="warning")
def training_dives_have_an_exemplar(clips: list[Clip]) -> Iterator[Finding]:
    """Every training dive has another one of the same dive number."""
    train = Counter(c.action_type for c in clips if c.split == "train")
    for clip in clips:
        if clip.split == "train" and clip.action_type and train[clip.action_type] == 1:
            what = f"the only training dive with the number {clip.action_type}; it can only pair itself"
            yield Finding(
                clip.key, what, "action_type", clip.action_type, level="convention", evidence="counted in the splits"
            )


@rule("split.both-sides", severity="warning")
def there_is_something_to_test(clips: list[Clip]) -> Iterator[Finding]:
    """If there are splits, both train and test have dives."""
    splits = Counter(c.split for c in clips)
    for have, lack in (("train", "test"), ("test", "train")):
        if splits[have] and not splits[lack]:
            dives = counted(splits[have], "dive")
            what = f"{dives} {'is' if splits[have] == 1 else 'are'} in the {have} split and none in the {lack} split"
            yield Finding(clips[0].key, what, "split", have, "train and test")


@rule("split.no-split", severity="warning")
def every_dive_is_in_a_split(clips: list[Clip]) -> Iterator[Finding]:
    """If there are splits, every dive is in one."""
    if any(c.split != "none" for c in clips):
        for clip in clips:
            if clip.split == "none":
                yield Finding(clip.key, "in neither the train nor the test split", "split", "none", "train or test")


@rule("split.video-leak", severity="warning")
def videos_are_on_one_side(clips: list[Clip]) -> Iterator[Finding]:
    """No video has dives in both splits.

    Dives of one video share hall, camera, judges and divers, so a model can recognise them. Split by event with
    ``fdpose split``.
    """
    yield from _leaks(clips, lambda c: c.key.video, "this video")


@rule("split.event-leak", severity="note")
def events_are_on_one_side(clips: list[Clip]) -> Iterator[Finding]:
    """No event has dives in both splits.

    The videos of one event are its rounds; they show the same divers. Which videos are rounds of one event is listed
    in ``data_manifest/videos.csv``, or is taken from their names.
    """
    yield from _leaks(clips, event, "this event")


@rule("split.competition-leak", severity="note")
def competitions_are_on_one_side(clips: list[Clip]) -> Iterator[Finding]:
    """No competition has dives in both splits.

    The events of one competition are held in one hall, and some divers dive in several of them.
    """
    yield from _leaks(clips, competition, "this competition")


@rule("split.diver-leak", severity="note")
def divers_are_on_one_side(clips: list[Clip]) -> Iterator[Finding]:
    """No diver has dives in both splits, where the start order tells the diver.

    Divers are numbered within an event (``data_manifest/start_orders.csv``). A diver who dives in two events is not
    recognised.
    """
    yield from _leaks([c for c in clips if diver(c)], lambda c: diver(c) or "", "this diver")


def _leaks(clips: Iterable[Clip], group_of: Callable[[Clip], str], what: str) -> Iterator[Finding]:
    groups: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        groups[group_of(clip)].append(clip)
    for dives in groups.values():
        n = Counter(c.split for c in dives)
        if n["train"] and n["test"]:
            first = next(c for c in dives if c.split == "test")
            split = f"{n['train']} train, {n['test']} test"
            said = f"{what} has dives in both splits: {split}"
            yield Finding(first.key, said, "split", split, level="convention", evidence="counted in the splits")

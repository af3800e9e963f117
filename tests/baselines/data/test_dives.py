"""Pairs, votes and splits; a packed file is stood in for by an object with the same methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import torch

from baselines.data.dives import Dives
from baselines.data.exemplars import Voters, choose_voters, groups_of
from baselines.data.pairs import TrainingPairs, collate_pairs, labels_and_pairs
from baselines.data.settings import DataSettings
from baselines.data.splits import split_clips
from baselines.data.transforms import resized
from baselines.method import Needs
from finediving_pose.clip import Clip
from finediving_pose.errors import PackedError
from finediving_pose.packed.reader import PackedFile
from tests.baselines.made_up import InMemory, clip, packed, ten

ALL = Needs.POSES | Needs.STAGES | Needs.NUMBER


def test_clips_take_part_by_their_split() -> None:
    split = split_clips(packed(*ten(), clip(10, "none")), ALL)
    assert (split.train, split.validation, split.test) == (tuple(range(8)), (), (8, 9))
    assert split.left_out == {}


def test_clips_that_lack_something_are_left_out_and_counted() -> None:
    clips = ten()
    clips[0] = replace(clips[0], dive_score=None)
    clips[1] = replace(clips[1], stage_starts=(), sub_actions=())
    split = split_clips(packed(*clips, without_poses=(2, 3)), ALL)
    assert split.train == (4, 5, 6, 7)
    assert split.left_out == {"no score": ["video0/0"], "no stages": ["video0/1"], "no poses": ["video0/2", "video0/3"]}


def test_validation_takes_whole_videos_and_leaves_an_exemplar() -> None:
    clips = [clip(i) for i in range(40)] + [clip(40, "test"), clip(41, "test")]
    split = split_clips(packed(*clips), ALL, validation_share=0.2)
    videos = {clips[i].key.video for i in split.validation}
    assert split.validation
    assert not videos & {clips[i].key.video for i in split.train}
    assert len(split.train) + len(split.validation) == 40


@pytest.mark.parametrize(
    ("clips", "words"),
    [
        ([clip(0, "none"), clip(1, "none")], "none of its 2 clips is in the train or test split"),
        ([clip(0), clip(1), clip(2, "test")], "1 usable test clips, at least 2"),
        (
            [clip(0), clip(1), clip(2, "test"), clip(3, "test", "5253b")],
            r"1 of 2 test .* video0/3 \(5253b\); pair them by",
        ),
        (
            [clip(i, stage_starts=(), sub_actions=()) for i in range(4)],
            r"4 of 4 have no stages \(video0/0, .*\): fdpose",
        ),
    ],
)
def test_what_can_not_be_trained_on_is_said(clips: list[Clip], words: str) -> None:
    with pytest.raises(PackedError, match=words) as caught:
        split_clips(packed(*clips), ALL)
    assert "\n" not in str(caught.value)


def test_without_poses_the_way_to_them_is_said() -> None:
    with pytest.raises(PackedError, match=r"10 of 10 have no poses \(video0/0, .* 7 more\): fdpose annotate"):
        split_clips(packed(*ten(), without_poses=tuple(range(10))), ALL)


def dives(**fields: Any) -> Dives:
    settings = DataSettings(frames=8, resize=(100, 56), crop=48, **fields)
    return Dives(packed(*ten(), clip(10, number="301c")), settings)


def test_a_sample_has_the_shapes_that_the_model_reads() -> None:
    sample = dives().sample(3)
    assert sample["video"].shape == (3, 8, 48, 48)
    assert sample["pose"].shape == (2, 8, 16, 1)
    assert sample["transitions"].tolist() == [2, 5]
    assert float(sample["score"]) == 53


def test_samples_are_the_same_from_memory() -> None:
    kept = dives(in_memory=True)
    first = kept.sample(3)
    assert torch.equal(kept.sample(3)["video"], first["video"])
    assert torch.equal(dives().sample(3)["video"], first["video"])


def test_an_exemplar_has_the_query_s_number_and_is_another_dive() -> None:
    pairs = TrainingPairs(dives(), range(8), exemplars=2)
    for n in range(8):
        query, *exemplars = (s["clip"] for s in pairs[n])
        assert query == n
        assert len({query, *exemplars}) == 3
        assert all(e % 2 == n % 2 for e in exemplars)


def test_a_dive_alone_with_its_number_is_its_own_exemplar() -> None:
    query, exemplar = TrainingPairs(dives(), [0, 10])[1]
    assert query["clip"] == exemplar["clip"] == 10


def test_a_batch_holds_every_clip_once() -> None:
    pairs = TrainingPairs(dives(), range(8))
    items = [pairs[n] for n in range(8)]
    batch = collate_pairs(items)
    assert len(batch["video"]) == len({s["clip"] for item in items for s in item}) == 8
    scores = batch["score"]
    for (query, exemplar), q, e in zip(items, batch["query"], batch["exemplar"], strict=True):
        assert scores[q] == query["score"]
        assert scores[e] == exemplar["score"]


def test_every_pair_of_a_batch_shares_its_number_and_stands_once() -> None:
    pairs = TrainingPairs(dives(), range(8))
    batch = collate_pairs([pairs[n] for n in range(8)], every_pair=True)
    numbers = (batch["score"] - 50).long() % 2
    couples = {frozenset(p) for p in zip(batch["query"].tolist(), batch["exemplar"].tolist(), strict=True)}
    assert len(couples) == len(batch["query"]) == 2 * 6
    assert torch.equal(numbers[batch["query"]], numbers[batch["exemplar"]])


def test_items_may_come_without_exemplars() -> None:
    pairs = TrainingPairs(dives(), range(8), exemplars=0)
    batch = collate_pairs([pairs[n] for n in range(4)], every_pair=True)
    assert len(batch["video"]) == 4
    assert {(q, e) for q, e in zip(batch["query"].tolist(), batch["exemplar"].tolist(), strict=True)} == {
        (0, 2),
        (1, 3),
    }
    strangers = collate_pairs([pairs[n] for n in (0, 1)], every_pair=True)
    assert (strangers["query"].tolist(), strangers["exemplar"].tolist()) == ([0], [0])


@pytest.mark.parametrize("rule", ["panel", "each"])
def test_voters_are_different_train_dives_of_the_number_and_follow_from_the_seed(rule: Voters) -> None:
    clips = ten()
    voters = choose_voters(clips, [8, 9, 0], range(8), 3, 1, rule)
    assert [len(set(v)) for v in voters] == [3, 3, 3]
    assert all(j % 2 == parity for v, parity in zip(voters, (0, 1, 0), strict=True) for j in v)
    assert 0 not in voters[2]
    assert voters == choose_voters(clips, [8, 9, 0], range(8), 3, 1, rule)
    assert voters != choose_voters(clips, [8, 9, 0], range(8), 3, 2, rule)


def test_a_panel_judges_all_dives_of_its_number() -> None:
    clips = [*(clip(i) for i in range(20)), *(clip(i, "test") for i in range(20, 26))]
    panel, each = (choose_voters(clips, range(20, 26), range(20), 5, 0, rule) for rule in ("panel", "each"))
    assert len({tuple(v) for v in panel}) == 1
    assert len({tuple(v) for v in each}) > 1


def test_without_an_exemplar_of_its_number_the_nearest_in_difficulty_votes() -> None:
    train = [clip(i, difficulty=d) for i, d in enumerate((1.6, 2.0, 2.8, 3.0, 3.2, 3.8))] + [clip(6, difficulty=None)]
    clips = [*train, clip(7, "test"), clip(8, "test", "5253b", difficulty=3.1), clip(9, "test", "405b", difficulty=1.5)]
    with pytest.raises(PackedError, match=r"2 of 3 test dives .* --exemplar-fallback difficulty"):
        split_clips(packed(*clips), ALL)
    split = split_clips(packed(*clips), ALL, fallback="difficulty")
    assert split.test == (7, 8, 9)
    for rule in ("panel", "each"):
        assert choose_voters(clips, [8, 9], split.train, 2, 0, rule) == [[3, 4], [0, 1]]


def test_a_dive_without_number_and_difficulty_to_go_by_is_refused_all_the_same() -> None:
    clips = [clip(0), clip(1), clip(2, "test"), clip(3, "test", "5253b", difficulty=None)]
    with pytest.raises(PackedError, match=r"video0/3 \(5253b\); nor a degree of difficulty"):
        split_clips(packed(*clips), ALL, fallback="difficulty")
    clips = [clip(0, difficulty=None), clip(1, difficulty=None), clip(2, "test"), clip(3, "test", "5253b")]
    with pytest.raises(PackedError, match="no train dive has a degree of difficulty"):
        split_clips(packed(*clips), ALL, fallback="difficulty")


STARTS = [(5, 12), (4, 8, 14), (3, 6, 9, 15)]
NATIVE = [clip(i, stage_starts=s, sub_actions=tuple(range(len(s) + 1))) for i, s in enumerate(STARTS)]


def test_native_stages_keep_every_boundary_and_mark_what_a_dive_has_not() -> None:
    native = Dives(packed(*NATIVE), DataSettings(frames=20, stages="native"))
    three, four, five = (native.transitions(i) for i in range(3))
    assert three == (5, -1, -1, 12)
    assert four == (4, 8, -1, 14)
    assert five == (3, 6, 9, 15)
    assert Dives(packed(*NATIVE), DataSettings(frames=20)).transitions(2) == (3, 15)


def test_score_over_difficulty_is_the_target_and_goes_back_to_points() -> None:
    clips = [clip(0, difficulty=2.0, dive_score=50.0)]
    plain, over = (Dives(packed(*clips), DataSettings(frames=8, target=t)) for t in ("score", "score_over_difficulty"))
    assert (plain.unit(0), over.unit(0)) == (1.0, 2.0)
    assert float(over.sample(0)["score"]) * over.unit(0) == float(plain.sample(0)["score"]) == 50


def test_what_the_public_code_does_to_pictures_and_poses_can_be_had() -> None:
    """Squashed to 112 x 200, poses not mirrored with the picture."""
    file = packed(*ten())
    squashed = Dives(file, DataSettings(frames=8, resize=(112, 200)))
    assert squashed.sample(0)["video"].shape == (3, 8, 112, 112)
    assert not torch.allclose(squashed.sample(0)["video"], Dives(file, DataSettings(frames=8)).sample(0)["video"])
    flipped = {True: 0, False: 0}
    for follows in flipped:
        some = Dives(file, DataSettings(frames=8, pose_norm="none", flip_pose=follows))
        still = some.sample(0)["pose"]
        rng = np.random.default_rng(0)
        flipped[follows] = sum(not torch.equal(some.sample(0, rng)["pose"], still) for _ in range(12))
    assert flipped[False] == 0
    assert flipped[True] > 2


def test_bilinear_pictures_are_made_of_the_stored_frames() -> None:
    """At the cache's own size too, where area averages come from the cache."""
    clips, asked = InMemory(ten()), []
    clips.frames = lambda i, positions: (asked.append(i), clips.training_frames(i, positions))[1]  # type: ignore[method-assign]
    file = cast(PackedFile, clips)
    for resize in ((200, 112), (100, 56)):
        area, bilinear = (
            Dives(file, DataSettings(frames=8, resize=resize, crop=48, resample=r)) for r in ("area", "bilinear")
        )
        area.sample(0)
        assert asked == []
        bilinear.sample(0)
        assert asked.pop() == 0


def test_filters_are_drawn_for_every_picture_and_alike_in_every_test() -> None:
    some = Dives(packed(*ten()), DataSettings(frames=8, resize=(100, 56), crop=48, resample="random"))
    assert torch.equal(some.sample(0)["video"], some.sample(0)["video"])
    rng = np.random.default_rng(0)
    white = np.zeros((4, 64, 3), np.uint8)
    white[:, 31] = 160
    assert len({resized(white, 16, 4, "random", rng).tobytes() for _ in range(40)}) == 4


def test_training_clips_may_be_cropped_in_the_centre_and_mirrored_all_the_same() -> None:
    some = Dives(packed(*ten()), DataSettings(frames=8, resize=(60, 34), crop=32, train_crop="centre"))
    still, rng = some.sample(0)["video"], np.random.default_rng(0)
    drawn = [some.sample(0, rng)["video"] for _ in range(12)]
    mirrored = [torch.equal(video, still.flip(-1)) for video in drawn]
    assert [torch.equal(video, still) for video in drawn] == [not m for m in mirrored]
    assert 2 < sum(mirrored) < 10


def test_frames_spread_over_the_video_are_read_and_cut_alike() -> None:
    """In a clip of 134 frames, of which the 63rd is another one."""
    file = packed(clip(0, n_frames=134, stage_starts=(63, 100)))
    file.frame_numbers = lambda i: np.arange(1712, 1846)  # type: ignore[method-assign]
    ours, public = (Dives(file, DataSettings(sampling=s)) for s in ("clip", "video"))
    assert (ours.transitions(0), public.transitions(0)) == ((46, 72), (45, 72))
    assert np.flatnonzero(ours.positions(0) != public.positions(0)).tolist() == [45, 85, 90]


def test_the_public_code_s_transitions_are_the_last_frames_before_a_stage() -> None:
    clips = packed(clip(0), clip(1, stage_starts=(1, 2), sub_actions=(1, 2, 3)), *NATIVE)
    first, before = (Dives(clips, DataSettings(frames=20, boundary=b)) for b in ("first", "before"))
    assert (first.transitions(0), before.transitions(0)) == ((5, 12), (4, 11))
    assert before.transitions(1) == (0, 1)
    native = Dives(clips, DataSettings(frames=20, boundary="before", stages="native"))
    assert native.transitions(2) == (4, -1, -1, 11)


def test_a_clip_that_is_not_shared_is_augmented_for_every_place_of_a_pair() -> None:
    """As the public code does; by default it stands once in the batch, as it was drawn first."""
    some, rng = dives(), np.random.default_rng(0)
    items = [[some.sample(i, rng) for i in pair] for pair in ((0, 2), (4, 0))]
    shared, apart = collate_pairs(items), collate_pairs(items, share_clips=False)
    assert (shared["query"].tolist(), shared["exemplar"].tolist()) == ([0, 2], [1, 0])
    assert (apart["query"].tolist(), apart["exemplar"].tolist()) == ([0, 2], [1, 3])
    assert (len(shared["video"]), len(apart["video"])) == (3, 4)
    assert apart["score"][0] == apart["score"][3]
    assert not torch.equal(apart["video"][0], apart["video"][3])
    assert torch.equal(apart["video"][:3], shared["video"])


def test_without_dive_number_any_dive_is_an_exemplar() -> None:
    pairs = TrainingPairs(dives(pairing="random"), range(8))
    drawn = [[s["clip"] for s in pairs[n]] for n in range(8)]
    assert any(q % 2 != e % 2 for q, e in drawn)
    assert all(q != e for q, e in drawn)
    voters = choose_voters(ten(), [8], range(8), 8, seed=0, pairing="random")
    assert voters == [list(range(8))]


def test_labels_of_all_training_dives_come_with_all_pairs_and_without_pictures() -> None:
    labels = labels_and_pairs(dives(), range(8))
    assert labels.video is None
    assert labels.pose is not None and len(labels.pose) == 8
    assert labels.score is not None and labels.score.tolist() == [50.0 + i for i in range(8)]
    assert labels.query is not None and labels.exemplar is not None
    pairs = list(zip(labels.query.tolist(), labels.exemplar.tolist(), strict=True))
    assert sorted(pairs) == [(a, b) for a in range(8) for b in range(a + 1, 8) if (a + b) % 2 == 0]


def test_by_rotation_a_dive_meets_dives_that_rotate_its_way() -> None:
    numbers = ("107b", "105b", "5152b", "5253b", "5154b", "6142d", "614b", "205b")
    clips = [clip(i, number=n) for i, n in enumerate(numbers)]
    groups = groups_of(clips, range(8), "rotation")
    assert groups == {"1": [0, 1], "51": [2, 4], "52": [3], "61": [5, 6], "2": [7]}


def test_by_difficulty_a_dive_meets_dives_as_difficult_as_it() -> None:
    clips = [clip(i, number=("107b", "205b", "305c")[i % 3], difficulty=(3.0, 3.2)[i % 2]) for i in range(6)]
    assert groups_of(clips, range(6), "difficulty") == {"3": [0, 2, 4], "3.2": [1, 3, 5]}
    rare = [*clips, clip(6, "test", difficulty=3.2), clip(7, "test", difficulty=4.1)]
    with pytest.raises(PackedError, match=r"1 of 2 test dives have a difficulty that no train dive has.*\(4\.1\)"):
        split_clips(packed(*rare), Needs.DIFFICULTY, pairing="difficulty")
    split_clips(packed(*rare), Needs.DIFFICULTY, pairing="difficulty", fallback="difficulty")


def test_too_few_voters_are_repeated_where_that_is_wanted() -> None:
    few = choose_voters(ten(), [8], range(8), count=10, seed=3)[0]
    padded = choose_voters(ten(), [8], range(8), count=10, seed=3, pad=True)[0]
    assert len(few) == 4
    assert len(padded) == 10
    assert set(padded) == set(few)
    assert sorted(padded.count(j) for j in few) == [1, 1, 1, 7]


def test_the_splash_of_a_dive_comes_along_where_it_is_known() -> None:
    known = dives()
    known.splash = {"video0/3": 0.25}
    assert [float(known.sample(i)["splash"]) for i in (3, 4)] == [0.25, -1.0]
    batch = collate_pairs([[known.sample(3), known.sample(4)]])
    assert batch["splash"].tolist() == [0.25, -1.0]


def test_dives_without_stages_or_difficulty_take_part_where_neither_is_needed() -> None:
    clips = [replace(c, stage_starts=(), sub_actions=(), difficulty=None) for c in ten()]
    split = split_clips(packed(*clips), Needs.POSES)
    assert (len(split.train), len(split.test)) == (8, 2)
    assert Dives(packed(*clips), DataSettings(frames=8)).sample(0)["transitions"].tolist() == [-1, -1]
    with pytest.raises(PackedError, match="no difficulty"):
        split_clips(packed(*clips), Needs.POSES | Needs.DIFFICULTY)


def test_what_is_drawn_follows_from_seed_epoch_and_number() -> None:
    """And so a resumed training, or one on other processes, sees the same."""

    def seen(seed: int, epoch: int, order: Sequence[int]) -> dict[int, list[float]]:
        pairs = TrainingPairs(dives(), range(8), seed=seed)
        pairs.epoch = epoch
        return {n: [float(s["video"].sum()) for s in pairs[n]] for n in order}

    forward = seen(0, 3, range(8))
    assert seen(0, 3, range(7, -1, -1)) == forward
    assert seen(0, 4, range(8)) != forward
    assert seen(1, 3, range(8)) != forward

"""What the configs say is what is built, and every switch of the released code's config changes something."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from baselines.data.batch import given
from baselines.data.dives import Dives
from baselines.data.exemplars import choose_voters
from baselines.data.pairs import collate_pairs
from baselines.data.settings import DataSettings
from baselines.methods.hpmcr import HPMCRMethod
from baselines.methods.hpmcr.network import HPMCR
from baselines.runs.config import RunConfig, Validation, make_config
from baselines.runs.outcome import selecting_split
from baselines.runs.results import SELECTIONS
from baselines.runs.run import split_of
from finediving_pose.clip import Clip
from finediving_pose.labels.read import read_labels
from tests.baselines.made_up import clip, packed, ten
from tests.baselines.small_model import SMALL, batch

pytestmark = pytest.mark.slow

METHOD = HPMCRMethod()


def config(preset: str) -> RunConfig:
    return make_config(METHOD, preset, seed=0)


def flat(values: Mapping[str, Any], under: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{under}{key}.")
        else:
            yield under + key, value


RELEASED = dict(flat(METHOD.sections("released")))
FULL = dict(flat(METHOD.sections("full")))
SWITCHES = {name: value for name, value in RELEASED.items() if FULL.get(name) != value}
"""What the released code does otherwise, by its name in the config."""


@pytest.mark.parametrize("preset", METHOD.presets)
def test_a_preset_is_built_as_it_says(preset: str) -> None:
    made = config(preset)
    model = METHOD.build(made)
    assert model.static.net is not None
    assert made.training.part == made.training.batch_size
    sample = Dives(packed(*ten()), made.data).sample(0)
    assert sample["video"].shape[1] == made.data.frames
    assert made.evaluation.votes == 10


def small(**options: Any) -> HPMCR:
    torch.manual_seed(0)
    merged: dict[str, Any] = {k: {**SMALL.get(k, {}), **v} if isinstance(v, dict) else v for k, v in options.items()}
    return HPMCR(**SMALL | merged).eval()


def losses(**options: Any) -> dict[str, float]:
    with torch.no_grad():
        return {k: float(v) for k, v in small(**options).loss(batch()).items()}


def sample(**options: Any) -> dict[str, torch.Tensor]:
    file = packed(*ten())
    mirrored = next(s for s in range(9) if np.random.default_rng(s).integers(9, size=3)[2] % 2 == 0)
    return Dives(file, DataSettings(frames=8, **options)).sample(0, np.random.default_rng(mirrored))


def dynamic(**options: Any) -> torch.Tensor:
    with torch.no_grad():
        return small(i3d=options).dynamic.train()(given(batch().video))


def skeleton(**options: Any) -> torch.Tensor:
    encoder = small(skeleton=options).skeleton
    with torch.no_grad():
        for name, weight in encoder.named_parameters():
            if name.endswith("graph.bn.weight"):
                weight.fill_(1)  # a fresh block is its skip connection
        return encoder(given(batch().pose))


def pose_moves_when_mirrored(follows: bool) -> bool:
    some = Dives(packed(*ten()), DataSettings(frames=8, pose_norm="none", flip_pose=follows))
    still = some.sample(0)["pose"]
    return any(not torch.equal(some.sample(0, np.random.default_rng(s))["pose"], still) for s in range(8))


def sampled_frames(**options: Any) -> list[int]:
    """Of a clip of 134 frames, from the video's frame 1700 on."""
    file = packed(*ten())
    file.frame_numbers = lambda i: np.arange(1700, 1834)  # type: ignore[method-assign]
    return Dives(file, DataSettings(**options)).positions(0).tolist()


def clips_encoded(**options: Any) -> int:
    """Of a batch of two pairs of the same two clips."""
    dives = Dives(packed(*ten()), DataSettings(frames=8))
    pairs = [[dives.sample(i) for i in pair] for pair in ((0, 2), (2, 0))]
    return len(collate_pairs(pairs, **options)["score"])


def static_statistics_move(**options: Any) -> bool:
    model = small(static=options).train()
    before = {k: v.clone() for k, v in model.static.named_buffers() if k.endswith("running_mean")}
    model.static(given(batch().video))
    return any(not torch.equal(v, before[k]) for k, v in model.static.named_buffers() if k in before)


def finds_late_second_transition_early(predict: Any) -> bool:
    """Whether transitions 3 and 5 of 24 frames can be found."""
    logits = torch.zeros(1, 24, 2)
    logits[0, 3, 0] = logits[0, 5, 1] = 9
    return small(predict=predict).predict_transitions(logits).tolist() == [[3, 5]]


def voters_of(**options: Any) -> list[list[int]]:
    clips = [*ten(), clip(10, "test", "107b"), clip(11, "test", "107b")]
    return choose_voters(clips, [8, 10, 11], range(8), options.pop("count", 3), options.pop("seed", 0), **options)


def judged_on(preset: str) -> str | None:
    made = config(preset)
    file = packed(*(clip(i) for i in range(40)), clip(40, "test"), clip(41, "test"))
    return selecting_split(made, split_of(file, METHOD, made))


def scored_epochs(how: Validation) -> int:
    return sum(how.is_due(epoch, 201) for epoch in range(1, 202))


CHECKS: dict[str, Callable[[Any], bool]] = {
    "model.i3d.bn_eps": lambda v: not torch.equal(dynamic(), dynamic(bn_eps=v)),
    "model.static.freeze_bn": lambda v: static_statistics_move() and not static_statistics_move(freeze_bn=v),
    "model.skeleton.channels": lambda v: len(v) == 5 and METHOD.build(config("released")).skeleton.out_channels == 128,
    "model.skeleton.attention": lambda v: not torch.equal(skeleton(), skeleton(attention=v)),
    "model.skeleton.attention_joints": lambda v: not torch.equal(skeleton(), skeleton(attention_joints=v)),
    "model.fusion": lambda v: losses()["fused_contrast_loss"] != losses(fusion=v)["fused_contrast_loss"],
    "model.reducer": lambda v: losses()["static_contrast_loss"] != losses(reducer=v)["static_contrast_loss"],
    "model.predict": lambda v: finds_late_second_transition_early("ordered") > finds_late_second_transition_early(v),
    "model.second_transition_weight": lambda v: (
        losses()["segmentation_loss"] < losses(second_transition_weight=v)["segmentation_loss"]
    ),
    "data.resize": lambda v: not torch.equal(sample()["video"], sample(resize=v)["video"]),
    "data.resample": lambda v: not torch.equal(*(sample(resize=(112, 200), resample=r)["video"] for r in ("area", v))),
    "data.sampling": lambda v: sampled_frames(sampling="clip") != sampled_frames(sampling=v),
    "data.boundary": lambda v: (
        sample()["transitions"].tolist() == [t + 1 for t in sample(boundary=v)["transitions"].tolist()]
    ),
    "data.pose_norm": lambda v: sample()["pose"].abs().max() < 30 < sample(pose_norm=v)["pose"].abs().max(),
    "data.flip_pose": lambda v: pose_moves_when_mirrored(True) and not pose_moves_when_mirrored(v),
    "training.share_clips": lambda v: clips_encoded() < clips_encoded(share_clips=v),
    "evaluation.voters": lambda v: len({*map(tuple, voters_of())}) == 1 and len({*map(tuple, voters_of(voters=v))}) > 1,
    "evaluation.pad": lambda v: [len(c) for c in voters_of(count=10, pad=v)] == [10, 10, 10] != voters_of(count=10),
    "validation.share": lambda v: v == 0 and judged_on("full") == "validation",
    "validation.on_test": lambda v: judged_on("released") == "test" and "TEST SPLIT" in SELECTIONS["test"],
    "evaluation.redraw": lambda v: v and voters_of(voters="each") != voters_of(voters="each", seed=1),
    "validation.interval": lambda v: v < FULL["validation.interval"],
    "validation.first": lambda v: config("released").validation.is_due(v, 201),
    "validation.every_from": lambda v: scored_epochs(config("released").validation) == 131,
}


def test_every_switch_of_the_released_code_is_checked() -> None:
    assert set(SWITCHES) == set(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_a_switch_of_the_released_code_changes_what_it_says(name: str) -> None:
    assert CHECKS[name](SWITCHES[name])


def test_mtl_aqa_s_own_labels_can_be_trained_on(shared_data: Path) -> None:
    """1059 dives to train on, 353 to test; every test dive's number is in train. No stages."""
    labels = read_labels(shared_data / "mtl_aqa")
    made = config("mtl-aqa")
    split = split_of(packed(*labels), METHOD, made)
    assert (len(split.train) + len(split.validation), len(split.test)) == (1059, 353)
    assert split.left_out == {}
    dives = Dives(packed(*labels), DataSettings(frames=8, target=made.data.target))
    i = split.test[0]
    assert dives.transitions(i) == ()
    assert float(dives.sample(i)["score"]) * dives.unit(i) == pytest.approx(labels[i].dive_score)
    numbers: list[Clip] = [labels[j] for j in choose_voters(labels, [i], split.train, 10, 0)[0]]
    assert {c.action_type for c in numbers} == {labels[i].action_type}

"""The ``released`` preset computes what the authors' whole model computes: one training step, one test step.

Their model is that of github.com/Lumos0507/HP-MCoRe, commit 6bce799, run in float64 with weights and inputs that follow
from their names; ours runs in float32.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.backbones.hdgcn import HDGCN
from baselines.data.batch import Batch
from baselines.methods.hpmcr import HPMCRMethod
from baselines.methods.hpmcr.network import HPMCR, Encoded
from baselines.runs.config import make_config
from baselines.runs.metrics import interval_iou
from tests.parity.reference import TOLERANCE, error, fixture, reference_input, reference_weight
from tests.parity.released_keys import from_released, our_name

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

LOGITS_TOLERANCE = 3e-4
"""Of the largest value; the authors' own logits in float32 and float64 differ by 9e-5."""

QUERIES, EXEMPLARS = torch.tensor([0, 1]), torch.tensor([2, 3])
OTHER_EXEMPLARS = torch.tensor([3, 2])
"""The clips are query 0, query 1, exemplar 0, exemplar 1."""

DIVE_NUMBERS = torch.tensor([3, 17, 3, 17])


@contextmanager
def recorded(model: nn.Module, *names: str) -> Iterator[dict[str, Tensor]]:
    """Outputs of modules while the block runs, by name; those of several calls joined along the first axis."""
    outputs: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            outputs[name] = torch.cat([outputs[name], output]) if name in outputs else output

        return hook

    hooks = [model.get_submodule(name).register_forward_hook(keep(name)) for name in names]
    yield outputs
    for hook in hooks:
        hook.remove()


@pytest.fixture(scope="module")
def theirs(shared_method: Path) -> dict[str, Tensor]:
    return fixture(shared_method / "whole", "hpmcr_released")


@pytest.fixture(scope="module")
def ours(shared_method: Path, theirs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Our value of every array that their model computed."""
    parts = json.loads((shared_method / "whole" / "hpmcr_released_keys.json").read_text())["state_dict_keys"]
    state = {f"{p}.{key}": reference_weight(f"{p}.{key}", shape) for p, keys in parts.items() for key, shape in keys}
    model = released_model()
    model.load_state_dict(from_released(state))
    clips = {
        kind: torch.cat([reference_input(f"hpmcr.{kind}_{role}", *shape) for role in ("query", "exemplar")])
        for kind, shape in {"video": (2, 3, 96, 112, 112), "pose": (2, 2, 96, 16, 1)}.items()
    }
    true = {
        kind: torch.cat([theirs[f"given.{kind}_{role}"] for role in ("query", "exemplar")])
        for kind in ("transitions", "score")
    }
    with torch.inference_mode():
        tested = voting_step(model.eval(), clips, true, theirs["positions"])
        trained = training_step(model.train(), clips, true, theirs["positions"])
        trained |= {name: statistics(model, name) for name in theirs if name.startswith("train.bn.")}
        visual, pose = reference_input("fusion.visual", 2, 10, 256), 100 * reference_input("fusion.pose", 2, 10, 128)
        return tested | trained | {"fusion.output": model.get_submodule("fusion.blocks.copies.0")(visual, pose)}


def released_model() -> HPMCR:
    """The preset's model, with the classifier of dive numbers and without dropout, as their step was run."""
    method = HPMCRMethod()
    model = method.build(make_config(method, "released", seed=0, changes={"model.skeleton.classes": 60}))
    model.segmentation.dropout.p = 0.0
    return model


def statistics(model: HPMCR, name: str) -> Tensor:
    """The running statistics that they call ``train.bn.<key>``."""
    return model.state_dict()[our_name(name.removeprefix("train.bn."))]


def training_step(model: HPMCR, clips: dict[str, Any], true: dict[str, Any], positions: Tensor) -> dict[str, Tensor]:
    heads = ("compare_fused.head", "compare_static.head")
    watched = ("dynamic", "static", "skeleton", "segmentation", "reduce_dynamic", "reduce_static", "fusion")
    with recorded(model, *watched, "stage_weights", *heads) as seen:
        losses = model.loss(Batch(**clips, **true, query=QUERIES, exemplar=EXEMPLARS))
    assert isinstance(model.skeleton, HDGCN)
    relative = seen["stage_weights"].sum(1, keepdim=True)  # query against exemplar, exemplar against query
    found = model.predict_transitions(seen["segmentation"])
    arrays = {
        "loss_aqa": losses["score_loss"],
        "loss_tas": losses["segmentation_loss"],
        "loss_cont_i3d": losses["fused_contrast_loss"],
        "loss_cont_res": losses["static_contrast_loss"],
        "loss": torch.stack(list(losses.values())).sum(),
        "loss_number": F.cross_entropy(model.skeleton.classify(seen["skeleton"]), DIVE_NUMBERS),
        "relative": relative,
        "scores": true["score"][EXEMPLARS] + relative[:2, 0],
        "logits": seen["segmentation"],
        "i3d": side_by_side(seen["dynamic"]),
        "static": seen["static"][:, ::12, ::8],
        "skeleton": seen["skeleton"][:, :, ::12],
        "token_scores_fused": seen[heads[0]].reshape(4, 30, 1),
        "token_scores_static": seen[heads[1]].reshape(4, 30, 1),
        "tiou_correct": hits(true["transitions"], found),
    }
    for name, kind in {"reduce_dynamic": "visual_tokens", "reduce_static": "static_tokens", "fusion": "fused"}.items():
        arrays |= by_role(kind, seen[name], positions)
    return {f"train.{name}": array for name, array in arrays.items()}


def voting_step(model: HPMCR, clips: dict[str, Any], true: dict[str, Any], positions: Tensor) -> dict[str, Tensor]:
    with recorded(model, "dynamic", "skeleton") as seen:
        encoded = model.encode(Batch(**clips))
    votes = [both_ways(model, encoded, exemplars) for exemplars in (EXEMPLARS, OTHER_EXEMPLARS)]
    scores = [true["score"][e] + v[:2, 0] for e, v in zip((EXEMPLARS, OTHER_EXEMPLARS), votes, strict=True)]
    first, second = encoded.logits[:, :48, 0].topk(2).values, encoded.logits[:, 48:, 1].topk(2).values
    arrays = {
        "transitions": encoded.transitions,
        "transition_margin": torch.stack([first[:, 0] - first[:, 1], second[:, 0] - second[:, 1]], dim=1),
        "vote0.relative": votes[0],
        "vote1.relative": votes[1],
        "scores": torch.stack(scores).mean(0),
        "tiou_correct": len(votes) * hits(true["transitions"], encoded.transitions),
        "i3d": side_by_side(seen["dynamic"]),
        "skeleton": seen["skeleton"][:, :, ::12],
        **by_role("static_tokens", encoded.static, positions),
        **by_role("fused", encoded.fused, positions),
    }
    return {f"test.{name}": array for name, array in arrays.items()}


def both_ways(model: HPMCR, encoded: Encoded, exemplars: Tensor) -> Tensor:
    """Relative scores (4, 1): queries against exemplars, exemplars against queries."""
    q, e = encoded.pick(QUERIES), encoded.pick(exemplars)
    return torch.cat([model.compare(q, e), model.compare(e, q)]).sum(1, keepdim=True)


def side_by_side(dynamic: Tensor) -> Tensor:
    """(4, 9, 1024) -> (2, 9, 128): every 16th channel of the query's features, then of the exemplar's."""
    return torch.cat([dynamic[QUERIES], dynamic[EXEMPLARS]], dim=2)[:, :, ::16]


def by_role(kind: str, tokens: Tensor, positions: Tensor) -> dict[str, Tensor]:
    """Tokens (4, 3, 10, 256) at some of the 30 positions, of queries and of exemplars."""
    some = tokens.flatten(1, 2)[:, positions]
    return {f"{kind}_q": some[QUERIES], f"{kind}_e": some[EXEMPLARS]}


def hits(true: Tensor, found: Tensor) -> Tensor:
    """(2, 1): queries whose middle stage is found with an IoU of at least 0.5, and of at least 0.75."""
    iou = interval_iou(true[QUERIES].numpy(), found[QUERIES].numpy())
    return torch.tensor([[int((iou >= least).sum())] for least in (0.5, 0.75)])


def test_no_array_of_theirs_is_left_uncompared(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    given = {name for name in theirs if name.startswith("given.")} | {"positions"}
    assert set(ours) == set(theirs) - given


def test_transitions_and_hits_are_theirs(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    whole = [name for name in ours if not ours[name].is_floating_point()]
    assert whole == ["test.transitions", "test.tiou_correct", "train.tiou_correct"]
    assert {name: ours[name].tolist() for name in whole} == {name: theirs[name].tolist() for name in whole}


def test_losses_features_tokens_and_scores_are_theirs(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    apart = {name: error(ours[name], theirs[name]) for name in ours if ours[name].is_floating_point()}
    # a margin is the difference of two logits
    largest, margin = theirs["train.logits"].abs().max(), "test.transition_margin"
    apart[margin] = float((ours[margin] - theirs[margin]).abs().max() / largest)
    tolerance = {"train.logits": LOGITS_TOLERANCE, margin: 2 * LOGITS_TOLERANCE}
    assert {name: e for name, e in apart.items() if not e < tolerance.get(name, TOLERANCE)} == {}

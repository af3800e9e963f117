"""CoRe's groups, tree and losses are those of its public code."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from baselines.data.batch import Batch
from baselines.method import pick
from baselines.methods.core.network import CoRe, GroupTree
from baselines.modules.groups import OutOfRange, ScoreGroups
from tests.parity.peers import Given, peers_fixture, peers_state
from tests.parity.reference import TOLERANCE, error, reference_input
from tests.parity.test_modules import renamed

TREE_NAMES = {
    "first_layer.0": "first",
    "feature_layers": "grow",
    "grow.0.0": "grow.0",
    "grow.1.0": "grow.1",
    "grow.2.0": "grow.2",
    "grow.3.0": "grow.3",
    "clf_layers": "split",
    "reg_layer": "place",
}


def tree_state(folder: Path) -> dict[str, Tensor]:
    """Convolutions with groups as linear layers at nodes."""
    state = peers_state(folder, "core_tree", lambda key: renamed(key, TREE_NAMES))
    leaves = 16
    for key, value in state.items():
        part, _, rest = key.partition(".")
        if part != "first":
            nodes = leaves if part == "place" else 2 ** int(rest[0])
            state[key] = value.reshape(nodes, -1, 256) if key.endswith("weight") else value.reshape(nodes, -1)
    return state


def groups(folder: Path, kind: str = "", out_of_range: OutOfRange = "released") -> ScoreGroups:
    made = ScoreGroups(16, 30, out_of_range)
    made.set_differences(peers_fixture(folder, "core_groups")[f"{kind}differences_f64"])
    return made


@pytest.mark.parametrize("kind", ["", "tied_"])
def test_groups(shared_method: Path, kind: str) -> None:
    expected = peers_fixture(shared_method, "core_groups")
    made, asked = groups(shared_method, kind), expected["asked_f64"]
    edges = torch.stack([made.bounds[:-1], made.bounds[1:]], dim=1)
    assert torch.equal(edges, expected[f"{kind}edges_f64"])
    leaf, place, inside = made.target(asked)
    assert leaf.tolist() == expected[f"{kind}target_leaf"].tolist()
    member = expected[f"{kind}member"]
    assert inside.tolist() == (member == 1).any(0).tolist()
    theirs = expected[f"{kind}place"][leaf, torch.arange(len(asked))]
    assert error(place[inside], theirs[inside]) < TOLERANCE


def test_decoding(shared_method: Path) -> None:
    expected = peers_fixture(shared_method, "core_groups")["decoded"]
    decoded = groups(shared_method).decode(reference_input("core.leaf", 6, 16), reference_input("core.place", 6, 16))
    assert error(decoded, expected) < TOLERANCE


@torch.inference_mode()
def test_tree(shared_method: Path) -> None:
    expected = peers_fixture(shared_method, "core_tree")
    tree = GroupTree(2049)
    tree.load_state_dict(tree_state(shared_method))
    level, place = tree(reference_input("core.combined", 3, 2049))
    assert error(place, expected["place"]) < TOLERANCE
    for depth in (3, 2, 1, 0):  # a node is as likely as its two children together
        assert error(level, expected[f"log_probability_{depth}"].flatten(1)) < TOLERANCE
        level = level.unflatten(1, (-1, 2)).logsumexp(2)


@torch.inference_mode()
def test_a_training_step(shared_method: Path) -> None:
    expected = peers_fixture(shared_method, "core_head")
    network = CoRe(out_of_range="released")
    network.i3d = Given(1024)  # type: ignore[assignment]
    network.groups.set_differences(peers_fixture(shared_method, "core_groups")["differences_f64"])
    network.tree.load_state_dict(tree_state(shared_method))
    video = torch.cat([reference_input(f"core.{role}_snippets", 4, 10, 1024) for role in ("query", "exemplar")])
    score = torch.cat([expected["label_query"], expected["label_exemplar"]])[:, 0]
    batch = Batch(video=video, score=score, query=torch.arange(4), exemplar=torch.arange(4, 8))
    clips = network.encode(batch)
    q, e = pick(clips, torch.arange(4)), pick(clips, torch.arange(4, 8))
    ways = network.descend(e, q, score[:4]), network.descend(q, e, score[4:])
    assert error(torch.cat([way[0] for way in ways]), expected["log_probability"]) < TOLERANCE
    assert error(torch.cat([way[1] for way in ways]), expected["place"]) < TOLERANCE
    above = score[:4] - score[4:]
    assert network.groups.target(-above)[0].tolist() == expected["target_leaf_12"].tolist()
    assert network.groups.target(above)[0].tolist() == expected["target_leaf_21"].tolist()
    losses = network.loss(batch)
    assert error(losses["group_loss"], expected["loss_class"]) < TOLERANCE
    assert error(losses["place_loss"], expected["loss_place"]) < TOLERANCE
    predicted = (score[4:] + network.compare(q, e, score[4:])) * expected["difficulty"][:, 0]
    assert error(predicted, expected["predicted_score"]) < TOLERANCE
    assert error(predicted, expected["predicted_score_test"]) < TOLERANCE

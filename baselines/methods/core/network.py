"""The network of CoRe: group-aware contrastive regression.

Source: Yu et al., "Group-aware contrastive regression for action quality assessment", ICCV 2021, and the public code,
github.com/yuxumin/CoRe, commit f7881a9. Where that code does what it surely did not mean, what it does is an option;
the preset ``released`` switches them all on.
Symbols: N clips, B pairs, C channels of I3D (1024), W width of the tree (256), L leaves (16).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baselines.backbones.i3d import I3D
from baselines.data.batch import Batch, given
from baselines.method import pick
from baselines.modules.groups import Decoding, OutOfRange, ScoreGroups


class Encoded(NamedTuple):
    """What the model knows of N clips, each on its own."""

    feature: Tensor
    """(N, C)"""


class LinearAtNodes(nn.Module):
    """A linear layer of its own for each node: (B, nodes, in) -> (B, nodes, out). First weights as torch's layer."""

    def __init__(self, nodes: int, inputs: int, outputs: int) -> None:
        super().__init__()
        most = inputs**-0.5
        self.weight = nn.Parameter(torch.empty(nodes, outputs, inputs).uniform_(-most, most))
        self.bias = nn.Parameter(torch.empty(nodes, outputs).uniform_(-most, most))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("bni,noi->bno", x, self.weight) + self.bias


class GroupTree(nn.Module):
    """A pair's features down a binary tree: (B, channels) -> log-probability and place of every leaf, (B, L) twice.

    Every node has weights of its own: one layer says how likely its two children are, one makes their features.
    L = 2^(depth - 1); places are not bounded.
    """

    def __init__(self, channels: int, width: int = 256, depth: int = 5) -> None:
        super().__init__()
        nodes = [2**d for d in range(depth - 1)]
        self.leaves = 2 ** (depth - 1)
        self.first = nn.Linear(channels, width)
        self.split = nn.ModuleList(LinearAtNodes(n, width, 2) for n in nodes)
        self.grow = nn.ModuleList(LinearAtNodes(n, width, 2 * width) for n in nodes)
        self.place = LinearAtNodes(self.leaves, width, 1)

    def forward(self, pair: Tensor) -> tuple[Tensor, Tensor]:
        x = F.relu(self.first(pair))[:, None]  # (B, nodes, W), one node
        log_probability = pair.new_zeros(len(pair), 1)  # (B, nodes)
        for split, grow in zip(self.split, self.grow, strict=True):
            children = split(x).log_softmax(2)  # (B, nodes, 2)
            log_probability = (log_probability[..., None] + children).flatten(1)
            x = F.relu(grow(x)).unflatten(2, (2, -1)).flatten(1, 2)  # (B, 2 nodes, W)
        return log_probability, self.place(x)[..., 0]


class CoRe(nn.Module):
    """Scores a dive by the group that its difference to an exemplar falls in, and the place there.

    Parameters
    ----------
    i3d : arguments of the encoder, :class:`~baselines.backbones.i3d.I3D`
    width, depth : of the tree
    score_range : in units of the target; 30 for scores over the difficulty, 110 for scores. The public code has 100,
        although scores of FineDiving go up to 104.4
    out_of_range : how differences beyond it are taught, see :data:`baselines.modules.groups.OutOfRange`
    decoding : see :data:`baselines.modules.groups.Decoding`
    """

    def __init__(
        self,
        i3d: Mapping[str, Any] | None = None,
        width: int = 256,
        depth: int = 5,
        score_range: float = 30.0,
        out_of_range: OutOfRange = "nearest",
        decoding: Decoding = "likeliest",
    ) -> None:
        super().__init__()
        self.i3d = I3D(**i3d or {})
        self.tree = GroupTree(2 * self.i3d.out_channels + 1, width, depth)
        self.groups = ScoreGroups(self.tree.leaves, score_range, out_of_range, decoding)

    def prepare(self, labels: Batch) -> None:
        """Bounds of the groups from all pairs of training dives."""
        self.groups.fit(labels)

    def encode(self, batch: Batch) -> Encoded:
        """The mean over the snippets of N clips."""
        return Encoded(self.i3d.features(batch).mean(1))

    def compare(self, query: Encoded, exemplar: Encoded, exemplar_score: Tensor) -> Tensor:
        """How far B queries are above their exemplars, whose scores are (B,), in units of the target: (B,)."""
        return self.groups.decode(*self.descend(query, exemplar, exemplar_score))

    def descend(self, query: Encoded, exemplar: Encoded, exemplar_score: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probability and place of the groups for B pairs, (B, L) twice.

        In full precision also where the encoder is not.
        """
        with torch.autocast(query.feature.device.type, enabled=False):
            height = exemplar_score[:, None] / self.groups.score_range
            return self.tree(torch.cat([exemplar.feature.float(), query.feature.float(), height], dim=1))

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Losses of B pairs among N clips, each clip encoded once, both ways."""
        query, exemplar, score = given(batch.query), given(batch.exemplar), given(batch.score)
        clips = self.encode(batch)
        q, e = pick(clips, query), pick(clips, exemplar)
        above = score[query] - score[exemplar]
        group_loss, place_loss = self.groups.loss(*self.descend(q, e, score[exemplar]), above)
        group_back, place_back = self.groups.loss(*self.descend(e, q, score[query]), -above)
        return {"group_loss": group_loss + group_back, "place_loss": place_loss + place_back}

"""HD-GCN: the hierarchical skeleton encoder, one vector a time step.

Architecture: Lee et al., "Hierarchically Decomposed Graph Convolutional Networks for
Skeleton-Based Action Recognition", ICCV 2023. The skeleton is split in levels from the
thorax outwards; a hierarchy edge joins two neighbouring levels, each joint of the one
with each joint of the other. Every block convolves along all edges, sums them up by
attention, then convolves along time.

First weights are those of the published code (github.com/Jho-Yonsei/HD-GCN, ``model/HDGCN.py``), which the public
HP-MCoRe code repeats (``models/HDGCN.py``, commit 6bce799): see :class:`HDGCN`.

Where the published code keeps lists of layers, one a hierarchy edge and subset, these
modules carry an edge axis L and a subset axis and use grouped convolutions: the same
arithmetic in a tenth of the calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from finediving_pose.skeleton import HIERARCHY, N_JOINTS

SUBSETS = 3
"""Joint to itself, level to the next one outwards, level to the next one inwards."""

PUBLISHED = (64, 64, 64, 64, 128, 128, 128, 256, 256, 256)
"""Channels of the ten blocks."""


def hierarchy_adjacency(levels: Sequence[Sequence[int]] = HIERARCHY, joints: int = N_JOINTS) -> Tensor:
    """Adjacency of every hierarchy edge: float32 (L, 3, V, V), entry [.., v, u] is the pull of joint u on joint v.

    Columns sum to 1: a joint spreads over the joints of the level that it points to.
    """
    edges = list(pairwise(levels))
    a = torch.zeros(len(edges), SUBSETS, joints, joints)
    for i, (inner, outer) in enumerate(edges):
        for v in (*inner, *outer):
            a[i, 0, v, v] = 1
        for u in inner:
            a[i, 1, list(outer), u] = 1 / len(outer)
        for u in outer:
            a[i, 2, list(inner), u] = 1 / len(inner)
    return a


def neighbour_features(x: Tensor, k: int) -> Tensor:
    """Each node beside its k nearest in feature space: (N, C, V) -> (N, 2C, V, k): neighbour - node, node.

    A node is its own nearest neighbour.
    """
    with torch.autocast(x.device.type, enabled=False):  # who is nearest is no question for eight bits
        full = x.float()
        squared = full.square().sum(1)  # (N, V)
        distance = squared[:, :, None] - 2 * full.transpose(1, 2) @ full + squared[:, None, :]
    nearest = distance.topk(k, dim=-1, largest=False).indices  # (N, V, k)
    n, c, v = x.shape
    neighbours = x.gather(2, nearest.reshape(n, 1, v * k).expand(n, c, v * k)).view(n, c, v, k)
    node = x.unsqueeze(-1).expand(n, c, v, k)
    return torch.cat((neighbours - node, node), dim=1)


class EdgeConv(nn.Module):
    """Dynamic graph convolution in ``groups`` independent groups: (N, groups, C, V) -> the same shape."""

    def __init__(self, channels: int, k: int, groups: int = 1) -> None:
        super().__init__()
        self.k, self.groups = k, groups
        self.conv = nn.Conv2d(2 * channels * groups, channels * groups, 1, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(channels * groups)

    def forward(self, x: Tensor) -> Tensor:
        features = neighbour_features(x.flatten(0, 1), self.k)  # (N*g, 2C, V, k)
        features = features.unflatten(0, (-1, self.groups)).flatten(1, 2)  # (N, g*2C, V, k)
        y = F.leaky_relu(self.bn(self.conv(features)), 0.2).amax(-1)  # (N, g*C, V)
        return y.unflatten(1, (self.groups, -1))


class HierarchyAttention(nn.Module):
    """How much of each channel of every hierarchy edge is taken: its peaks over time (N, L, C, V) -> (N, C, L)."""

    def __init__(self, channels: int, levels: Sequence[Sequence[int]], neighbours: int) -> None:
        super().__init__()
        inner = channels // 4
        self.edges = [[*a, *b] for a, b in pairwise(levels)]
        self.squeeze = nn.Sequential(nn.Conv2d(channels, inner, 1), nn.BatchNorm2d(inner), nn.ReLU())
        self.edge_conv = EdgeConv(inner, k=min(neighbours, len(self.edges)))
        self.expand = nn.Conv1d(inner, channels, 1)

    def forward(self, peaks: Tensor) -> Tensor:
        peak = self.squeeze(peaks.transpose(1, 2))  # (N, C/4, L, V)
        edges = torch.stack([peak[:, :, i, joints].mean(-1) for i, joints in enumerate(self.edges)], dim=-1)
        return self.expand(self.edge_conv(edges.unsqueeze(1)).squeeze(1)).sigmoid()


class GraphConv(nn.Module):
    """Convolution along the hierarchy edges: (N, C, T, V) -> (N, C', T, V). Without attention edges are summed."""

    def __init__(
        self, channels: int, out: int, levels: Sequence[Sequence[int]], attention: HierarchyAttention | None
    ) -> None:
        super().__init__()
        self.adjacency = nn.Parameter(hierarchy_adjacency(levels))
        self.edges = self.adjacency.shape[0]
        inner = out // (SUBSETS + 1)
        spread, copies = self.edges * inner, self.edges * SUBSETS
        self.down = nn.Sequential(nn.Conv2d(channels, spread, 1), nn.BatchNorm2d(spread), nn.ReLU())
        self.conv = nn.Sequential(
            nn.Conv2d(copies * inner, copies * inner, 1, groups=copies), nn.BatchNorm2d(copies * inner)
        )
        self.edge_conv = EdgeConv(inner, k=5, groups=self.edges)
        self.attention = attention
        self.skip = nn.Identity()
        if channels != out:
            self.skip = nn.Sequential(nn.Conv2d(channels, out, 1), nn.BatchNorm2d(out))
        self.bn = nn.BatchNorm2d(out)
        nn.init.constant_(self.bn.weight, 1e-6)  # as published: a block starts as its own skip connection

    def forward(self, x: Tensor) -> Tensor:
        down = self.down(x)  # (N, L*c, T, V)
        along = self._along(down)  # (N, L, 3c, T, V)
        dynamic = self.edge_conv(down.unflatten(1, (self.edges, -1)).mean(3))  # (N, L, c, V), the same at all times
        if self.attention is None:
            along, dynamic = along.sum(1), dynamic.sum(1)
        else:
            weights = self.attention(torch.cat((along.amax(3), dynamic), dim=2)).transpose(1, 2)  # (N, L, C')
            straight, bent = weights[..., None].split((along.shape[2], dynamic.shape[2]), dim=2)
            along, dynamic = (along * straight[..., None]).sum(1), (dynamic * bent).sum(1)
        y = torch.cat((along, dynamic.unsqueeze(2).expand(-1, -1, x.shape[2], -1)), dim=1)  # (N, C', T, V)
        return F.relu(self.bn(y) + self.skip(x))

    def _along(self, down: Tensor) -> Tensor:
        """Along each edge in each of the subsets. Channels are mixed first: joints, three times as many, come last."""
        conv, norm = cast(nn.Conv2d, self.conv[0]), self.conv[1]
        assert conv.bias is not None
        n, _, t, v = down.shape
        mix = conv.weight.view(self.edges, -1, conv.weight.shape[1])  # (L, 3c, c)
        mixed = mix @ down.view(n, self.edges, -1, t * v)  # (N, L, 3c, T*V)
        pulled = mixed.view(n, self.edges * SUBSETS, -1, v) @ self.adjacency.flatten(0, 1).transpose(1, 2)
        return norm(pulled.view(n, -1, t, v) + conv.bias[:, None, None]).unflatten(1, (self.edges, -1))


class TemporalConv(nn.Module):
    """Four branches side by side, dilations 1 and 2, max pool, 1 x 1: (N, C, T, V) -> (N, C, T/stride, V)."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        quarter = channels // 4

        def squeeze(step: int = 1) -> list[nn.Module]:
            return [nn.Conv2d(channels, quarter, 1, stride=(step, 1)), nn.BatchNorm2d(quarter)]

        def dilated(dilation: int) -> nn.Sequential:
            conv = nn.Conv2d(quarter, quarter, (5, 1), (stride, 1), (2 * dilation, 0), (dilation, 1))
            return nn.Sequential(*squeeze(), nn.ReLU(), conv, nn.BatchNorm2d(quarter))

        pool = nn.MaxPool2d((3, 1), (stride, 1), (1, 0))
        pooled = nn.Sequential(*squeeze(), nn.ReLU(), pool, nn.BatchNorm2d(quarter))
        self.branches = nn.ModuleList([dilated(1), dilated(2), pooled, nn.Sequential(*squeeze(stride))])

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class Block(nn.Module):
    """Graph, then time, then the residual: (N, C, T, V) -> (N, C', T/stride, V)."""

    def __init__(
        self,
        channels: int,
        out: int,
        levels: Sequence[Sequence[int]],
        stride: int,
        attention: HierarchyAttention | None,
        residual: bool,
    ) -> None:
        super().__init__()
        self.graph = GraphConv(channels, out, levels, attention)
        self.time = TemporalConv(out, stride)
        self.residual: nn.Module | None = None
        if residual and channels == out and stride == 1:
            self.residual = nn.Identity()
        elif residual:
            self.residual = nn.Sequential(nn.Conv2d(channels, out, 1, (stride, 1)), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        y = self.time(self.graph(x))
        return F.relu(y if self.residual is None else y + self.residual(x))


def init_conv(conv: nn.Conv2d, copies: int) -> None:
    """He's weights with the fan-out of one of the ``copies`` separate convolutions that ``conv`` stands for; no bias.

    torch's own fan-out counts the channels of all copies.
    """
    fan_out = conv.out_channels // copies * conv.kernel_size[0] * conv.kernel_size[1]
    nn.init.normal_(conv.weight, 0, (2 / fan_out) ** 0.5)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)


class HDGCN(nn.Module):
    """Poses of a clip to features of every time step: (B, C, T, 16, 1) -> (B, 256, T), mean over joints.

    As in the public HP-MCoRe code (``models/HDGCN.py``, commit 6bce799) time is not strided (HD-GCN itself strides by 2
    where the width grows). That code has five blocks, 64-64-64-64-128 wide; HD-GCN has ten.

    First weights, as in both codes: every 2D convolution N(0, 2 / fan-out), the fan-out being that of one edge and
    subset, and no bias; scales of the batch norms 1, but N(1, 0.02) in the temporal branches and 1e-6 where a graph
    convolution ends; the classifier N(0, 2 / classes).

    Parameters
    ----------
    in_channels : 2 (x, y) or 3 (x, y, confidence)
    channels : width of every block, multiples of 4
    stride : stride along time where the width grows
    attention : neighbours, itself included, that the attention over hierarchy edges compares an edge with; 3 in
        HD-GCN, 1 in the public HP-MCoRe code
    attention_joints : ``intended``, an edge's attention looks at the edge's own joints; ``shifted``, what both codes
        do: 1 is subtracted from joint numbers that start at 0 in the public HP-MCoRe code (commit 6bce799), so that it
        looks at joint j - 1 where joint j is meant, and at joint 15 for joint 0
    classes : number of dive numbers that :meth:`classify` tells apart; 0 leaves the classifier out
    levels : joints of each level of the hierarchy, from the centre of mass outwards
    """

    def __init__(
        self,
        in_channels: int = 2,
        channels: Sequence[int] = PUBLISHED,
        stride: int = 1,
        attention: int = 3,
        attention_joints: Literal["intended", "shifted"] = "intended",
        classes: int = 0,
        levels: Sequence[Sequence[int]] = HIERARCHY,
    ) -> None:
        super().__init__()
        if attention_joints not in ("intended", "shifted"):
            raise ValueError(f"attention_joints={attention_joints!r}; it is 'intended' or 'shifted'")
        shift = 1 if attention_joints == "shifted" else 0
        looked_at = [[(j - shift) % N_JOINTS for j in level] for level in levels]
        self.data_bn = nn.BatchNorm1d(in_channels * N_JOINTS)
        self.blocks = nn.Sequential()
        before = in_channels
        for i, width in enumerate(channels):
            step = stride if i and width != before else 1
            attend = HierarchyAttention(width, looked_at, attention) if i and attention else None
            self.blocks.append(Block(before, width, levels, step, attend, residual=i > 0))
            before = width
        self.out_channels = before
        self.classifier = nn.Linear(before, classes) if classes else None
        self._init_weights()

    def _init_weights(self) -> None:
        modules = list(self.modules())
        copies = {m.down[0]: m.edges for m in modules if isinstance(m, GraphConv)}  # all edges read the same input
        for module in modules:
            if isinstance(module, nn.Conv2d):
                init_conv(module, copies.get(module, module.groups))
            elif isinstance(module, TemporalConv):
                for norm in module.modules():
                    if isinstance(norm, nn.BatchNorm2d):
                        nn.init.normal_(norm.weight, 1, 0.02)
        if self.classifier is not None:
            nn.init.normal_(self.classifier.weight, 0, (2 / self.classifier.out_features) ** 0.5)

    def forward(self, poses: Tensor) -> Tensor:
        x = poses.squeeze(-1)  # (B, C, T, V)
        channels = x.shape[1]
        x = self.data_bn(x.permute(0, 3, 1, 2).flatten(1, 2))  # (B, V*C, T)
        x = x.unflatten(1, (-1, channels)).permute(0, 2, 3, 1)  # (B, C, T, V)
        return self.blocks(x).mean(-1)

    def classify(self, features: Tensor) -> Tensor:
        """Logits of the dive number from this network's features: (B, C, T) -> (B, classes)."""
        if self.classifier is None:
            raise ValueError("this HDGCN was built with classes=0")
        return self.classifier(features.mean(-1))

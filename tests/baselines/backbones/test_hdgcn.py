"""HD-GCN: its first weights and the joints that its attention looks at."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from baselines.backbones.hdgcn import HDGCN, HierarchyAttention
from finediving_pose.skeleton import HIERARCHY

PUBLIC_FAN_OUT = {
    r"graph\.down\.0": lambda out: out // 4,  # one edge
    r"graph\.conv\.0": lambda out: out // 4,  # one edge and subset
    r"graph\.edge_conv\.conv": lambda out: out // 4,  # one edge
    r"graph\.skip\.0": lambda out: out,
    r"attention\.squeeze\.0": lambda out: out // 4,
    r"attention\.edge_conv\.conv": lambda out: out // 4,
    r"time\.branches\.\d\.0": lambda out: out // 4,
    r"time\.branches\.[01]\.3": lambda out: out // 4 * 5,  # five frames
    r"residual\.0": lambda out: out,
}
"""Fan-out of the public code's separate convolutions in a block ``out`` wide, by our name of the layer."""


def test_every_convolution_starts_as_wide_as_in_the_public_code() -> None:
    torch.manual_seed(0)
    width, seen = 256, set()
    for name, conv in HDGCN(channels=(128, width, width)).blocks[1:].named_modules():
        if isinstance(conv, nn.Conv2d):
            layer = next(pattern for pattern in PUBLIC_FAN_OUT if re.search(f"{pattern}$", name))
            expected = (2 / PUBLIC_FAN_OUT[layer](width)) ** 0.5
            assert float(conv.weight.detach().std()) == pytest.approx(expected, rel=0.05), name
            assert conv.bias is None or not conv.bias.any()
            seen.add(layer)
    assert seen == set(PUBLIC_FAN_OUT)


def test_every_batch_norm_starts_at_the_scale_of_the_public_code() -> None:
    """N(1, 0.02) in the temporal branches, 1e-6 where a graph convolution ends, 1 elsewhere; no shift."""
    torch.manual_seed(0)
    scales: dict[str, list[Tensor]] = {"time": [], "graph.bn": [], "rest": []}
    for name, norm in HDGCN().named_modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            assert not norm.bias.any()
            kind = "time" if ".time." in name else "graph.bn" if name.endswith("graph.bn") else "rest"
            scales[kind].append(norm.weight.detach())
    time, end, rest = (torch.cat(s) for s in scales.values())
    assert float(time.mean()) == pytest.approx(1, abs=0.002)
    assert float(time.std()) == pytest.approx(0.02, rel=0.05)
    assert end.unique().tolist() == pytest.approx([1e-6])
    assert rest.unique().tolist() == [1]


def test_the_classifier_starts_as_wide_as_in_the_public_code() -> None:
    torch.manual_seed(0)
    classifier = HDGCN(classes=60).classifier
    assert classifier is not None
    assert float(classifier.weight.detach().std()) == pytest.approx((2 / 60) ** 0.5, rel=0.05)


def joints_of_attention(**options: Any) -> list[list[int]]:
    attention = HDGCN(channels=(8, 8), **options).blocks[1].get_submodule("graph.attention")
    assert isinstance(attention, HierarchyAttention)
    return attention.edges


def test_shifted_attention_looks_at_the_joint_before_the_one_that_is_meant() -> None:
    intended = [[*a, *b] for a, b in pairwise(HIERARCHY)]
    assert joints_of_attention() == joints_of_attention(attention_joints="intended") == intended
    shifted = joints_of_attention(attention_joints="shifted")
    assert shifted == [[15 if j == 0 else j - 1 for j in edge] for edge in intended]
    assert any(15 in edge and 0 in meant for edge, meant in zip(shifted, intended, strict=True))


def test_attention_joints_of_another_name_are_refused() -> None:
    options: dict[str, Any] = {"attention_joints": "published"}
    with pytest.raises(ValueError, match="attention_joints='published'; it is 'intended' or 'shifted'"):
        HDGCN(channels=(8, 8), **options)

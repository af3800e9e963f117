"""Names of the authors' checkpoint (github.com/Lumos0507/HP-MCoRe, commit 6bce799) in our model."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

PARTS = {
    r"I3D_encoder\.backbone\.": "dynamic.",
    r"base_model\._features\.": "static.net.",
    r"psnet_model\._pred_fine\._gru\.": "segmentation.gru.",
    r"psnet_model\._pred_fine\._fc_out\._fc_out\.": "segmentation.out.",
    r"i3d_dim_reducer(?P<stage>\d)\.": "reduce_dynamic.copies.{stage}.",
    r"res_dim_reducer(?P<stage>\d)\.": "reduce_static.copies.{stage}.",
    r"decoder_pose(?P<stage>\d)\.": "fusion.blocks.copies.{stage}.",
    r"decoder1\.model\.": "compare_fused.decoder.blocks.",
    r"decoder2\.model\.": "compare_static.decoder.blocks.",
    r"regressor_delta1\.": "compare_fused.head.",
    r"regressor_delta2\.": "compare_static.head.",
}
"""Beginnings of their names. Their stages count from 1."""

LAYERS = {
    r"^(reduce_\w+\.copies\.\d)\.layer0\.": r"\1.0.",
    r"^(reduce_\w+\.copies\.\d)\.layer1\.": r"\1.2.",
    r"\.head\.layer1\.": ".head.0.",
    r"\.head\.layer2\.": ".head.2.",
    r"\.head\.layer3\.": ".head.4.",
    r"^(fusion\..*)\.norm_q\.": r"\1.norm.",
    r"^(fusion\..*)\.attn\.pose_weight$": r"\1.pose_weight",
    r"^(fusion\..*)\.attn\.(query|key|value|pose|out)\b": r"\1.\2",
    r"\.norm_q\.": ".norm_query.",
    r"\.norm_v\.": ".norm_value.",
    r"\.norm2\.": ".norm_mlp.",
    r"\.attn\.": ".attention.",
    r"\.mlp\.fc1\.": ".mlp.0.",
    r"\.mlp\.fc2\.": ".mlp.2.",
}
"""Layers, in this order, once the beginning is ours."""

MAPS = {"q_map": "query", "k_map": "key", "v_map": "value", "pose_map": "pose", "proj": "out"}
"""Linear maps of an attention."""


def hdgcn_from_published(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Map the reference's lists of layers to our edge and subset axes.

    Its last edge's layers appear twice (``conv.3`` and ``conv_d`` are the same
    objects); in loading, the later name ``conv_d`` wins.
    """
    state = {re.sub(r"\.conv_d\.", ".conv.3.", key): value for key, value in state.items()}
    ours: dict[str, Tensor] = {}
    gathered: dict[str, list[Tensor]] = {}
    for key, value in state.items():
        block, _, rest = key.partition(".")
        if not re.fullmatch(r"l\d+", block):
            ours[key.replace("fc.", "classifier.")] = value
            continue
        name = f"blocks.{int(block[1:]) - 1}." + rest
        name = name.replace("gcn1.PA", "graph.adjacency").replace("gcn1.", "graph.")
        name = name.replace("graph.down.", "graph.skip.")
        name = name.replace("aha.conv_down", "attention.squeeze").replace("aha.aggregate", "attention.expand")
        name = name.replace("aha.edge_conv.conv.0", "attention.edge_conv.conv")
        name = name.replace("aha.edge_conv.conv.1", "attention.edge_conv.bn")
        name = re.sub(r"graph\.conv_down\.\d\.", "graph.down.", name)
        name = re.sub(r"graph\.conv\.\d\.3\.conv\.0", "graph.edge_conv.conv", name)
        name = re.sub(r"graph\.conv\.\d\.3\.conv\.1", "graph.edge_conv.bn", name)
        name = re.sub(r"graph\.conv\.\d\.\d\.", "graph.conv.", name)
        name = re.sub(r"tcn1\.branches\.(\d)\.3\.conv", r"time.branches.\1.3", name)
        name = re.sub(r"tcn1\.branches\.(\d)\.3\.bn", r"time.branches.\1.4", name)
        name = (
            name.replace("tcn1.", "time.").replace("residual.conv", "residual.0").replace("residual.bn", "residual.1")
        )
        if re.search(r"time\.branches\.\d\.3\.bias", name):
            value = value.flatten()
        gathered.setdefault(name, []).append(value)
    for name, values in gathered.items():
        ours[name] = values[0] if name.endswith("num_batches_tracked") else torch.cat(values)
    return ours


def from_released(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Their whole state, ``<part>.<key>``, as our model's. The classifier of I3D, which nothing uses, is left out."""
    skeleton = {k.removeprefix("PoseNet_model."): v for k, v in state.items() if k.startswith("PoseNet_model.")}
    ours = {f"skeleton.{name}": value for name, value in hdgcn_from_published(skeleton).items()}
    ours["stage_weights.log"] = torch.stack([state[f"learning_par{i}.logit_scale"] for i in (1, 2, 3)])
    for key, value in state.items():
        if not key.startswith(("PoseNet_model.", "learning_par", "I3D_encoder.backbone.conv3d_0c_1x1.")):
            ours[our_name(key)] = value
    return ours


def our_name(key: str) -> str:
    """Our name of one of their tensors, stage weights excepted. Raises KeyError for a part that we don't know."""
    if key.startswith("PoseNet_model."):
        (name,) = hdgcn_from_published({key.removeprefix("PoseNet_model."): torch.zeros(1)})
        return f"skeleton.{name}"
    for begins, ours in PARTS.items():
        if found := re.match(begins, key):
            stage = found.groupdict().get("stage")
            name = ours.format(stage=int(stage) - 1) if stage else ours
            name += key[found.end() :]
            break
    else:
        raise KeyError(key)
    for theirs, ours in MAPS.items():
        name = re.sub(rf"\.attn\.{theirs}\b", f".attn.{ours}", name)
    for theirs, ours in LAYERS.items():
        name = re.sub(theirs, ours, name)
    return name

"""The skeleton encoders by name."""

from __future__ import annotations

from baselines.backbones.hdgcn import HDGCN
from baselines.backbones.joint_conv import JointConv

SKELETON_ENCODERS: dict[str, type[HDGCN] | type[JointConv]] = {"hdgcn": HDGCN, "joint_conv": JointConv}

"""The 16 joints, in MPII order, and what follows from their order.

Left and right are the diver's own. Sources: MPII Human Pose (order), the
HPMCR specification (hierarchy), COCO keypoint evaluation (sigmas; thorax,
neck and head top have none there and take the value of the shoulder).
"""

from __future__ import annotations

JOINTS: tuple[str, ...] = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle",
    "pelvis", "thorax", "upper_neck", "head_top",
    "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist",
)  # fmt: skip

N_JOINTS = len(JOINTS)
INDEX: dict[str, int] = {name: i for i, name in enumerate(JOINTS)}

LIMBS: tuple[tuple[int, int], ...] = (
    (0, 1), (1, 2), (2, 6), (6, 3), (3, 4), (4, 5),
    (6, 7), (7, 8), (8, 9),
    (10, 11), (11, 12), (12, 7), (7, 13), (13, 14), (14, 15),
)  # fmt: skip
"""Pairs of joint indices joined by a limb, each once."""

FLIP: tuple[int, ...] = (5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 15, 14, 13, 12, 11, 10)
"""Joint i of a mirrored picture is joint FLIP[i] of the original."""

SIDELESS: tuple[int, ...] = tuple(i for i, other in enumerate(FLIP) if i == other)
"""Joints of the body's middle: pelvis, thorax, upper neck, head top."""

HIERARCHY: tuple[tuple[int, ...], ...] = ((7,), (6, 8, 12, 13), (9, 14, 2, 3, 11), (10, 15, 1, 4), (5, 0))
"""Levels of the skeleton from the thorax outwards, as HPMCR publishes them (10 beside the knees included)."""

SIGMAS: tuple[float, ...] = (
    0.089, 0.087, 0.107, 0.107, 0.087, 0.089, 0.107, 0.079, 0.079, 0.079, 0.062, 0.072, 0.079, 0.079, 0.072, 0.062,
)  # fmt: skip
"""Per-joint constants of object keypoint similarity (OKS)."""

HEAD = (INDEX["upper_neck"], INDEX["head_top"])
"""The segment whose length PCKh measures errors in."""

"""The demo with the paper's skeleton encoder, HD-GCN, a quarter as wide and half as deep.

It starts from the same unfilmed dives. The demo has another encoder, which learns more of them in the same time.
"""

_base_ = "demo.py"

model = {
    "skeleton_encoder": "hdgcn",
    "skeleton": {"_delete_": True, "in_channels": 2, "channels": [16, 16, 32, 32, 64]},
}

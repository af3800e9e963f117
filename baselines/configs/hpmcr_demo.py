"""HPMCR, small: every part in its place, trained from random weights in minutes on two cores.

Pictures a quarter of the paper's area, 48 frames, narrow networks. The last epoch is
taken: with a few dozen dives every one of them is needed for training.
"""

model = {
    "frames": 48,
    "i3d": {"width": 0.0625, "stride": 16},
    "static": {
        "arch": {"depth": 4, "w0": 16, "wa": 16.0, "wm": 1.6, "group_size": 8, "se_ratio": 0.25, "stem_width": 16}
    },
    "skeleton": {"in_channels": 2, "channels": (16, 32, 64)},
    "dim": 64,
    "tokens": 6,
    "depth": 2,
    "heads": 2,
    "score_unit": 10.0,
    "start_equal": True,
    "contrast_weight": 0.1,
}
data = {"frames": 48, "resize": (86, 48), "crop": 48, "pose_norm": "centre", "pose_noise": 0.05, "in_memory": True}
training = {"epochs": 20, "batch_size": 16, "exemplars": 0, "every_pair": True, "alike": 4, "workers": 0}
optim_wrapper = {
    "type": "OptimWrapper",
    "optimizer": {"type": "AdamW", "lr": 2e-3, "weight_decay": 0.1},
    "clip_grad": {"max_norm": 5.0},
}
param_scheduler = [{"type": "CosineAnnealingLR", "T_max": 20, "by_epoch": True, "end": 20}]
evaluation = {"votes": 10, "voters": "panel"}
validation = {"share": 0.0, "interval": 1}

"""HPMCR, small: every part in its place, trained in two minutes on a core.

Pictures a third of the paper's area, which the visual encoders read half as large, 48 frames, narrow networks. The pose
branch starts from what was learned from dives that nobody filmed, and a splash is found by what filmed ends of dives
taught (docs/experiments/prior.md). The last epoch is taken: with a few dozen dives every one of them is needed for
training. What it learns, and what was tried: docs/experiments/scorer.md.
"""

model = {
    "i3d": {"width": 0.0625, "stride": 16},
    "static": {
        "arch": {"depth": 4, "w0": 16, "wa": 16.0, "wm": 1.6, "group_size": 8, "se_ratio": 0.25, "stem_width": 16}
    },
    "skeleton": {"in_channels": 2, "channels": [16, 16, 32, 32, 64]},
    "prior": True,
    "coarse": 2,
    "fusion": "residual",
    "visual_dropout": 0.5,
    "dim": 64,
    "tokens": 12,
    "depth": 1,
    "heads": 2,
    "score_unit": 10.0,
    "start_equal": True,
    "antisymmetric": True,
    "contrast_weight": 0.01,
}
data = {
    "frames": 48,
    "resize": (116, 64),
    "crop": 64,
    "pose_norm": "centre",
    "target": "score_over_difficulty",
    "in_memory": True,
}
training = {"epochs": 12, "batch_size": 16, "exemplars": 0, "every_pair": True, "alike": 8, "workers": 0, "threads": 1}
optimiser = {
    "type": "AdamW",
    "lr": 1e-3,
    "weight_decay": 0.5,
    # what comes from the prior is not to be unlearned from a few dozen dives; at the full rate pictures are known by
    # heart before they say anything; transitions need a higher one
    "lr_mult": {
        "skeleton.": 0.1,
        "pose_segmentation.": 0.1,
        "fusion.": 0.1,
        "compare_fused.": 0.1,
        "stage_weights.": 0.1,
        "judge.": 0.1,
        "visual_share": 0.1,
        "dynamic.": 0.01,  # and reduce_dynamic.
        "reduce_static.": 0.01,
        "compare_static.": 0.01,
        "segmentation.": 3.0,
        "static.net.": 3.0,
    },
    "clip_norm": 5.0,
}
evaluation = {"votes": 10, "voters": "panel"}
validation = {"share": 0.0, "interval": 1}

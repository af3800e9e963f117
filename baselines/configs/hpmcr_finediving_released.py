"""HPMCR on FineDiving as the public code does it, slips included: to reproduce published figures, not to trust them.

Source: github.com/Lumos0507/HP-MCoRe, commit 6bce799 (its ``models`` folder is in no later one). Every line below
takes back something that ``hpmcr_finediving.py`` does otherwise; ``docs/model.md`` says why.
"""

_base_ = "hpmcr_finediving.py"

model = {
    "i3d": {"bn_eps": 1e-5},  # the weights were trained with 1e-3
    "static": {"freeze_bn": True},  # whatever the weights are
    "skeleton": {"channels": (64, 64, 64, 64, 128), "attention": 1},  # half of HD-GCN
    "fusion": "bias",  # visual tokens do not see the skeleton, it only biases whom they attend to
    "reducer": "wide",
    "predict": "halves",  # a second transition before the middle of the clip can't be found
    "second_transition_weight": 2.0,
}
data = {
    "resize": (112, 200),  # width and height were swapped: pictures are squashed, and 112 of 200 rows cropped
    "pose_norm": "none",  # pixels of the stored frames
    "flip_pose": False,  # pictures are mirrored, their poses not
}
evaluation = {"voters": "each", "pad": True}  # where there are few exemplars the first one votes several times
# the best epoch of the test split, every figure from another one; the public code scores every epoch from 140 on
validation = {"share": 0.0, "interval": 2, "on_test": True}

"""HPMCR on FineDiving as the public code does it, slips included: to reproduce published figures, not to trust them.

Source: github.com/Lumos0507/HP-MCoRe, commit 6bce799 (its ``models`` folder is in no later one). Every line below
takes back something that ``full.py`` does otherwise; ``docs/model.md`` says why.
"""

_base_ = "full.py"

model = {
    "i3d": {"bn_eps": 1e-5},  # the weights were trained with 1e-3
    "static": {"freeze_bn": True},  # whatever the weights are
    # half of HD-GCN, its attention looking at joint j - 1 where joint j is meant
    "skeleton": {"channels": (64, 64, 64, 64, 128), "attention": 1, "attention_joints": "shifted"},
    "fusion": "bias",  # visual tokens do not see the skeleton, it only biases whom they attend to
    "reducer": "wide",
    "predict": "halves",  # a second transition before the middle of the clip can't be found
    "second_transition_weight": 2.0,
}
data = {
    "boundary": "before",  # a stage begins one sampled frame early
    "sampling": "video",  # frame numbers of the video are spread: another frame in 3 of 96 places of 11 dives
    "resize": (112, 200),  # width and height were swapped: pictures are squashed, and 112 of 200 rows cropped
    "resample": "bilinear",  # Pillow's
    "pose_norm": "none",  # pixels of the stored frames
    "flip_pose": False,  # pictures are mirrored, their poses not
}
training = {"share_clips": False}  # a clip that stands twice in a batch is cropped and mirrored twice
evaluation = {
    "voters": "each",
    "pad": True,  # where there are few exemplars the first one votes several times
    "redraw": True,  # other voters at every scoring; ours follow from the seed
}
# the best epoch of the test split, every figure from another one. Scored are the epochs 0, 2, ..., 138, counted from 0,
# and every one from 140 on: 131 of 201
validation = {"share": 0.0, "interval": 2, "first": 1, "every_from": 141, "on_test": True}

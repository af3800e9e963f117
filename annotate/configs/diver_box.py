# ruff: noqa: C408  (mmengine configs are written with dict, so that they read like keyword arguments)
"""Where the diver is: the five points of the box around all divers in the frame, shrunk to 256 x 160."""

_base_ = ["./diver_base.py"]

codec = dict(type="UDPHeatmap", input_size=(256, 160), heatmap_size=(64, 40), sigma=1.3, blur_kernel_size=7)

model = dict(
    backbone=dict(stem_channels=16, base_channels=16),
    head=dict(in_channels=128, out_channels=5, deconv_out_channels=(64, 48, 32), decoder=codec),
)

boxes = "frame"
pipeline = [
    dict(type="GetBBoxCenterScale", padding=1.0),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
]
train_pipeline = [
    dict(type="GetBBoxCenterScale", padding=1.0),
    dict(type="RandomFlip", prob=0.5),
    dict(
        type="UniformBBoxTransform",
        shift_factor=0.15,
        shift_prob=0.8,
        scale_factor=(0.6, 1.25),
        rotate_factor=0,  # the sides of a turned box are no longer those of the upright one around the diver
        rotate_prob=0.0,
    ),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
    dict(type="RandomOcclusion", prob=0.5),
    dict(type="PhotometricDistortion", brightness_delta=48, contrast_range=(0.5, 1.6), hue_delta=18),
    dict(type="RandomBlur", prob=0.6),
    dict(type="GenerateTarget", encoder=codec),
    dict(type="PackPoseInputs"),
]

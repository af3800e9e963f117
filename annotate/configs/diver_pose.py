# ruff: noqa: C408  (mmengine configs are written with dict, so that they read like keyword arguments)
"""Joints of a diver in a crop of 128 x 128: a ResNet-18 of 32 channels with a deconvolution head, 3.6 M parameters."""

_base_ = ["./diver_base.py"]

codec = dict(type="UDPHeatmap", input_size=(128, 128), heatmap_size=(32, 32), sigma=1.5, blur_kernel_size=7)

model = dict(
    backbone=dict(stem_channels=32, base_channels=32),
    head=dict(
        in_channels=256,
        out_channels=16,
        deconv_out_channels=(128, 96, 64),
        decoder=codec,
        loss=dict(type="SidesMSELoss", side_weight=3.0),
    ),
)

boxes = "joints"
padding = 1.25  # boxes that are found are rather too small, and what a crop leaves out costs more than too much in it
pipeline = [
    dict(type="GetBBoxCenterScale", padding=padding),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
]
train_pipeline = [
    dict(type="RandomWithoutOther", prob=0.5),
    dict(type="MoveLimbs", prob=0.8),
    dict(type="GetBBoxCenterScale", padding=padding),
    dict(type="RandomFlip", prob=0.5),
    dict(
        type="UniformBBoxTransform",
        shift_factor=0.15,
        shift_prob=0.8,
        scale_factor=(0.7, 1.45),
        rotate_factor=180,
        rotate_prob=1.0,
    ),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
    dict(type="RandomOcclusion", prob=0.5),
    dict(type="PhotometricDistortion", brightness_delta=48, contrast_range=(0.5, 1.6), hue_delta=18),
    dict(type="RandomBlur", prob=0.6),
    dict(type="GenerateTarget", encoder=codec),
    dict(type="PackPoseInputs"),
]
learning_rate = 1.5e-3

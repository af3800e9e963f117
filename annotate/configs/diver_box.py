# ruff: noqa: C408  (mmengine configs are written with dict, so that they read like keyword arguments)
"""Where the diver is: the five points of the diver's box in the whole frame, shrunk to 192 x 128."""

codec = dict(type="UDPHeatmap", input_size=(192, 128), heatmap_size=(48, 32), sigma=1.5, blur_kernel_size=7)

model = dict(
    type="TopdownPoseEstimator",
    data_preprocessor=dict(
        type="PoseDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(type="ResNet", depth=18, stem_channels=16, base_channels=16),
    head=dict(
        type="HeatmapHead",
        in_channels=128,
        out_channels=5,
        deconv_out_channels=(64, 48, 32),
        deconv_kernel_sizes=(4, 4, 4),
        loss=dict(type="KeypointMSELoss", use_target_weight=True, loss_weight=1000.0),
        decoder=codec,
    ),
    train_cfg=dict(compute_acc=False),
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

batch_size = 32
learning_rate = 1.5e-3
weight_decay = 0.02

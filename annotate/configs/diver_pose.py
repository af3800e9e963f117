# ruff: noqa: C408  (mmengine configs are written with dict, so that they read like keyword arguments)
"""Joints of a diver in a crop of 128 x 128: a ResNet-18 of 24 channels with a deconvolution head, 1.9 M parameters."""

codec = dict(type="UDPHeatmap", input_size=(128, 128), heatmap_size=(16, 16), sigma=1.25, blur_kernel_size=5)

model = dict(
    type="TopdownPoseEstimator",
    data_preprocessor=dict(
        type="PoseDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(type="ResNet", depth=18, stem_channels=24, base_channels=24),
    head=dict(
        type="HeatmapHead",
        in_channels=192,
        out_channels=16,
        deconv_out_channels=(96, 64),
        deconv_kernel_sizes=(4, 4),
        loss=dict(type="KeypointMSELoss", use_target_weight=True, loss_weight=1000.0),
        decoder=codec,
    ),
    train_cfg=dict(compute_acc=False),
)

boxes = "joints"
pipeline = [
    dict(type="GetBBoxCenterScale", padding=1.1),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp=True),
]
train_pipeline = [
    dict(type="GetBBoxCenterScale", padding=1.1),
    dict(type="RandomFlip", prob=0.5),
    dict(
        type="UniformBBoxTransform",
        shift_factor=0.12,
        shift_prob=0.8,
        scale_factor=(0.75, 1.35),
        rotate_factor=180,
        rotate_prob=0.9,
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

# ruff: noqa: C408  (mmengine configs are written with dict, so that they read like keyword arguments)
"""Where the diver is: all joints at once in the whole frame, shrunk to 160 x 96; the box follows from them."""

codec = dict(type="UDPHeatmap", input_size=(160, 96), heatmap_size=(20, 12), sigma=1.0, blur_kernel_size=5)

model = dict(
    type="TopdownPoseEstimator",
    data_preprocessor=dict(
        type="PoseDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(type="ResNet", depth=18, stem_channels=16, base_channels=16),
    head=dict(
        type="HeatmapHead",
        in_channels=128,
        out_channels=16,
        deconv_out_channels=(64, 48),
        deconv_kernel_sizes=(4, 4),
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
        rotate_factor=30,
        rotate_prob=0.5,
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

# ruff: noqa: C408  (mmengine configs are written with dict, so that they read like keyword arguments)
"""HRNet-w48 with DARK on FineDiving-Pose, 256 x 256: 63.6 M parameters, heatmaps of 64 x 64.

HRNet: arXiv 1902.09212; DARK: arXiv 1910.06278. The network is that of mmpose's
``td-hm_hrnet-w48_dark-8xb64-210e_mpii-256x256``, so its published weights fit.
"""

_base_ = ["./finediving_pose.py"]

codec = dict(type="MSRAHeatmap", input_size=(256, 256), heatmap_size=(64, 64), sigma=2, unbiased=True)

model = dict(
    type="TopdownPoseEstimator",
    data_preprocessor=dict(
        type="PoseDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(
        type="HRNet",
        in_channels=3,
        extra=dict(
            stage1=dict(num_modules=1, num_branches=1, block="BOTTLENECK", num_blocks=(4,), num_channels=(64,)),
            stage2=dict(num_modules=1, num_branches=2, block="BASIC", num_blocks=(4, 4), num_channels=(48, 96)),
            stage3=dict(num_modules=4, num_branches=3, block="BASIC", num_blocks=(4, 4, 4), num_channels=(48, 96, 192)),
            stage4=dict(
                num_modules=3, num_branches=4, block="BASIC", num_blocks=(4, 4, 4, 4), num_channels=(48, 96, 192, 384)
            ),
        ),
    ),
    head=dict(
        type="HeatmapHead",
        in_channels=48,
        out_channels=16,
        deconv_out_channels=None,
        loss=dict(type="KeypointMSELoss", use_target_weight=True, loss_weight=1000.0),
        decoder=codec,
    ),
    train_cfg=dict(compute_acc=False),
    test_cfg=dict(flip_test=True, flip_mode="heatmap", shift_heatmap=True),
)

train_pipeline = [
    dict(type="LoadImage"),
    dict(type="GetBBoxCenterScale"),
    dict(type="RandomFlip", direction="horizontal"),
    dict(type="UniformBBoxTransform", scale_factor=(0.7, 1.35), rotate_factor=180, rotate_prob=0.9),
    dict(type="TopdownAffine", input_size=codec["input_size"]),
    dict(type="RandomOcclusion", prob=0.5),
    dict(type="PhotometricDistortion"),
    dict(type="RandomBlur", prob=0.5),
    dict(type="GenerateTarget", encoder=codec),
    dict(type="PackPoseInputs"),
]
val_pipeline = [
    dict(type="LoadImage"),
    dict(type="GetBBoxCenterScale"),
    dict(type="TopdownAffine", input_size=codec["input_size"]),
    dict(type="PackPoseInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader

optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="Adam", lr=2.5e-4))
param_scheduler = [
    dict(type="LinearLR", begin=0, end=200, start_factor=0.01, by_epoch=False),
    dict(type="MultiStepLR", begin=0, end=40, milestones=[25, 35], gamma=0.1, by_epoch=True),
]

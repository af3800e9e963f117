# ruff: noqa: C408  (mmengine configs are written with dict, so that they read like keyword arguments)
"""What the two networks of the bundled estimator share: a narrow ResNet-18, deconvolutions, mean squared error."""

model = dict(
    type="TopdownPoseEstimator",
    data_preprocessor=dict(
        type="PoseDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(type="ResNet", depth=18),
    head=dict(
        type="HeatmapHead",
        deconv_kernel_sizes=(4, 4, 4),
        loss=dict(type="KeypointMSELoss", use_target_weight=True, loss_weight=1000.0),
    ),
    train_cfg=dict(compute_acc=False),
)

batch_size = 32
learning_rate = 2e-3
weight_decay = 0.02

# ruff: noqa: C408  (mmengine configs are written with dict, so that they read like keyword arguments)
"""RTMPose-m on FineDiving-Pose, 256 x 256: 13.6 M parameters, SimCC vectors of 512 in x and y.

RTMPose: arXiv 2303.07399. The network is that of mmpose's ``rtmpose-m_8xb64-210e_mpii-256x256``, so its published
weights fit. The backbone is mmpose's own CSPNeXt; no mmdet is needed.
"""

_base_ = ["./finediving_pose.py"]

codec = dict(
    type="SimCCLabel",
    input_size=(256, 256),
    sigma=(5.66, 5.66),
    simcc_split_ratio=2.0,
    normalize=False,
    use_dark=False,
)

model = dict(
    type="TopdownPoseEstimator",
    data_preprocessor=dict(
        type="PoseDataPreprocessor", mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True
    ),
    backbone=dict(
        type="CSPNeXt",
        arch="P5",
        expand_ratio=0.5,
        deepen_factor=0.67,
        widen_factor=0.75,
        out_indices=(4,),
        channel_attention=True,
        norm_cfg=dict(type="BN"),
        act_cfg=dict(type="SiLU"),
    ),
    head=dict(
        type="RTMCCHead",
        in_channels=768,
        out_channels=16,
        input_size=codec["input_size"],
        in_featuremap_size=(8, 8),
        simcc_split_ratio=codec["simcc_split_ratio"],
        final_layer_kernel_size=7,
        gau_cfg=dict(
            hidden_dims=256,
            s=128,
            expansion_factor=2,
            dropout_rate=0.0,
            drop_path=0.0,
            act_fn="SiLU",
            use_rel_bias=False,
            pos_enc=False,
        ),
        loss=dict(type="KLDiscretLoss", use_target_weight=True, beta=10.0, label_softmax=True),
        decoder=codec,
    ),
    test_cfg=dict(flip_test=True),
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

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=1e-3, weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0, bypass_duplicate=True),
)
param_scheduler = [
    dict(type="LinearLR", begin=0, end=200, start_factor=0.01, by_epoch=False),
    dict(type="CosineAnnealingLR", begin=20, end=40, T_max=20, eta_min=5e-5, by_epoch=True, convert_to_iter_based=True),
]
custom_hooks = [dict(type="EMAHook", ema_type="ExpMomentumEMA", momentum=0.0002, update_buffers=True, priority=49)]

# ruff: noqa: C408  (mmengine configs are written with dict, so that they read like keyword arguments)
"""What mmpose's models for FineDiving-Pose share: the packed file, the schedule, the metric. No config by itself."""

default_scope = "mmpose"
custom_imports = dict(imports=["annotate.training.packed_dataset", "annotate.training.augment"])

packed = "{{$FDPOSE_PACKED:fdpose-data/finediving_pose.h5}}"
batch_size = 32
workers = 2
epochs = 40

train_dataloader = dict(
    batch_size=batch_size,
    num_workers=workers,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(type="PackedPoseDataset", packed=packed, split="train", by_hand=True),
)
val_dataloader = dict(
    batch_size=batch_size,
    num_workers=workers,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    dataset=dict(type="PackedPoseDataset", packed=packed, split="test", by_hand=True, test_mode=True),
)
test_dataloader = val_dataloader

val_evaluator = dict(type="PCKAccuracy", thr=0.5, norm_item="head")  # PCKh@0.5
test_evaluator = val_evaluator

train_cfg = dict(by_epoch=True, max_epochs=epochs, val_interval=5)
val_cfg = dict()
test_cfg = dict()

default_hooks = dict(
    timer=dict(type="IterTimerHook"),
    logger=dict(type="LoggerHook", interval=50),
    param_scheduler=dict(type="ParamSchedulerHook"),
    checkpoint=dict(
        type="CheckpointHook",
        interval=5,
        max_keep_ckpts=2,
        save_best="PCKh",
        rule="greater",
        published_keys=["meta", "state_dict"],  # a copy without the training's state, for fdpose annotate --checkpoint
    ),
    sampler_seed=dict(type="DistSamplerSeedHook"),
)
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    dist_cfg=dict(backend="nccl"),
)
randomness = dict(seed=0)
load_from = None  # published weights of the same network, by --cfg-options load_from=FILE
resume = False

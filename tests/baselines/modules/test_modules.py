"""Parts of the model: stages, transitions, comparison, losses, weights."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
import torch

from baselines.backbones.gsm_regnet import GateShift, GSMRegNet
from baselines.backbones.hdgcn import HDGCN, hierarchy_adjacency
from baselines.backbones.i3d import I3D
from baselines.data.batch import Batch
from baselines.modules.contrast import stage_contrast
from baselines.modules.fusion import PoseBiasedFusion, PoseGuidedFusion
from baselines.modules.regressor import StageRegressor, StageWeights
from baselines.modules.segmentation import predict_transitions, segmentation_loss
from baselines.modules.stages import pool_stages
from finediving_pose.errors import SetupError

SMALL_REGNET = {"depth": 4, "w0": 16, "wa": 16.0, "wm": 1.6, "group_size": 8, "se_ratio": 0.25, "stem_width": 8}


def test_the_predicted_pair_is_the_best_ordered_one() -> None:
    torch.manual_seed(0)
    logits = torch.randn(20, 12, 2)
    for clip, found in zip(logits, predict_transitions(logits).tolist(), strict=True):
        pairs = [(a, b) for a in range(1, 12) for b in range(a + 1, 12)]
        assert tuple(found) == max(pairs, key=lambda p: float(clip[p[0], 0] + clip[p[1], 1]))


def test_the_predicted_stages_are_the_likeliest_of_three_to_five() -> None:
    """Against every possible answer."""
    torch.manual_seed(0)
    logits = 2 * torch.randn(12, 8, 4)
    log_p = logits.log_softmax(1)

    def answers() -> Iterator[tuple[int, ...]]:
        for count in (2, 3, 4):
            for rising in combinations(range(1, 8), count):
                yield (*rising[:-1], *[-1] * (4 - count), rising[-1])

    for clip, found in zip(log_p, predict_transitions(logits).tolist(), strict=True):
        best = max(answers(), key=lambda answer: sum(float(clip[max(t, 0), k]) for k, t in enumerate(answer)))
        assert tuple(found) == best


def test_segmentation_learns_absent_stages_too() -> None:
    true = torch.tensor([[2, -1, -1, 6], [1, 3, 5, 7]])
    right = torch.full((2, 8, 4), -9.0).scatter(1, true.clamp(min=0)[:, None], 9.0)
    assert segmentation_loss(right, true) < 1e-3
    assert predict_transitions(right).tolist() == true.tolist()


def test_a_pose_bias_lets_alike_poses_attend_to_each_other() -> None:
    torch.manual_seed(0)
    fusion = PoseBiasedFusion(16, pose_dim=6)
    visual, pose = torch.randn(2, 3, 4, 16), torch.randn(2, 3, 4, 6)
    with torch.no_grad():
        without = fusion(visual, torch.zeros_like(pose))
        assert (fusion(visual, pose) - without).abs().max() < 1e-3  # at first hardly
        for name, weight in fusion.named_parameters():
            if name.endswith("pose_weight"):
                weight.fill_(1e4)
        assert (fusion(visual, pose) - without).abs().max() > 1e-2


def test_a_residual_fusion_adds_the_skeleton_as_it_is() -> None:
    visual, skeleton = torch.randn(2, 3, 4, 16), torch.randn(2, 3, 4, 16)
    plain, residual = PoseGuidedFusion(16), PoseGuidedFusion(16, residual=True)
    residual.load_state_dict(plain.state_dict())
    with torch.no_grad():
        assert torch.equal(residual(visual, skeleton), plain(visual, skeleton) + skeleton)


def test_absent_stages_take_no_part_in_the_contrast() -> None:
    torch.manual_seed(0)
    a, b = torch.randn(2, 5, 4, 8), torch.randn(2, 5, 4, 8)
    both = torch.tensor([[True, True, False, False, True]] * 2)
    chosen = [0, 1, 4]
    assert torch.allclose(stage_contrast(a, b, both=both), stage_contrast(a[:, chosen], b[:, chosen]))


def test_segmentation_loss_is_smallest_at_the_transitions() -> None:
    transitions = torch.tensor([[3, 8]])
    right, wrong = torch.zeros(1, 12, 2), torch.zeros(1, 12, 2)
    right[0, 3, 0] = right[0, 8, 1] = 20
    wrong[0, 4, 0] = wrong[0, 8, 1] = 20
    assert segmentation_loss(right, transitions) < 1e-4
    assert segmentation_loss(wrong, transitions) > 5


def test_each_stage_is_resampled_between_its_own_ends() -> None:
    ramp = torch.arange(96.0)[None, :, None]
    stages = pool_stages(ramp, torch.tensor([[30, 61]]), tokens=4)[0, :, :, 0]
    assert torch.allclose(stages[:, 0], torch.tensor([0.0, 30, 60]))
    assert torch.allclose(stages[:, -1], torch.tensor([30.0, 61, 95]))
    assert torch.allclose(stages[1], torch.linspace(30, 61, 4))


def test_half_open_stages_share_no_frame_and_a_single_frame_stays_what_it_is() -> None:
    ramp = torch.arange(96.0)[None, :, None]
    stages = pool_stages(ramp, torch.tensor([[30, 61]]), tokens=4, half_open=True)[0, :, :, 0]
    assert torch.allclose(stages[:, 0], torch.tensor([0.0, 30, 61]))
    assert torch.allclose(stages[:, -1], torch.tensor([29.0, 60, 95]))
    short = pool_stages(ramp, torch.tensor([[1, 95]]), tokens=4, half_open=True)[0, :, :, 0]
    assert short[0].tolist() == [0, 0, 0, 0]
    assert short[2].tolist() == [95, 95, 95, 95]


def test_i3d_gives_maps_whose_mean_is_its_features_and_keeps_its_statistics_where_told() -> None:
    torch.manual_seed(0)
    i3d, video = I3D(width=0.0625, stride=8, freeze_bn=True).train(), torch.randn(2, 3, 24, 64, 64)
    before = {k: v.clone() for k, v in i3d.named_buffers()}
    features, maps = i3d.features_and_maps(Batch(video))
    assert (features.shape, maps.shape) == ((2, 2, 64), (2, 2, 64, 2, 2))
    assert torch.allclose(maps.mean((3, 4)), features, atol=1e-6)
    assert torch.equal(features, i3d(video))
    assert all(torch.equal(v, before[k]) for k, v in i3d.named_buffers())


def test_clips_of_a_batch_are_pooled_independently() -> None:
    torch.manual_seed(0)
    features, transitions = torch.randn(3, 20, 5), torch.tensor([[3, 9], [1, 2], [10, 18]])
    together = pool_stages(features, transitions, 6)
    alone = [pool_stages(features[i : i + 1], transitions[i : i + 1], 6) for i in range(3)]
    assert torch.allclose(together, torch.cat(alone))


def test_contrast_prefers_matching_stages() -> None:
    torch.manual_seed(0)
    stages = torch.eye(3)[None, :, None].repeat(1, 1, 4, 2)
    assert stage_contrast(stages, stages) < stage_contrast(stages, stages.flip(1))


def test_contrast_does_not_mind_the_order_of_a_pair() -> None:
    torch.manual_seed(0)
    a, b = torch.randn(2, 3, 4, 8), torch.randn(2, 3, 4, 8)
    assert torch.allclose(stage_contrast(a, b), stage_contrast(b, a))


def test_stage_weights_start_equal_and_stay_positive() -> None:
    weights = StageWeights()
    per_stage = torch.tensor([[1.0, 2.0, 6.0]])
    assert torch.allclose(weights(per_stage).sum(1), torch.tensor([3.0]))
    with torch.no_grad():
        weights.log.copy_(torch.tensor([-50.0, 0.0, 50.0]))
    assert torch.isfinite(weights(per_stage)).all()
    assert (weights.shares >= 0).all()


def test_fusion_and_comparison_keep_the_stage_axis_apart() -> None:
    """Changing the last stage changes the last stage's result and no other."""
    torch.manual_seed(0)
    a, b = torch.randn(2, 3, 4, 16), torch.randn(2, 3, 4, 16)
    changed = a.clone()
    changed[:, 2] += 1
    for module in (PoseGuidedFusion(16), StageRegressor(16, depth=1)):
        before, after = module(a, b), module(changed, b)
        assert torch.allclose(before[:, :2], after[:, :2])
        assert not torch.allclose(before[:, 2], after[:, 2])


def test_a_fresh_gate_shifts_nothing_and_only_reorders_channels() -> None:
    x = torch.randn(2 * 6, 8, 3, 3)
    out = GateShift(8, segments=6).eval()(x)
    assert torch.equal(out, x[:, [0, 2, 1, 3, 4, 6, 5, 7]])


def test_every_hierarchy_edge_spreads_a_joint_whole() -> None:
    sums = hierarchy_adjacency().sum(2)
    assert torch.allclose(sums[sums > 0], torch.ones(()))


def test_small_encoders_keep_time() -> None:
    video, poses = torch.randn(2, 3, 32, 48, 48), torch.randn(2, 2, 32, 16, 1)
    assert I3D(width=0.0625, stride=8)(video).shape == (2, 3, 64)
    assert GSMRegNet(32, SMALL_REGNET)(video).shape[:2] == (2, 32)
    assert HDGCN(channels=(16, 32))(poses).shape == (2, 32, 32)


def test_batch_norms_are_frozen_exactly_when_weights_are_given(tmp_path: Path) -> None:
    import timm

    published = tmp_path / "regnety_002.pth"
    torch.save(timm.create_model("regnety_002").state_dict(), published)
    from_weights, from_scratch = GSMRegNet(16, weights=published).train(), GSMRegNet(16).train()
    assert not from_weights.net.stem.bn.training
    assert from_scratch.net.stem.bn.training


def test_published_files_load_without_a_map(tmp_path: Path) -> None:
    """The I3D file has a classifier and timm's has a head; both are left out, the rest keeps its names."""
    i3d = I3D(width=0.0625)
    classifier = {"conv3d_0c_1x1.conv3d.weight": torch.zeros(400, 64, 1, 1, 1)}
    file = i3d.state_dict() | classifier
    torch.save(file, tmp_path / "model_rgb.pth")
    again = I3D(width=0.0625, weights=tmp_path / "model_rgb.pth")
    assert all(torch.equal(v, file[k]) for k, v in again.state_dict().items())


@pytest.mark.parametrize(("content", "words"), [(b"", "can't be read as weights"), (None, "no such weights file")])
def test_a_useless_weights_file_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "model_rgb.pth"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SetupError, match=words):
        I3D(width=0.0625, weights=path)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save({"conv1.weight": torch.zeros(3)}, tmp_path / "model_rgb.pth")
    with pytest.raises(SetupError, match="not the I3D weights"):
        I3D(width=0.0625, weights=tmp_path / "model_rgb.pth")

"""Pre-training: batches of dives that compare, losses that fall, a stop that changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from baselines.prior.errors import PoseErrors, phases
from baselines.prior.facts import FactsPlan, teach_facts
from baselines.prior.network import PoseScorer
from baselines.prior.performed import FRAMES, frame_times
from baselines.prior.pretrain import Plan, train
from baselines.prior.samples import SAME_NUMBER, Samples, facts_of, groups, pairs_within
from baselines.prior.stream import perform_unfilmed
from baselines.prior.weights import Prior, read_prior, write_prior
from finediving_pose.errors import SetupError
from finediving_pose.skeleton import INDEX

NUMBERS = ("107b", "5253b")
SETTINGS: dict[str, Any] = {"skeleton": {"in_channels": 2, "channels": [8, 8]}, "tokens": 4}


@pytest.fixture(scope="module")
def samples() -> Samples:
    """24 dives of two numbers, and an estimator that errs by a twentieth of the trunk."""
    dives = perform_unfilmed(5, range(24), NUMBERS)
    rng = np.random.default_rng(0)
    errors = PoseErrors(
        np.array(NUMBERS),
        np.tile(phases(np.arange(FRAMES), 12, 30, FRAMES), (2, 1)),
        rng.normal(0, 0.05, (2, FRAMES, 16, 2)).astype(np.float16),
        np.zeros((2, FRAMES, 6), bool),
        np.zeros((2, FRAMES), bool),
    )
    return Samples(dives, errors)


def test_a_batch_holds_eight_dives_of_each_number(samples: Samples) -> None:
    chosen = next(groups(samples.dives, 16, np.random.default_rng(0)))
    assert len(set(chosen.tolist())) == 16
    numbers = samples.dives.number[chosen]
    assert (numbers.reshape(-1, SAME_NUMBER) == numbers[::SAME_NUMBER, None]).all()
    query, exemplar = pairs_within(16)
    assert len(query) == 2 * SAME_NUMBER * (SAME_NUMBER - 1) // 2
    assert (numbers[query] == numbers[exemplar]).all()


def test_poses_are_about_the_pelvis_in_units_of_the_trunk(samples: Samples) -> None:
    batch = samples.batch(np.arange(4), np.random.default_rng(0))
    assert batch["pose"].shape == (4, 2, FRAMES, 16, 1)
    assert batch["pose"].isfinite().all()
    pelvis, thorax = (batch["pose"][:, :, :, INDEX[name], 0] for name in ("pelvis", "thorax"))
    assert pelvis.abs().max() == 0
    np.testing.assert_allclose((thorax - pelvis).norm(dim=1).median(1).values, 1, atol=0.05)


def test_transitions_are_the_frames_in_which_flight_and_entry_begin(samples: Samples) -> None:
    dives = samples.dives
    for i in range(4):
        times = frame_times(float(dives.times[i, 2]))
        flight, entry = samples.transitions(i).tolist()
        first, last = dives.starts[i, 0] / 25, dives.starts[i][dives.starts[i] >= 0][-1] / 25
        assert times[flight - 1] < first <= times[flight] + 1e-9
        assert times[entry - 1] < last <= times[entry] + 1e-9


def test_faults_cost_what_quality_lacks(samples: Samples) -> None:
    facts = facts_of(samples.dives, np.arange(24))
    alone = ~samples.dives.synchronised
    np.testing.assert_allclose(3 - facts[alone, 0], facts[alone, 1:].sum(1), atol=1e-4)
    assert np.isnan(facts[~alone, 0]).all()


def test_the_head_of_facts_learns_alone_each_fact_in_its_own_spread(samples: Samples) -> None:
    """Afterwards faults that cost little are told as well as those that cost much; nothing else has changed."""
    torch.manual_seed(0)
    network = PoseScorer(**SETTINGS)
    before = {k: v.clone() for k, v in network.state_dict().items() if not k.startswith("facts.")}

    @torch.no_grad()
    def wrong() -> torch.Tensor:
        batch = samples.batch(np.arange(24), np.random.default_rng(9), 0.0)
        told, facts = network.facts(network.encode(batch["pose"], batch["transitions"])[0]), batch["facts"]
        return torch.nanmean((told - facts).square(), 0) / torch.from_numpy(np.nanstd(facts.numpy(), 0)).square()

    teach_facts(network, samples, FactsPlan(steps=1), 0)
    untaught = wrong()
    teach_facts(network, samples, FactsPlan(views=8, steps=300, batch=64), 0)
    taught = wrong()
    assert untaught.min() > 1 and taught.max() < 0.85
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items() if k in before)


def test_a_training_that_was_stopped_ends_with_the_same_weights(
    tmp_path: Path, samples: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("baselines.prior.pretrain.KEPT", 2)
    plan = Plan(SETTINGS, steps=6, batch=16)
    whole = train(plan, samples, tmp_path / "whole.pth").state_dict()
    draw, drawn = Samples.batch, [0]

    def stopped(self: Samples, *args: object) -> dict[str, torch.Tensor]:
        drawn[0] += 1
        if drawn[0] == 4:
            raise KeyboardInterrupt
        return draw(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Samples, "batch", stopped)
    with pytest.raises(KeyboardInterrupt):
        train(plan, samples, tmp_path / "stopped.pth")
    resumed = train(plan, samples, tmp_path / "stopped.pth").state_dict()
    assert drawn[0] == 4 + 4  # steps 3 to 6 again
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name


def test_weights_that_are_damaged_are_said_to_be_lost(tmp_path: Path) -> None:
    (tmp_path / "prior.pth").write_bytes(b"PK\x03\x04")
    with pytest.raises(SetupError, match=r"prior.pth: the weights learned from synthetic dives are lost .*reinstall"):
        read_prior(tmp_path / "prior.pth")


def test_weights_that_are_read_score_as_those_that_were_written(tmp_path: Path, samples: Samples) -> None:
    torch.manual_seed(0)
    network = PoseScorer(**SETTINGS).eval()
    write_prior(tmp_path / "prior.pth", Prior(SETTINGS, network.state_dict(), {"dives": 1, "steps": 2, "batch": 3}))
    batch = samples.batch(np.arange(4), np.random.default_rng(0))
    with torch.no_grad():
        before, after = (n.facts(n.encode(batch["pose"], batch["transitions"])[0]) for n in (
            network, read_prior(tmp_path / "prior.pth").network()
        ))  # fmt: skip
    np.testing.assert_allclose(after, before, atol=2e-3)

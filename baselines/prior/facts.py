"""The head that tells quality and faults learns once more, alone, when everything else is learned.

Beside the comparison of dives it hardly learns: a fault that costs few points weighs next to nothing there. Here each
fact counts in units of its own spread, and the rest of the network stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from baselines.modules.facts import FactsHead
from baselines.prior.network import PoseScorer, wrong_facts
from baselines.prior.samples import Samples
from finediving_pose.progress import console

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class FactsPlan:
    """Everything that decides the head's weights beside the network's.

    Attributes
    ----------
    views : samples of each dive
    steps, batch, lr, weight_decay : of AdamW, one cycle
    """

    views: int = 2
    steps: int = 6_000
    batch: int = 256
    lr: float = 5e-3
    weight_decay: float = 0.1


def teach_facts(network: PoseScorer, samples: Samples, plan: FactsPlan, seed: int) -> None:
    """Give ``network`` a new head of facts, learned from the tokens that it makes of ``samples``."""
    tokens, facts = _tokens(network, samples, plan.views, seed)
    spread = torch.from_numpy(np.nanstd(facts.numpy(), 0))
    torch.manual_seed(seed)
    head = FactsHead(tokens.shape[-1], facts.shape[1])
    optimiser = torch.optim.AdamW(head.parameters(), plan.lr, weight_decay=plan.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.lr, total_steps=plan.steps)
    for _ in range(plan.steps):
        chosen = torch.randint(len(tokens), (plan.batch,))
        loss = (wrong_facts(head(tokens[chosen]), facts[chosen]) / spread).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    network.facts = head.eval()


def _tokens(network: PoseScorer, samples: Samples, views: int, seed: int) -> tuple[Tensor, Tensor]:
    """Tokens (views * N, S, K, D) of all dives, and their facts (views * N, facts)."""
    network.eval()
    tokens, facts = [], []
    with torch.no_grad():
        for view in range(views):
            for start in range(0, len(samples.dives), AT_ONCE):
                chosen = np.arange(start, min(start + AT_ONCE, len(samples.dives)))
                batch = samples.batch(chosen, np.random.default_rng((seed, 5, view, start)))
                tokens.append(network.encode(batch["pose"], batch["transitions"])[0])
                facts.append(batch["facts"])
            console.print(f"dives read for the faults: {view + 1} of {views} times")
    return torch.cat(tokens), torch.cat(facts)

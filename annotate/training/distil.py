"""Teach a network to say in one look what it says in many, on frames in which nobody placed a joint."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from annotate.training.batches import Samples
from annotate.training.labelled_frames import LabelledFrame
from annotate.training.learned import Learned
from annotate.training.plan import FinetunePlan
from annotate.training.taught_crops import teach
from annotate.training.train import Computing, estimator_of, train_network

STEPS, SHARE = 300, 5
"""It takes this many steps, or one for every five of the training before if those are fewer."""
CROPS, OF_ONE_FRAME = 2000, 10
"""At most this many crops are taught, and this many of one frame."""
RATE = 0.2
"""Share of the learning rate of the training before."""


def distil(learned: Learned, frames: Sequence[LabelledFrame], plan: FinetunePlan, on: Computing) -> Mapping[str, Any]:
    """Weights whose single look says of ``frames`` what those of ``learned`` say in many.

    After a stop the many looks are taken again, and the steps go on.
    """
    config, weights = learned.config, learned.weights
    few = replace(plan, steps=min(STEPS, -(-plan.steps // SHARE)))
    n = min(CROPS, OF_ONE_FRAME * len(frames), few.steps * (plan.batch or config["batch_size"]))
    taught = teach(frames, estimator_of(config, weights, plan, on), config["train_pipeline"], n, plan.seed)
    samples = Samples(f"{n} crops", taught, np.full(n, 1 / n))
    work = learned.work / f"one-look-{hashlib.sha256(taught.crops.tobytes()).hexdigest()[:16]}"
    gentle = config | {"learning_rate": RATE * config["learning_rate"]}
    return train_network(gentle, weights, samples, learned.held, few, work, on)

"""What kept features are of: everything that decides them, apart from the packed file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from baselines.backbones.encoder import Encoder
from baselines.data.settings import DataSettings
from baselines.runs.config import RunConfig

RANDOM = "random"
"""In place of the digest of published weights: the encoder starts from :data:`SEED`."""
SEED = 0
"""Of random weights. Not the training's: features are the same for all trainings of a file."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What features are computed with.

    Attributes
    ----------
    encoder, settings : class and arguments of the encoder
    weights : sha256 of the published weights, or :data:`RANDOM`
    pictures : how pictures are sampled, resized and cropped, by the names of
        :class:`~baselines.data.settings.DataSettings`
    """

    encoder: str
    settings: dict[str, Any]
    weights: str
    pictures: dict[str, Any]

    @property
    def name(self) -> str:
        """Of the folder that the features are kept in: the encoder's name and a digest of the recipe."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{self.encoder.lower()}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def recipe_of(encoder: Encoder, name: str, config: RunConfig) -> Recipe:
    """The recipe of a run's encoder, which is called ``name`` in the model section."""
    given = config.origin.weights.get(name) if config.origin else None
    weights = given["sha256"] if given else RANDOM
    return Recipe(type(encoder).__name__, encoder.settings, weights, _pictures(config.data))


def _pictures(data: DataSettings) -> dict[str, Any]:
    return {
        "frames": data.frames,
        "sampling": data.sampling,
        "resize": list(data.resize),
        "resample": data.resample,
        "crop": data.crop,
    }

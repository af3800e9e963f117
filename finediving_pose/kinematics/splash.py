"""The splash, where somebody put masks of it beside the data (``splash/<video>/<index>.pkl``); poses do not show it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from finediving_pose.errors import LabelError
from finediving_pose.kinematics.readings import Reason, Value
from finediving_pose.labels.unpickler import load_pickle


def splash_share(masks: Path) -> Value:
    """The largest share of the picture that the splash covers in any frame; no error of it is known.

    ``masks`` is a pickle with ``splash_pred_masks``, a mask for every frame or None where there is no splash, as the
    authors of HPMCR give them out. Raises LabelError where the file holds something else.
    """
    if not masks.is_file():
        return Value.missing(Reason.NO_SPLASH_MASK)
    content = load_pickle(masks)
    pictures = content.get("splash_pred_masks") if isinstance(content, dict) else None
    if not isinstance(pictures, Sequence):
        raise LabelError(f"{masks}: has no splash_pred_masks; copy the file again, or remove it")
    shares = [np.count_nonzero(m) / np.size(m) for m in pictures if m is not None and np.size(m)]
    return Value(float(max(shares))) if shares else Value.missing(Reason.NO_SPLASH_MASK)

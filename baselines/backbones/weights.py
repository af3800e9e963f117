"""Weight files in: what a person downloaded, as a plain state dict."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from finediving_pose.checkpoints import read_checkpoint
from finediving_pose.errors import CheckpointError, SetupError


def read_state(path: Path) -> dict[str, Tensor]:
    """Read ``.pth``, ``.pt`` or ``.safetensors`` to a state dict on the CPU.

    A ``state_dict`` or ``model`` entry is unwrapped. Pickled code is never run.

    Raises
    ------
    SetupError
        The file is missing or holds no state dict.
    """
    if not path.is_file():
        raise SetupError(f"{path}: no such weights file; leave it out to start from random weights")
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except Exception as e:  # the reader raises errors of its own
            raise SetupError(f"{path}: can't be read as weights ({type(e).__name__}); download it again") from e
    try:
        state = read_checkpoint(path)
    except CheckpointError as e:
        said = str(e).removeprefix(f"{path}: ")
        raise SetupError(f"{path}: can't be read as weights ({said}); download it again") from e
    for key in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise SetupError(f"{path}: holds no state dict; expected a mapping of parameter names to tensors")
    return state

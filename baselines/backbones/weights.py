"""Weight files in: what a person downloaded, as a plain state dict."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from finediving_pose.errors import SetupError


def read_state(path: Path) -> dict[str, Tensor]:
    """Read ``.pth``, ``.pt`` or ``.safetensors`` to a state dict on the CPU.

    A ``state_dict`` or ``model`` entry is unwrapped. Pickled code is never run.

    Raises
    ------
    SetupError
        The file is missing or holds no state dict.
    """
    import torch

    if not path.is_file():
        raise SetupError(f"{path}: no such weights file; leave it out to start from random weights")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as e:
        raise SetupError(f"{path}: can't be read as weights ({type(e).__name__}); download it again") from e
    for key in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise SetupError(f"{path}: holds no state dict; expected a mapping of parameter names to tensors")
    return state

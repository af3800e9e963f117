"""What estimators compute on."""

from __future__ import annotations

from typing import Any

from finediving_pose.errors import SetupError, first_line


def torch_device(name: str) -> Any:
    """The torch device of that name. Raises SetupError where it is not there."""
    import torch

    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as e:
        raise SetupError(f"--device {name}: not usable here ({first_line(e)}); try --device cpu") from e
    return device


def has_bf16(device: str) -> bool:
    """Whether ``device`` multiplies bfloat16 numbers natively (AVX-512 BF16 or AMX; CUDA from capability 8.0 on).

    There, networks of the size of HRNet and RTMPose run about twice as fast in bfloat16; elsewhere
    it is emulated and slower.
    """
    import torch

    chosen = torch_device(device)
    if chosen.type == "cuda":
        return torch.cuda.get_device_capability(chosen) >= (8, 0)
    able = torch.cpu.get_capabilities() if chosen.type == "cpu" else {}
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))

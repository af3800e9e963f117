"""Memory that a process keeps for its next array.

glibc maps every large array anew and gives it back at once: a training on a processor then spends a quarter to a third
of its time on having the kernel clear pages (``docs/experiments/speed.md``).
"""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
"""Parameters of glibc's ``mallopt``, by malloc.h."""
_MOST = 2**31 - 1


def keep_memory() -> bool:
    """Keep freed memory in this process, up to 2 GiB at its end, and map nothing apart; whether that could be had.

    Nothing happens on systems whose C library has no ``mallopt``, such as macOS and Windows.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, _MOST))

"""Dataset toolkit for pose-aware action quality assessment of diving."""

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from finediving_pose.packed.reader import open_packed

try:
    __version__ = version("fdpose")
except PackageNotFoundError:  # a source tree on the path, not installed
    __version__ = "0+source"

__all__ = ["__version__", "open_packed"]


def __getattr__(name: str) -> Any:
    """``open_packed`` is found when it is first asked for, so that the command line starts without HDF5."""
    if name == "open_packed":
        from finediving_pose.packed.reader import open_packed

        return open_packed
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

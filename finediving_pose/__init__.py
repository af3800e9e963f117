"""Dataset toolkit for pose-aware action quality assessment of diving."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("fdpose")
except PackageNotFoundError:  # a source tree on the path, not installed
    __version__ = "0+source"

"""Hand annotations in, for ``fdpose annotate --manual``: the same path as ``fdpose import``."""

from finediving_pose.formats.frame_index import FrameIndex
from finediving_pose.formats.intake import concatenate, replace_frames, rows, take_in

__all__ = ["FrameIndex", "concatenate", "replace_frames", "rows", "take_in"]

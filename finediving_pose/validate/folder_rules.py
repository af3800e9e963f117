"""Rules on the frame folders of all clips together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from finediving_pose.frames import FrameFolder
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.validate.same_pictures import shared_pictures


@rule("frame.same-pictures", severity="warning", scope="folders")
def folders_show_different_dives(folders: Sequence[FrameFolder]) -> Iterator[Finding]:
    """No two clips show the same pictures.

    If a quarter of the shorter clip's pictures are the other's, byte for byte and in the same order, the
    clips are one dive listed twice, or two ranges that overlap. Candidates are found by file size.
    """
    for pair in shared_pictures([_sizes(f) for f in folders], lambda i, at: folders[i].jpeg(folders[i].numbers[at])):
        a, b = folders[pair.a], folders[pair.b]
        what = f"shares {pair.count} pictures with {a.key}"
        yield Finding(b.key, what, found=str(a.key), frame=b.numbers[pair.at_b])


def _sizes(folder: FrameFolder) -> np.ndarray:
    """Bytes of every file, int64 (n,); for one that is missing, a negative number of its own."""
    paths = [folder.path(n) for n in folder.numbers]
    return np.array([p.stat().st_size if p.is_file() else -1 - i for i, p in enumerate(paths)], np.int64)

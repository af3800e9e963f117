"""Rules on the pictures of one clip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from finediving_pose.clip import Clip
from finediving_pose.errors import FrameError
from finediving_pose.frames import MANIFEST, FrameFolder, decode_jpeg, digest_jpegs, frame_name, open_frames
from finediving_pose.validate.rules import Finding, rule
from finediving_pose.workspace import Workspace

FROZEN_FRAMES = 10


@dataclass(slots=True)
class ClipFrames:
    """A clip and its pictures, each read and decoded once.

    Attributes
    ----------
    clip : Clip
    folder : the frame folder, None where it is incomplete
    problem : why the folder could not be opened
    sizes : (width, height) of every readable picture, by frame number
    unreadable : what is wrong with a picture, by frame number
    repeats : how many pictures before this one are the same bytes, by frame number
    digest : sha256 over the bytes of all pictures, None where one is missing
    """

    clip: Clip
    folder: FrameFolder | None = None
    problem: str = ""
    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)
    unreadable: dict[int, str] = field(default_factory=dict)
    repeats: dict[int, int] = field(default_factory=dict)
    digest: str | None = None


def load_frames(workspace: Workspace, clip: Clip) -> ClipFrames | None:
    """Read a clip's pictures; None where it has no frame folder at all."""
    if not workspace.frame_folder(clip.key).is_dir():
        return None
    try:
        folder = open_frames(workspace, clip.key)
    except FrameError as e:
        return ClipFrames(clip, problem=str(e))
    frames, jpegs = ClipFrames(clip, folder), []
    for number in folder.numbers:
        where = f"frame {frame_name(number)}"
        try:
            jpeg = folder.jpeg(number)
            frames.repeats[number] = frames.repeats.get(number - 1, 0) + 1 if jpegs and jpegs[-1] == jpeg else 0
            jpegs.append(jpeg)
            height, width, _ = decode_jpeg(jpeg, where, clip.key).shape
            frames.sizes[number] = (width, height)
        except FrameError as e:
            frames.unreadable[number] = str(e)
    if len(jpegs) == len(folder.numbers):
        frames.digest = digest_jpegs(jpegs)
    return frames


@rule("frame.complete", severity="error")
def folder_is_complete(frames: ClipFrames) -> Iterator[Finding]:
    """A frame folder has its clip.json, which is written last."""
    if frames.problem:
        yield Finding(frames.clip.key, frames.problem)


@rule("frame.readable", severity="error")
def pictures_are_readable(frames: ClipFrames) -> Iterator[Finding]:
    """Every picture is there, whole, and decodes."""
    if frames.unreadable and frames.folder:
        n, whole = len(frames.unreadable), len(frames.folder.numbers)
        first = next(iter(frames.unreadable.values())).removeprefix(f"{frames.clip.key}: ")
        yield Finding(frames.clip.key, f"{n} of {whole} frames can't be read; {first}")


@rule("frame.unchanged", severity="warning")
def pictures_are_unchanged(frames: ClipFrames) -> Iterator[Finding]:
    """The pictures are those that were extracted, by their digest in clip.json."""
    if frames.folder and frames.digest and not frames.unreadable and frames.digest != frames.folder.digest:
        yield Finding(
            frames.clip.key,
            f"pictures were changed since {MANIFEST} was written; if that was meant, extract the clip again"
            f" with: fdpose extract --clip {frames.clip.key} --force",
        )


@rule("frame.size", severity="error")
def pictures_have_one_size(frames: ClipFrames) -> Iterator[Finding]:
    """All pictures of a clip have the size that clip.json gives."""
    if not frames.folder:
        return
    expected = (frames.folder.width, frames.folder.height)
    other = {n: size for n, size in frames.sizes.items() if size != expected}
    if other:
        number, (width, height) = next(iter(other.items()))
        yield Finding(
            frames.clip.key,
            f"{len(other)} of {len(frames.sizes)} frames are not {expected[0]} x {expected[1]};"
            f" {frame_name(number)} is {width} x {height}",
        )


@rule("frame.label-range", severity="error")
def frames_are_those_of_the_range(frames: ClipFrames) -> Iterator[Finding]:
    """The frames are the ones that the labels' range names, each of them."""
    labelled = frames.clip.frame_range
    if not frames.folder or labelled is None or frames.folder.numbers == tuple(labelled):
        return
    numbers = frames.folder.numbers
    missing, extra = sorted(set(labelled) - set(numbers)), sorted(set(numbers) - set(labelled))
    parts = [f"{len(missing)} missing, first {missing[0]}"] * bool(missing)
    parts += [f"{len(extra)} too many, first {extra[0]}"] * bool(extra)
    yield Finding(
        frames.clip.key,
        f"{len(numbers)} frames, the labels say {len(labelled)}, {labelled.start} to {labelled[-1]}:"
        f" {'; '.join(parts)}",
    )


@rule("frame.frozen", severity="warning")
def picture_does_not_freeze(frames: ClipFrames) -> Iterator[Finding]:
    """No picture is repeated unchanged for ten frames or more."""
    longest = max(frames.repeats.items(), key=lambda item: item[1], default=(0, 0))
    if longest[1] + 1 >= FROZEN_FRAMES:
        first = longest[0] - longest[1]
        yield Finding(frames.clip.key, f"the picture is the same for {longest[1] + 1} frames from {frame_name(first)}")

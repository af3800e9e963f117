"""Dives as videos: the frames with the skeleton, what is said about each, and where in the dive it is.

MP4 with H.264 in yuv420p, which every browser plays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from finediving_pose.clip import Clip
from finediving_pose.errors import FdposeError
from finediving_pose.frames import FrameFolder, open_frames, scaled_width
from finediving_pose.lexicon import SUB_ACTIONS
from finediving_pose.numerals import numeral
from finediving_pose.poses import ClipPoses, JointSource
from finediving_pose.progress import tell, track
from finediving_pose.report.contact_sheet import stage_name, title_of
from finediving_pose.report.lettering import INK, SOFT, line_height, text_width, wrap, write_lines
from finediving_pose.report.overlay import LEFT, RIGHT
from finediving_pose.report.sheets import open_posed, picture_file, rendering
from finediving_pose.report.source_pictures import pictures_of, source_size
from finediving_pose.report.views import draw_people, people_in
from finediving_pose.workspace import Workspace, atomic_write

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

USUAL_FPS = 25.0
"""Speed of a clip whose own is not known."""
LEAST, MOST = 480, 2160
"""Height of videos of pictures whose source is not known at least, and of any video at most, pixels."""
ANGLES = {"trunk_deg": "trunk", "hip_deg": "hip", "knee_deg": "knee", "shoulder_deg": "shoulder"}
"""Of :data:`~finediving_pose.kinematics.quantities.FRAME_QUANTITIES`, and what they are called in the picture."""
_STAGES = ((74, 124, 168), (190, 120, 60), (60, 150, 120), (150, 92, 160), (170, 150, 70))


def write_videos(
    workspace: Workspace, clips: Sequence[Clip], out: Path, *, layer: str | None = None
) -> tuple[list[Path], dict[Clip, FdposeError]]:
    """Write ``<video>_<index>.mp4`` for every clip; return the files, and why a clip has none.

    Its pictures have the size of the video that the frames came from (:func:`video_size`), with a band of words above
    and the strip of stages below; it plays as fast as the dive was, and frames that the clip lacks are held.

    Parameters
    ----------
    workspace, clips : what to draw
    out : folder of the videos
    layer : ``auto``, ``merged`` or ``manual/NAME``; the best there is where not given
    """
    written: list[Path] = []
    failed: dict[Clip, FdposeError] = {}
    total = 0
    for clip in clips:
        with suppress(FdposeError):  # said when its turn comes
            total += len(open_frames(workspace, clip.key).numbers)

    def frames_of_all() -> Iterator[int]:
        for clip in clips:
            target = picture_file(out, clip, ".mp4")
            try:
                frames, poses, chosen = open_posed(workspace, clip, layer)
                yield from write_video(frames, poses, clip, chosen, target)
                written.append(target)
            except FdposeError as e:
                failed[clip] = e

    with rendering(workspace, out, layer):
        for _ in track(frames_of_all(), "rendering", "frames", total=total):
            pass
    return written, failed


def write_video(frames: FrameFolder, poses: ClipPoses, clip: Clip, layer: str, target: Path) -> Iterator[int]:
    """Write the video of one clip, whole or not at all; yield the number of each frame that is in it.

    Raises
    ------
    FrameError
        A picture is missing or damaged.
    FdposeError
        The folder can't be written.
    """
    import av

    fps = frames.fps or clip.fps
    if not fps:
        tell(f"{clip.key}: frames per second are not known; the video plays at {USUAL_FPS:g}")
    rate = Fraction(fps or USUAL_FPS).limit_denominator(1001)
    painter = Painter(frames, poses, clip, layer)
    with (
        atomic_write(target) as part,
        av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as container,
    ):
        stream = _stream(container, rate, painter.size)
        times = frame_times(frames, fps or USUAL_FPS)
        for number, seconds, shown in zip(frames.numbers, times, pictures_of(frames, painter.shown[1]), strict=True):
            picture = av.VideoFrame.from_ndarray(painter.paint(number, shown), format="rgb24")
            picture = picture.reformat(format="yuv420p", dst_colorspace=_BT709, dst_color_range=_LIMITED)
            picture.pts, picture.time_base = round(seconds / _TICK), _TICK
            container.mux(stream.encode(picture))
            yield number
        container.mux(stream.encode(None))


def frame_of_video(video: Path, place: int) -> NDArray[np.uint8]:
    """Picture uint8 (height, width, 3), RGB, of a video that was written here; ``place`` counts its frames from 0."""
    import av

    found = 0
    with av.open(str(video)) as container:
        for found, frame in enumerate(container.decode(video=0), 1):
            if found > place:
                return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    raise FdposeError(f"{video}: expected more than {place} frames, found {found}; delete it, and run this again")


_TICK = Fraction(1, 90000)
"""Seconds; frames of every usual speed begin at whole multiples of it."""
_BT709, _LIMITED = 1, 1  # as FFmpeg numbers colour spaces and ranges


def _stream(container: OutputContainer, rate: Fraction, size: tuple[int, int]) -> VideoStream:
    stream = container.add_stream("libx264", rate=rate, options={"preset": "superfast", "crf": "20"})
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = _TICK
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    context.color_range = _LIMITED
    return stream


def frame_times(frames: FrameFolder, fps: float) -> NDArray[np.float64]:
    """Time of every frame in seconds from the first one on; by ``fps`` where they do not know it: float64 (n,)."""
    known = frames.times
    return known if np.isfinite(known).all() else (np.array(frames.numbers, np.float64) - frames.numbers[0]) / fps


def words_by_frame(frames: FrameFolder, poses: ClipPoses, clip: Clip, layer: str) -> dict[int, str]:
    """What is said about each frame, by its number.

    ``0.84 s   frame 00396   3.5 Soms.Tuck   confidence 0.72``, and below it the angles of each diver.
    """
    fps = frames.fps or clip.fps
    times = frame_times(frames, fps or USUAL_FPS)
    angles = _angles(frames, poses, clip, times if fps else None)
    words = {}
    for number, seconds, more in zip(frames.numbers, times, angles, strict=True):
        parts = [f"{seconds:.2f} s"] if fps else []
        parts += [f"frame {number:05d}", stage_name(frames, clip, number), _sureness(poses, number, layer)]
        words[number] = "\n".join(["   ".join(filter(None, parts)), *more])
    return words


def _angles(frames: FrameFolder, poses: ClipPoses, clip: Clip, times: NDArray[np.float64] | None) -> list[list[str]]:
    """A line a diver for each frame, ``trunk 132°   hip 88°   knee –``; none of a diver without any angle."""
    from finediving_pose.kinematics.diver import diver_of_poses
    from finediving_pose.kinematics.measure import Facts, measure_divers

    persons = (0, 1) if clip.synchronised else (0,)
    picture = (frames.width, frames.height)
    divers = [diver_of_poses(poses, frames.numbers, person, picture) for person in persons]
    facts = Facts(clip.action_type, clip.height_m, clip.stage_starts, len(persons) > 1)
    lines: list[list[str]] = [[] for _ in frames.numbers]
    for measured in measure_divers(divers, times, facts, frames.numbers):
        shown = {words: measured.series[name] for name, words in ANGLES.items() if measured.series[name].measured.any()}
        if not shown:
            continue
        who = f"diver {measured.person + 1}   " if len(persons) > 1 else ""
        for i, line in enumerate(lines):
            line.append(who + "   ".join(f"{words} {_degrees(s.values[i])}" for words, s in shown.items()))
    return lines


def _degrees(value: float) -> str:
    return f"{numeral(value, 0)}°" if np.isfinite(value) else "–"


def _sureness(poses: ClipPoses, number: int, layer: str) -> str:
    """The mean confidence of the joints that the machine placed, of each diver; or that there is none."""
    people = people_in(poses, number)
    if not people:
        return "not annotated" if layer.startswith("manual") else "no diver"
    means = []
    for p in people:
        placed = p.present & (p.source != JointSource.MANUAL)
        means += [f"{np.nanmean(p.confidence[placed]):.2f}"] if placed.any() else ["by hand"]
    return "by hand" if set(means) == {"by hand"} else f"confidence {' and '.join(means)}"


def video_size(frames: FrameFolder) -> tuple[int, int]:
    """Width and height of the pictures in a clip's video, pixels, both even, as yuv420p asks for.

    They are those of the video that the frames came from, as it was shown to whoever extracted them, where it is
    still there, within 2160 lines. Else they are the smallest whole multiple of the stored size that has 480 lines.
    """
    source = source_size(frames)
    if source is None:
        height: float = frames.height * -(-LEAST // frames.height)
    else:
        width, height = source
        if abs(scaled_width(width, height, frames.height) - frames.width) <= 1 and frames.height <= height <= MOST:
            return _even(width), _even(height)
        height = min(max(height, frames.height), MOST)
    return _even(frames.width * height / frames.height), _even(height)


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))


class Painter:
    """Draws the frames of one clip as those of its video: words above the picture, the strip of stages below it.

    Attributes
    ----------
    shown : width and height of the picture
    top : lines above it
    size : width and height of the video, both even
    """

    def __init__(self, frames: FrameFolder, poses: ClipPoses, clip: Clip, layer: str) -> None:
        self.frames, self.poses = frames, poses
        self.shown = video_size(frames)
        self._scale = np.array(self.shown) / (frames.width, frames.height)
        self._letters = min(max(11, round(min(self.shown) / 32)), 30)
        self._words = {
            n: wrap(t, self.shown[0], self._letters) for n, t in words_by_frame(frames, poses, clip, layer).items()
        }
        self._lines = max(map(len, self._words.values()))
        self._title = self._write_title("   ".join(title_of(frames, clip, layer)))
        self._stages = self._paint_stages(clip)
        self.top = len(self._title) + len(self._write_words(frames.numbers[0]))
        if (self.top + len(self._stages)) % 2:
            self._stages = np.vstack([self._stages, self._stages[-1:]])
        self.size = self.shown[0], self.top + self.shown[1] + len(self._stages)

    def paint(self, number: int, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A frame's picture with its skeletons, enlarged as need be, and its words: uint8 (height, width, 3), RGB."""
        picture = np.asarray(cv2.resize(picture, self.shown, interpolation=cv2.INTER_CUBIC), np.uint8)
        shift = self._scale / 2 - 0.5  # a pixel's centre is its coordinate
        people = [p.at(self._scale, shift) for p in people_in(self.poses, number)]
        picture = draw_people(picture, people, thickness=max(1.0, min(self.shown) / 400))
        stages = self._stages.copy()
        at = self.frames.numbers.index(number) * (self.size[0] - 1) // max(len(self.frames.numbers) - 1, 1)
        stages[:, max(0, at - 1) : at + 2] = INK
        return np.vstack([self._title, self._write_words(number), picture, stages])

    def _write_words(self, number: int) -> NDArray[np.uint8]:
        """What is said about a frame, in as many lines as any of them takes."""
        return write_lines(
            self._words[number], self.shown[0], self._letters, bold=True, least=self._lines, paper=(0, 0, 0)
        )

    def _write_title(self, words: str) -> NDArray[np.uint8]:
        """The title in small letters and, where there is room, the words "right" and "left" in their colours."""
        width, small = self.shown[0], max(11, round(self._letters * 0.75))
        lines = wrap(words, width, small)
        title = write_lines(lines, width, small, colour=SOFT, paper=(0, 0, 0)).copy()
        sides = [
            write_lines([name], round(text_width(name, small)) + 12, small, colour=colour, paper=(0, 0, 0))
            for name, colour in (("right", RIGHT), ("left", LEFT))
        ]
        key = np.hstack(sides)
        if text_width(lines[0], small) + key.shape[1] + small < width:
            title[: len(key), width - key.shape[1] :] = key
        return title

    def _paint_stages(self, clip: Clip) -> NDArray[np.uint8]:
        """The whole dive as a strip, its stages in colours with their names as far as they fit."""
        width, small = self.shown[0], max(11, round(self._letters * 0.6))
        strip = np.full((line_height(small) + 3, width, 3), 60, np.uint8)
        n = len(self.frames.numbers)
        if not clip.sub_actions or clip.n_frames != n:
            return strip
        bounds = [min(b, n) * width // n for b in (0, *clip.stage_starts, n)]
        for k, (stage, a, b) in enumerate(zip(clip.sub_actions, bounds, bounds[1:], strict=False)):
            strip[:, a:b] = _STAGES[k % len(_STAGES)]
            strip[:, max(a, b - 1) : b] = 0
            name = SUB_ACTIONS.get(stage, "")
            if name and text_width(name, small) + 8 < b - a:
                text = write_lines([name], b - a, small, paper=(0, 0, 0))
                np.maximum(strip[: len(text), a:b], text, out=strip[: len(text), a:b])
        return strip

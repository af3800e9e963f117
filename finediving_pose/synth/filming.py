"""One event of a competition from its plan to its files, in memory that its own length bounds.

``videos/<video>.mp4``; ``truth/events/<video>.jsonl``, the true poses, one entry a line; and, last,
``truth/events/<video>.json``, its dives: an event that has all three is finished. What an event's files hold depends
on its plan alone, not on what else is made, by how many processes, or how often that was interrupted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from finediving_pose.skeleton import N_JOINTS
from finediving_pose.synth import judge
from finediving_pose.synth.camera import HEIGHT, WIDTH, View, follow, random_view
from finediving_pose.synth.dive import FPS
from finediving_pose.synth.figure import Figure
from finediving_pose.synth.look import random_look
from finediving_pose.synth.performance import LANES, perform, random_builds
from finediving_pose.synth.plan import Event
from finediving_pose.synth.render import Painter, Shot, Truth
from finediving_pose.synth.scenery import Scenery, random_scenery
from finediving_pose.synth.splash import Splash
from finediving_pose.workspace import atomic_write, remove_part_files

EMPTY_AT_THE_END = 4


def video_file(out: Path, event: Event) -> Path:
    return out / "videos" / f"{event.video}.mp4"


def poses_file(out: Path, event: Event) -> Path:
    """True poses of an event, a line an entry."""
    return out / "truth" / "events" / f"{event.video}.jsonl"


def dives_file(out: Path, event: Event) -> Path:
    """Dives of an event; written last."""
    return out / "truth" / "events" / f"{event.video}.json"


def is_finished(out: Path, event: Event) -> bool:
    """Whether an event was made to its end by the same plan."""
    if not (video_file(out, event).is_file() and poses_file(out, event).is_file()):
        return False
    try:
        return made(out, event)["event"] == json.loads(json.dumps(asdict(event)))
    except (OSError, ValueError):
        return False


def made(out: Path, event: Event) -> dict[str, Any]:
    """A finished event: its plan as ``event``, one row a dive as ``dives``."""
    return json.loads(dives_file(out, event).read_text(encoding="utf-8"))


def film_event(out: Path, event: Event) -> int:
    """Make one event's files, each whole or not at all; gives the number of its frames.

    Raises FdposeError where the folder can't be written.
    """
    files = video_file(out, event), poses_file(out, event), dives_file(out, event)
    for file in files:
        remove_part_files(file)
    with (
        _one_thread(),
        atomic_write(files[0]) as video,
        atomic_write(files[1]) as poses,
        open(poses, "w", encoding="utf-8") as lines,
    ):
        take = Take(event)
        frames = write_video(video, take.pictures(lines), take.crf)
    with atomic_write(files[2]) as part:
        part.write_text(json.dumps({"event": asdict(event), "dives": take.rows}), encoding="utf-8")
    return frames


class Take:
    """One event before the camera.

    Attributes
    ----------
    crf : quality of its video, H.264's constant rate factor; lower is better
    rows : labels and truth of the dives, a row a dive, as far as it is filmed
    """

    def __init__(self, event: Event) -> None:
        rng = np.random.default_rng(event.seed)
        self.event, self.view = event, random_view(rng)
        self.scene = random_scenery(rng, self.view, event.height)
        self.painter = Painter(self.scene, self.view, rng, LANES[event.height] if event.synchronised else (0.0,))
        self.crf = int(rng.integers(19, 28))
        self.rows: list[dict[str, Any]] = []

    def pictures(self, lines: IO[str]) -> Iterator[NDArray[np.uint8]]:
        """The finished frames of the video, uint8 (H, W, 3) RGB; the true poses in them go to ``lines``."""
        event, painter = self.event, self.painter
        # Scores and frame numbers have a generator of their own: a better picture leaves them as they are.
        table = np.random.default_rng([*event.seed, 1_000_000])
        panel = judge.random_panel(table)
        number = 0
        for index in range(len(event.dive_numbers)):
            shot, row = shoot(event, index, self.scene, self.view, panel)
            row["start_frame"] = number + int(table.integers(3, 8))
            for _ in range(number, row["start_frame"]):
                yield painter.empty(shot.pan, 0.0)
            row["hidden"], row["splash_area"] = [], []
            for i, (picture, seen, splash) in enumerate(painter.film(shot)):
                yield picture
                row["hidden"].append([_joint_set(t) for t in seen])
                row["splash_area"].append(int(splash.sum()))
                image = f"{event.video}/{event.index(index)}/{row['start_frame'] + i:05d}.jpg"
                lines.writelines(f"{json.dumps(entry)}\n" for entry in _annotations(image, seen))
            number = row["start_frame"] + shot.motion.n_frames
            row["end_frame"] = number - 1
            self.rows.append(row)
        for _ in range(EMPTY_AT_THE_END):
            yield painter.empty(shot.pan, shot.motion.end)


def write_video(target: Path, pictures: Iterable[NDArray[np.uint8]], crf: int) -> int:
    """Write an MP4 file of pictures uint8 (H, W, 3) RGB; gives their number.

    H.264 at about 0.06 to 0.2 bits a pixel (crf 27 to 19), as broadcasts come over the internet; one thread, so that
    the bytes do not depend on timing.
    """
    import av

    frames = 0
    with av.open(str(target), "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "superfast", "crf": str(crf), "threads": "1", "g": "50"}
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            frames += 1
        container.mux(stream.encode())
    return frames


def shoot(event: Event, index: int, scene: Scenery, view: View, panel: judge.Panel) -> tuple[Shot, dict[str, Any]]:
    """Everything of one dive but its pictures: the shot, and its row of labels and truth."""
    rng = np.random.default_rng([*event.seed, index])
    number = event.dive_numbers[index]
    builds = random_builds(rng, event.woman, event.synchronised)
    looks = [random_look(rng, event.woman)] * len(builds)
    performance = perform(number, event.height, builds, panel, float(rng.normal(0, 0.3)), rng)
    first = performance.motions[0]
    time = np.arange(0, first.end, 0.01)
    middle = np.mean([m.points(time)[:, 6] for m in performance.motions], 0)
    pan = follow(view, time, middle, first.take_off, first.touch, rng)
    shot: Shot | None = None
    for motion, faults, build, look in reversed(
        list(zip(performance.motions, performance.faults, builds, looks, strict=True))
    ):
        place = motion.points(np.array([motion.touch]))[0, :, :2].mean(0)
        splash = Splash.random(motion.touch, place, faults.splash, rng)
        shot = Shot(scene, view, pan, motion, Figure.of(build, look), splash, shot)
    assert shot is not None
    row = {"video": event.video, "index": event.index(index), "action_type": number, "height_m": event.height}
    row |= performance.row()
    if event.counting and not event.synchronised:
        row["judge_scores"] = judge.counting(row["judge_scores"])
    return shot, row


@contextmanager
def _one_thread() -> Iterator[None]:
    """A process uses one core: several events are made at once."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _annotations(image: str, seen: tuple[Truth | None, ...]) -> list[dict[str, Any]]:
    """A frame in the released FineDiving-Pose structure, one entry a diver.

    Where one of two divers is to be seen, the other has an entry without a visible joint, so that the first entry
    of a frame is always the first diver.
    """
    if all(truth is None for truth in seen):
        return []
    return [_annotation(image, truth) if truth else _absent(image) for truth in seen]


def _annotation(image: str, seen: Truth) -> dict[str, Any]:
    """``scale`` x 200 is the longer side of the person's box."""
    x1, y1, x2, y2 = seen.box
    return {
        "joints_vis": [int(v) for v in seen.visible],
        "joints": [[round(float(x), 2), round(float(y), 2)] for x, y in seen.joints],
        "image": image,
        "scale": round(float(max(x2 - x1, y2 - y1, 1.0)) / 200, 5),
        "center": [round(float(x1 + x2) / 2, 2), round(float(y1 + y2) / 2, 2)],
    }


def _joint_set(truth: Truth | None) -> list[int]:
    """Indices of the joints that are in the picture and above the water but covered."""
    return [] if truth is None else np.flatnonzero(truth.hidden & truth.visible).tolist()


def _absent(image: str) -> dict[str, Any]:
    """A diver of whom nothing is to be seen, as the released files write joints that are not there."""
    none = [[-1.0, -1.0]] * N_JOINTS
    return {"joints_vis": [0] * N_JOINTS, "joints": none, "image": image, "scale": 0.0, "center": [0.0, 0.0]}

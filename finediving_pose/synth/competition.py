"""A synthetic competition on disk: videos, label pickles as upstream ships them, hand annotations, the truth.

``videos/<video>.mp4``, ``labels/*.pkl``, ``hand/annotations.json``, ``truth/annotations.json``,
``truth/dives.json`` and, one for each finished event, ``truth/events/<video>.json``, written after its video:
an event that has both is not made again. The same seed gives the same bytes on the same machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path
from typing import Any

import numpy as np

from finediving_pose.errors import LexiconError, UsageError
from finediving_pose.lexicon import expected_sub_actions, parse_dive_number
from finediving_pose.progress import track
from finediving_pose.skeleton import N_JOINTS
from finediving_pose.synth import judge, labels
from finediving_pose.synth.camera import HEIGHT, WIDTH, View, follow, random_view
from finediving_pose.synth.dive import FPS
from finediving_pose.synth.faults import dived
from finediving_pose.synth.figure import Figure, random_look
from finediving_pose.synth.performance import LANES, difficulty_of, perform, random_builds
from finediving_pose.synth.render import Painter, Shot, Truth
from finediving_pose.synth.scenery import Scenery, random_scenery
from finediving_pose.synth.splash import Splash
from finediving_pose.workspace import atomic_write, remove_part_files

DIVE_NUMBERS = (
    "107b", "205b", "407c", "305b", "5253b", "5152b", "6243d", "5154b", "307c", "405b", "207c", "109c",
    "301b", "5255b", "207b", "201b", "305c", "626c", "5156b", "103b", "401b", "6245d", "5353b", "626b",
    "403b", "5337d", "101b", "405c", "205c", "107c", "5231d", "6142d", "5132d", "5251b", "407b", "5235d",
    "409c", "105b", "6241b", "636c", "612b", "5331d", "614b", "5355b", "5233d", "5172b", "5237d", "5335d",
    "303c", "201c", "201a", "109b",
)  # fmt: skip
"""All dive numbers of FineDiving, about as often dived; a small competition has the first of them."""

VERSION = 3
"""Of the picture and the motion; a folder made by another version is made again."""

DIVES_PER_EVENT = 8
SYNCHRONISED_EVERY = 5
"""A fifth of FineDiving's dives are synchronised; armstand dives never are."""

DIVES_PER_NUMBER = 8
"""In a competition that chooses its dive numbers: as many of each, so that dives can be compared."""

HAND_DIVES, HAND_EVERY = 6, 4


@dataclass(frozen=True, slots=True)
class Event:
    """One video to be made: its dives in order, and what its random numbers start from."""

    video: str
    height: float
    woman: bool
    dive_numbers: tuple[str, ...]
    seed: tuple[int, int]
    synchronised: bool = False
    version: int = VERSION


def make_competition(
    out: Path,
    *,
    dives: int = 96,
    seed: int = 0,
    dive_numbers: Sequence[str] | None = None,
    jobs: int | None = None,
) -> dict[str, Any]:
    """Make a competition of ``dives`` dives in ``out``; finished events are kept.

    Without ``dive_numbers`` there are as many numbers, up to FineDiving's 52, as leave about eight dives of each,
    and some of the dives are synchronised.

    Returns
    -------
    A summary: counts of events, dives, frames; spread of the awards; the noise ceiling.

    Raises
    ------
    LexiconError
        A dive number is not one, or no degree of difficulty or stages are known for it.
    UsageError
        Fewer than one dive.
    FdposeError
        The folder can't be written.
    """
    chosen = dive_numbers or DIVE_NUMBERS[: max(2, dives // DIVES_PER_NUMBER)]
    events = plan(dives, seed, chosen, pairs=not dive_numbers)
    todo = [e for e in events if _finished(out, e) is None]
    for _ in track(_make_all(out, todo, jobs or cpu_count() or 1), "synthesizing", unit="events", total=len(todo)):
        pass
    made = [_finished(out, e) for e in events]
    rows = [row for event in made if event for row in event["dives"]]
    truth = [entry for event in made if event for entry in event["truth"]]
    split = _split(rows, seed)
    for row in rows:
        row["split"] = "test" if (row["video"], row["index"]) in split else "train"
    labels.write_labels(out / "labels", rows)
    _write_json(out / "truth" / "annotations.json", truth)
    _write_json(out / "hand" / "annotations.json", _by_hand(rows, truth, seed))
    ceiling = _ceiling(rows)
    _write_json(
        out / "truth" / "dives.json", {"seed": seed, "version": VERSION, "noise_ceiling": ceiling, "dives": rows}
    )
    awards = [a for row in rows for a in row["judge_scores"]]
    return {
        "folder": str(out), "events": len(events), "dives": len(rows), "train": len(rows) - len(split),
        "test": len(split), "frames": sum(r["end_frame"] - r["start_frame"] + 1 for r in rows),
        "poses": len(truth), "lowest_award": min(awards), "highest_award": max(awards),
        "noise_ceiling": ceiling["all"], "noise_ceiling_test": ceiling["test"],
    }  # fmt: skip


def plan(dives: int, seed: int, dive_numbers: Sequence[str], pairs: bool = False) -> list[Event]:
    """Deal the dive numbers out to events, each number from the height where it is dived most.

    With ``pairs``, a fifth of the dives is put into synchronised events.

    Raises LexiconError for a number that can't be dived, UsageError for fewer than one dive.
    """
    if dives < 1:
        raise UsageError(f"--dives {dives}: a competition has at least one dive")
    heights = {number: _height(number) for number in dict.fromkeys(n.lower() for n in dive_numbers)}
    numbers = list(heights)
    order = [numbers[i % len(numbers)] for i in range(dives)]
    events: list[Event] = []
    for height in (10.0, 3.0):
        mine = [n for n in order if heights[n] == height]
        together, alone = _in_pairs(mine) if pairs else ([], mine)
        for synchronised, dealt in ((False, alone), (True, together)):
            for k, start in enumerate(range(0, len(dealt), DIVES_PER_EVENT)):
                woman, kind = k % 2 == 1, "Synchronised" * synchronised
                name = f"Synthetic2026{'Women' if woman else 'Men'}{height:.0f}m{kind}_final_r{k // 2 + 1}"
                block = tuple(dealt[start : start + DIVES_PER_EVENT])
                events.append(Event(name, height, woman, block, (seed, len(events)), synchronised))
    return events


def _in_pairs(numbers: list[str]) -> tuple[list[str], list[str]]:
    """The dives that two divers do at once, every fifth but for armstands, and the others."""
    feet = [i for i, n in enumerate(numbers) if not parse_dive_number(n).armstand]
    chosen = set(feet[SYNCHRONISED_EVERY - 1 :: SYNCHRONISED_EVERY])
    return [numbers[i] for i in sorted(chosen)], [n for i, n in enumerate(numbers) if i not in chosen]


def _height(number: str) -> float:
    """The height from which FineDiving's divers dive the number most."""
    dive = parse_dive_number(number)
    seen = {float(r["height_m"]): int(r["count"]) for r in dived() if r["dive_number"] == str(dive)}
    if not seen:
        raise LexiconError(
            f"--dive-number {number}: no degree of difficulty is known for it from 3 m or 10 m; leave it out"
        )
    if not expected_sub_actions(dive):
        raise LexiconError(f"--dive-number {number}: the labels have no names for its stages; leave it out")
    return max(seen, key=lambda h: seen[h] * (difficulty_of(str(dive), h, False) is not None))


def _make_all(out: Path, events: list[Event], jobs: int) -> Iterator[None]:
    """Make the events, in ``jobs`` processes when there is more than one to make."""
    jobs = min(jobs, len(events))
    if jobs <= 1:
        for event in events:
            _make_event(out, event)
            yield
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_one_thread) as pool:
        try:
            for done in as_completed([pool.submit(_make_event, out, e) for e in events]):
                done.result()
                yield
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _one_thread() -> None:
    import cv2

    cv2.setNumThreads(1)


def _make_event(out: Path, event: Event) -> None:
    """Film one event: its video, then its sidecar, each whole or not at all."""
    import av

    rng = np.random.default_rng(event.seed)
    view = random_view(rng)
    scene = random_scenery(rng, view, event.height)
    painter = Painter(scene, view, rng, LANES[event.height] if event.synchronised else (0.0,))
    # Scores and frame numbers have a generator of their own: a better picture leaves them as they are.
    table = np.random.default_rng([*event.seed, 1_000_000])
    panel = judge.random_panel(table)
    video = out / "videos" / f"{event.video}.mp4"
    for target in (video, _sidecar(out, event)):
        remove_part_files(target)
    rows: list[dict[str, Any]] = []
    truth: list[dict[str, Any]] = []
    with atomic_write(video) as part, av.open(str(part), "w", format="mp4") as container:
        stream = _stream(container, rng)
        number = 0
        for index in range(len(event.dive_numbers)):
            shot, row = _shoot(event, index, scene, view, panel)
            row["start_frame"] = number + int(table.integers(3, 8))
            for _ in range(number, row["start_frame"]):
                _encode(container, stream, painter.empty(shot.pan, 0.0))
            row["hidden"], row["splash_area"] = [], []
            for i, (picture, seen, splash) in enumerate(painter.film(shot)):
                _encode(container, stream, picture)
                row["hidden"].append([_joint_set(t) for t in seen])
                row["splash_area"].append(splash)
                truth += _annotations(f"{event.video}/{index}/{row['start_frame'] + i:05d}.jpg", seen)
            number = row["start_frame"] + shot.motion.n_frames
            row["end_frame"] = number - 1
            rows.append(row)
        for _ in range(4):
            _encode(container, stream, painter.empty(shot.pan, shot.motion.end))
        container.mux(stream.encode())
    _write_json(_sidecar(out, event), {"event": asdict(event), "dives": rows, "truth": truth})


def _shoot(event: Event, index: int, scene: Scenery, view: View, panel: judge.Panel) -> tuple[Shot, dict[str, Any]]:
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
    row = {"video": event.video, "index": index, "action_type": number, "height_m": event.height}
    return shot, row | performance.row()


def _stream(container: Any, rng: np.random.Generator) -> Any:
    """H.264 as a broadcast rip has it; one thread, so that the bytes do not depend on timing."""
    stream = container.add_stream("libx264", rate=FPS)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    stream.options = {"preset": "superfast", "crf": str(int(rng.integers(19, 28))), "threads": "1", "g": "50"}
    return stream


def _encode(container: Any, stream: Any, picture: np.ndarray) -> None:
    import av

    container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))


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


def _by_hand(rows: list[dict[str, Any]], truth: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """What an annotator would have placed: a few dives of the training split, every few frames, a little off."""
    rng = np.random.default_rng([seed, 1, 1_000_003])
    train = [r for r in rows if r["split"] == "train"]
    chosen = [train[i] for i in sorted(rng.permutation(len(train))[:HAND_DIVES])]
    starts = {f"{r['video']}/{r['index']}": r["start_frame"] for r in chosen}
    by_hand = []
    for entry in truth:
        clip, _, name = entry["image"].rpartition("/")
        if clip in starts and (int(Path(name).stem) - starts[clip]) % HAND_EVERY == 0:
            joints = np.array(entry["joints"]) + rng.normal(0, 0.7, (len(entry["joints"]), 2))
            by_hand.append({**entry, "joints": joints.round(2).tolist()})
    return by_hand


def _split(rows: list[dict[str, Any]], seed: int) -> set[tuple[str, int]]:
    """A quarter of the dives at random for the test, as long as two of the same number stay to train on."""
    rng = np.random.default_rng([seed, 1, 1_000_000])
    left = {r["action_type"]: sum(s["action_type"] == r["action_type"] for s in rows) for r in rows}
    test: set[tuple[str, int]] = set()
    for i in rng.permutation(len(rows)):
        row = rows[i]
        if len(test) < round(len(rows) / 4) and left[row["action_type"]] > 2:
            test.add((row["video"], row["index"]))
            left[row["action_type"]] -= 1
    return test


def _ceiling(rows: list[dict[str, Any]]) -> dict[str, float | None]:
    """Spearman's rho of true quality x difficulty against scores, over all dives and over the test split."""
    picked = {"all": rows, "test": [r for r in rows if r["split"] == "test"]}
    return {
        name: judge.noise_ceiling(*([r[k] for r in part] for k in ("quality", "difficulty", "dive_score")))
        for name, part in picked.items()
    }


def _sidecar(out: Path, event: Event) -> Path:
    return out / "truth" / "events" / f"{event.video}.json"


def _finished(out: Path, event: Event) -> dict[str, Any] | None:
    """The sidecar of an event that was made to the end by the same plan; None otherwise."""
    try:
        made = json.loads(_sidecar(out, event).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = made.get("event") == json.loads(json.dumps(asdict(event)))
    return made if same and (out / "videos" / f"{event.video}.mp4").is_file() else None


def _write_json(path: Path, data: Any) -> None:
    with atomic_write(path) as part:
        part.write_text(json.dumps(data), encoding="utf-8")

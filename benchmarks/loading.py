"""Loading a clip for training: against the way that the published code loads, same machine, one thread each.

The work: 96 frames spread over a clip, 200 x 112 pixels, a random crop of 112 x 112, a normalised float tensor.
The published way opens JPEG files with PIL, resizes each (bilinear), crops, makes a tensor of each, normalises
it and stacks them. Ours reads the packed file, from JPEG and from the cache, each once more
leaving the pictures as uint8, to be normalised on the device. The rounds are interleaved; a figure is the
median of the rounds, each a pass over all clips. Files are in the page cache for all.

Run: python benchmarks/loading.py --clips 12 --rounds 7
     python benchmarks/loading.py --frames DIR   # a folder of real frames in place of made-up ones
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import functional as vision

from finediving_pose.clip import Clip, ClipKey
from finediving_pose.frames import FrameFolder, digest_jpegs, frame_name, write_manifest
from finediving_pose.labels.table import write_clips
from finediving_pose.packed.snippets import DEVIATION, MEAN
from finediving_pose.packed.writer import write_packed
from finediving_pose.torch_data import ClipDataset
from finediving_pose.workspace import Workspace

LENGTH, FRAMES, CROP = 104, 96, 112
WIDTH, HEIGHT = 455, 256


def make_clips(workspace: Workspace, n: int, source: Path | None) -> None:
    """Clips of 104 frames: a soft moving picture of about the size in bytes that real frames have, or real ones."""
    rng = np.random.default_rng(0)
    real = [p.read_bytes() for p in sorted(source.rglob("*.jpg"))] if source else []
    clips = []
    for c in range(n):
        key = ClipKey("Bench", c)
        folder = workspace.frame_folder(key)
        folder.mkdir(parents=True)
        scene = cv2.resize(rng.integers(0, 255, (14, 40, 3), np.uint8), (720, 300), interpolation=cv2.INTER_CUBIC)
        jpegs = []
        for i in range(LENGTH):
            picture = np.clip(scene[20 : 20 + HEIGHT, i : i + WIDTH] + rng.normal(0, 0.8, (HEIGHT, WIDTH, 3)), 0, 255)
            made = simplejpeg.encode_jpeg(picture.astype(np.uint8), quality=84, colorsubsampling="420")
            jpegs.append(real[(c * LENGTH + i) % len(real)] if real else made)
            (folder / frame_name(i)).write_bytes(jpegs[-1])
        names = tuple(frame_name(i) for i in range(LENGTH))
        numbers = tuple(range(LENGTH))
        height, width, _ = simplejpeg.decode_jpeg(jpegs[0]).shape
        write_manifest(FrameFolder(key, folder, numbers, width, height, "made up", names, 25.0, digest_jpegs(jpegs)))
        clips.append(Clip(key, "train", "107b", 3.0, 72.0, start_frame=0, end_frame=LENGTH - 1, n_frames=LENGTH))
    write_clips(workspace.clips_table, clips)


def published_way(folder: Path, rng: np.random.Generator) -> Tensor:
    """PIL over JPEG files."""
    files = sorted(folder.glob("*.jpg"))
    chosen = [files[i] for i in np.linspace(0, len(files) - 1, FRAMES).astype(int)]
    pictures = [Image.open(f).convert("RGB").resize((200, 112), Image.Resampling.BILINEAR) for f in chosen]
    x = int(rng.integers(0, 200 - CROP + 1))
    cropped = [p.crop((x, 0, x + CROP, CROP)) for p in pictures]
    return torch.stack([vision.normalize(vision.to_tensor(p), MEAN.tolist(), DEVIATION.tolist()) for p in cropped])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--frames", type=Path, help="folder of real frames to make the clips of")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as root:
        workspace = Workspace(Path(root))
        make_clips(workspace, options.clips, options.frames)
        plain, cached = Path(root) / "plain.h5", Path(root) / "cached.h5"
        bytes_a_frame = write_packed(workspace, target=plain)["bytes"] / (options.clips * LENGTH)
        write_packed(workspace, target=cached, cache=True)
        rng = np.random.default_rng(0)
        folders = [workspace.frame_folder(ClipKey("Bench", c)) for c in range(options.clips)]
        from_jpeg = ClipDataset(plain, augment=True)
        jpeg_as_bytes = ClipDataset(plain, augment=True, normalise=False)
        from_cache = ClipDataset(cached, augment=True)
        as_bytes = ClipDataset(cached, augment=True, normalise=False)
        ways: dict[str, Callable[[int], object]] = {
            "published way, PIL": lambda c: published_way(folders[c], rng),
            "packed, JPEG": lambda c: from_jpeg[c],
            "packed, JPEG, uint8": lambda c: jpeg_as_bytes[c],
            "packed, cache": lambda c: from_cache[c],
            "packed, cache, uint8": lambda c: as_bytes[c],
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.rounds + 1):  # the first warms up
            for name, load in ways.items():
                started = time.perf_counter()
                for c in range(options.clips):
                    load(c)
                times[name].append((time.perf_counter() - started) / options.clips)
    kind = "real frames" if options.frames else "made-up frames"
    print(
        f"loading, {options.clips} clips of {LENGTH} {kind} ({bytes_a_frame / 1e3:.0f} kB each), {FRAMES} frames of"
        f" {CROP} x {CROP}, one thread, median of {options.rounds} interleaved rounds"
    )
    reference = statistics.median(times["published way, PIL"][1:])
    for name, values in times.items():
        seconds = statistics.median(values[1:])
        print(f"  {name:<24}{1000 * seconds:8.2f} ms a clip   {reference / seconds:6.1f} x")


if __name__ == "__main__":
    main()

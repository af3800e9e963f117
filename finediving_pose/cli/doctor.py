"""``fdpose doctor``: checks the installation."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Literal

import click

from finediving_pose.cli.options import data_option, json_option
from finediving_pose.errors import FdposeError
from finediving_pose.workspace import Workspace

_MARK = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "missing": "[red]missing[/]"}
MEND_ALL = "make install"
SPACE_NEEDED = 20e9  # bytes; frames and packed file of all 3000 dives take about 10 GB, with the cache 30 GB


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked: ``status`` is "ok", "note" (works without it) or "missing"."""

    name: str
    status: Literal["ok", "note", "missing"]
    found: str
    mend: str = ""


def examine(workspace: Workspace) -> list[Check]:
    """Run every check, in order. Imports torch and mmpose; takes some seconds."""
    return [check for group in _GROUPS for check in group(workspace)]


def _python(workspace: Workspace) -> Iterator[Check]:
    found = ".".join(map(str, sys.version_info[:3]))
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Check(
        "python", "ok" if good else "missing", found, "" if good else "make clean && make PYTHON=python3.13 test"
    )


def _packages(workspace: Workspace) -> Iterator[Check]:
    for name in ("av", "simplejpeg", "h5py", "pyarrow", "opencv-python-headless", "torch", "timm", "onedl-mmengine"):
        try:
            yield Check(name, "ok", version(name))
        except PackageNotFoundError:
            yield Check(name, "missing", "not installed", MEND_ALL)


def _video_codecs(workspace: Workspace) -> Iterator[Check]:
    if find_spec("av") is None:
        return
    import av.codec

    wanted: tuple[tuple[str, Literal["r", "w"], str], ...] = (
        ("h264", "r", "read videos"),
        ("libx264", "w", "write synthetic videos"),
    )
    for codec, mode, use in wanted:
        try:
            av.codec.Codec(codec, mode)
            yield Check(f"codec {codec}", "ok", use)
        except ValueError:
            yield Check(f"codec {codec}", "missing", f"needed to {use}", "pip install --force-reinstall av")


def _mmpose(workspace: Workspace) -> Iterator[Check]:
    try:
        from annotate.estimators import mmpose_compat  # noqa: F401  (makes mmpose importable)
        from annotate.estimators.presets import DEFAULT, resolve

        import_module("mmpose.models")
        yield Check("mmpose", "ok", version("mmpose"))
        preset = resolve(DEFAULT)
        size = (preset.pose.stat().st_size + preset.locator.stat().st_size) / 1e6
        yield Check("bundled estimator", "ok", f"{preset.name}, {size:.1f} MB")
    except (ImportError, PackageNotFoundError) as e:
        yield Check("mmpose", "missing", str(e), "pip install --no-deps -r requirements/mmpose.txt")
    except FdposeError as e:
        yield Check("bundled estimator", "missing", str(e), MEND_ALL)


def _device(workspace: Workspace) -> Iterator[Check]:
    if find_spec("torch") is None:
        return
    import torch

    if torch.cuda.is_available():
        yield Check("GPU", "ok", torch.cuda.get_device_name(0))
    else:
        yield Check("GPU", "note", f"none; {os.cpu_count()} CPU cores are used, slow for the full model")


def _disk(workspace: Workspace) -> Iterator[Check]:
    folder = next(p for p in (workspace.root.absolute(), *workspace.root.absolute().parents) if p.exists())
    if not os.access(folder, os.W_OK):
        yield Check("data directory", "missing", f"{folder} is not writable", "choose another with --data DIR")
        return
    free = shutil.disk_usage(folder).free
    enough = free >= SPACE_NEEDED
    found = f"{folder}, {free / 1e9:.0f} GB free"
    yield Check("data directory", "ok" if enough else "note", found, "" if enough else "all of FineDiving needs 20 GB")


_GROUPS: tuple[Callable[[Workspace], Iterator[Check]], ...] = (
    _python,
    _packages,
    _video_codecs,
    _mmpose,
    _device,
    _disk,
)


@click.command(epilog="Example: fdpose doctor")
@data_option
@json_option
def doctor(data: Workspace, as_json: bool) -> None:
    """Check the installation and say how to repair it.

    The exit code is 1 if something is missing.
    """
    from rich.table import Table
    from rich.text import Text

    from finediving_pose.terminal import terminal

    checks = examine(data)
    if as_json:
        click.echo(json.dumps([asdict(c) for c in checks], indent=2))
    else:
        table = Table("", "what", "found", "repair with", box=None, header_style="bold")
        table.columns[2].overflow = table.columns[3].overflow = "fold"
        for c in checks:
            table.add_row(Text.from_markup(_MARK[c.status]), c.name, c.found, c.mend)
        terminal(width=None if sys.stdout.isatty() else 120).print(table)
    if any(c.status == "missing" for c in checks):
        raise click.exceptions.Exit(1)

"""``fdpose review``: correct poses in the browser."""

from __future__ import annotations

import getpass
from importlib.util import find_spec

import click

from finediving_pose.cli.options import clip_option, data_option, split_option
from finediving_pose.errors import SetupError
from finediving_pose.workspace import Workspace


@click.command(epilog="Example: fdpose review --annotator anna --data ./fdpose-data")
@data_option
@click.option("--annotator", help="Name of the person who corrects.  [default: the login name]")
@click.option(
    "--queue",
    type=click.Choice(["suggested", "findings", "unsure", "all"]),
    help="Which poses come first: the list of fdpose suggest, those that validate finds fault with, the least"
    " confident ones, or every frame.  [default: suggested if there is a list, else all]",
)
@click.option("--port", type=click.IntRange(1, 65535), help="Port on 127.0.0.1.  [default: 8765, or a free one]")
@click.option("--browser/--no-browser", default=True, help="Open the page in the browser, where there is one.")
@clip_option
@split_option
def review(
    data: Workspace,
    annotator: str | None,
    queue: str | None,
    port: int | None,
    browser: bool,
    clips: tuple[str, ...],
    split: str | None,
) -> None:
    """Correct poses in the browser.

    Shows one diver at a time, zoomed and upright, with the pose drawn in. Every change is on the disk before the page
    says so; there is nothing to save. The joints that you place become hand poses of --annotator. Press ? on the page
    for its keys. Runs until Ctrl-C.
    """
    if not (find_spec("starlette") and find_spec("uvicorn")):
        raise SetupError("fdpose review needs starlette and uvicorn; install them with: pip install 'fdpose[review]'")
    from annotate.review.launch import serve
    from finediving_pose.formats.intake import annotator_name
    from finediving_pose.labels.table import read_clips, select

    name = annotator_name(annotator or getpass.getuser())
    serve(data, select(read_clips(data), clips, split), name, queue, port, browser=browser)

"""How ``fdpose benchmark`` ends before its work is done: stopped, or refused a file; in one line, with how to go on."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from finediving_pose.cli.options import complain
from finediving_pose.errors import STOPPED, FdposeError, Stopped


@dataclass(slots=True)
class Found:
    """The folder that is worked in, as soon as it is known."""

    folder: Path | None = None


@contextmanager
def answering_signals(ctx: click.Context) -> Iterator[Found]:
    """Join the other processes, and end in one line when somebody stops the work: how to go on, and the exit code."""
    from baselines.training.stopping import kept_for_later, stoppable

    found = Found()
    with stoppable():
        try:
            from baselines.training import processes

            processes.join()
            # several processes answer a signal after the same step
            with kept_for_later(processes.count() > 1), _naming_the_file(found):
                yield found
            processes.leave()
        except KeyboardInterrupt as e:
            _end_stopped(ctx, found.folder, e)
        except FdposeError as e:
            if e.exit_code == 1 and found.folder is not None and _is_begun(found.folder):
                e.args = (f"{e}; this run goes on with: fdpose benchmark --resume {found.folder}",)
            raise


@contextmanager
def _naming_the_file(found: Found) -> Iterator[None]:
    """A file that the system refuses in the middle of the work, as one line: the disk is full, the folder was removed.

    The thread that writes for TensorBoard has its error raised again at the next figure; until then it is silent.
    """
    usual = threading.excepthook
    threading.excepthook = lambda args: None if isinstance(args.exc_value, OSError) else usual(args)
    try:
        yield
    except BrokenPipeError:  # whoever read our output has gone, which click knows how to end
        raise
    except OSError as e:
        where = os.fsdecode(e.filename) if isinstance(e.filename, str | bytes) else found.folder or "fdpose benchmark"
        raise FdposeError(
            f"{where}: can't be read or written ({e.strerror or e}); see that its folder is there and the disk has room"
        ) from e
    finally:
        threading.excepthook = usual


def _end_stopped(ctx: click.Context, folder: Path | None, e: KeyboardInterrupt) -> None:
    """Say in one line how to go on, and exit: 130 after Ctrl-C, 75 where a scheduler asked."""
    from baselines.training import processes

    asked = isinstance(e, Stopped)
    if processes.is_first():
        if folder is None:
            go_on = "nothing was begun; run the same command again"
        else:
            at = "step" if asked else "finished epoch"
            go_on = f"go on from the last {at} with: fdpose benchmark --resume {folder}"
        complain(f"stopped{f' by {e}' if asked else ''}; {go_on}")
    if asked:
        processes.leave()
    ctx.exit(STOPPED if asked else 130)


def _is_begun(folder: Path) -> bool:
    """Whether there is a checkpoint in the folder of a run, a study or a suite."""
    from finediving_pose.resuming import is_begun

    return any(is_begun(config.parent) for config in folder.rglob("config.json"))

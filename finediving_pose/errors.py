"""One exception class per kind of trouble that a caller would handle differently.

The command line prints the message and exits 1 (2 for :class:`UsageError`);
anything that is not an :class:`FdposeError` is a bug and may show its traceback.
A message says where, what was expected, what was found, and what to type next.
"""


class FdposeError(Exception):
    """Base of every error that a user can act on."""

    exit_code = 1


class UsageError(FdposeError):
    """The command was asked for something that makes no sense; exit code 2."""

    exit_code = 2


class LabelError(FdposeError):
    """A label file, or a row of the clips table, can't be used."""


class LexiconError(LabelError):
    """A dive number or sub-action that the lexicon does not know."""


class VideoError(FdposeError):
    """A video can't be opened, or does not hold the frames asked for."""


class FrameError(FdposeError):
    """A frame folder or a picture in it is missing, incomplete or damaged."""


class PoseError(FdposeError):
    """A pose file can't be read, or does not fit the clips and frames."""


class PackedError(FdposeError):
    """A packed file is damaged, of a newer version, or lacks what is asked of it."""


class CheckpointError(FdposeError):
    """A checkpoint is missing or damaged, or holds more than tensors, arrays and plain values."""


class NoExemplarError(FdposeError):
    """A scorer knows no dive of the same number; one of about the same difficulty may do."""


class BusyError(FdposeError):
    """Another command is at work on the same files; ``who`` says which, and may be waited for."""

    def __init__(self, message: str, who: str = "") -> None:
        super().__init__(message)
        self.who = who


class SetupError(FdposeError):
    """Something that has to be installed is missing."""


class Stopped(KeyboardInterrupt):
    """Somebody asked the process to end, as a scheduler does (SIGTERM, SIGUSR1); what is done is kept.

    As Ctrl-C it passes by whatever handles errors. The command line exits with :data:`STOPPED`.
    """


STOPPED = 75
"""Exit code of work that was stopped by a scheduler and goes on where it was (EX_TEMPFAIL of sysexits.h)."""


def first_line(e: BaseException) -> str:
    """The first line of what an exception says, at most 200 characters; its type's name where it says nothing."""
    return (str(e).strip().splitlines() or [type(e).__name__])[0][:200]

"""How to mend what the rules find: a sentence with a command, by the beginning of a rule's name."""

from __future__ import annotations

import re
import shlex

from finediving_pose.clip import ClipKey

_EXTRACT = "Extract the clip again: fdpose extract --clip {clip} --force"
_LABELS = "Correct the label file, then: fdpose extract --labels FILE"
_LOOK = (
    "Look at the clip: fdpose render --video --clip {clip} --out videos. If its range is wrong, correct the label file"
)
_HAND = (
    "Look at it: fdpose render --video --clip {clip} --out videos. Correct frames by hand: fdpose export coco"
    " --clip {clip} --out poses.json (or another format), fdpose import FILE, fdpose merge. If many clips are"
    " concerned, adapt the estimator: fdpose finetune --name mine"
)
_POSES = (
    "Automatic poses: estimate them again with fdpose annotate --auto --clip {clip} --force. Hand poses: correct the"
    " file they came from, then fdpose annotate --manual FILE. After either: fdpose merge"
)
_PACK = "Pack again: fdpose pack"

MENDING: dict[str, str] = {
    "label": _LABELS,
    "label.known-file": "If the labels are to be those of the release, download its files again",
    "label.datasets-agree": "Decide which data set is right and correct the other's label file",
    "label.index-gap": "Nothing to mend if the dive was left out on purpose; else add it to the label file",
    "label.restart": "Nothing to mend if the diver was given a penalty; else correct the score in the label file",
    "label.clip-length": f"{_LOOK}, then: fdpose extract --labels FILE",
    "split": "Divide the dives anew, by event: fdpose split --by event --test 0.25",
    "split.competition-leak": "Divide the dives anew, by competition: fdpose split --by competition --test 0.25",
    "split.diver-leak": "Divide the dives anew, by diver or by event: fdpose split --by diver --test 0.25",
    "split.test-exemplar": "Add training dives of that number, or score without dive numbers",
    "split.train-exemplar": "Add training dives of that number, or score without dive numbers",
    "frame": _EXTRACT,
    "frame.unchanged": "If the pictures were not changed on purpose, extract them again:"
    " fdpose extract --clip {clip} --force",
    "frame.unlisted": "Delete those pictures, or extract the clip again: fdpose extract --clip {clip} --force",
    "frame.frozen": f"{_LOOK}; else leave the clip out",
    "frame.repeated": f"{_LOOK}; a video of the original frame rate would be better",
    "frame.blank": f"{_LOOK}; else leave the clip out",
    "frame.cut": f"{_LOOK}; else leave the clip out",
    "frame.upright": "If the pictures lie on their side, turn the video with ffmpeg -i INPUT OUTPUT, then extract the"
    " clip again: fdpose extract --clip {clip} --force",
    "frame.square-pixels": "Nothing to mend if boxes or poses of a data set belong to the frames; else extract the"
    " video without labels: fdpose extract --videos FILE",
    "frame.same-pictures": "Leave one of the clips out of the label file, or correct its range",
    "frame.fps": "Write the video's frames per second into the label file, then: fdpose extract --labels FILE",
    "pose": _HAND,
    "pose.nobody": f"{_LOOK}; if a diver is there, correct some frames by hand; else leave the clip out",
    "pose.readable": "Delete the file and make the poses again: fdpose annotate --auto --clip {clip} (hand poses:"
    " fdpose annotate --manual FILE)",
    "pose.values": _POSES,
    "pose.source": _POSES,
    "pose.frame-exists": _POSES,
    "pose.twice": _POSES,
    "pose.corner": _POSES,
    "pose.box-sides": _POSES,
    "pose.reviews-readable": "Delete the file; the annotator's journal makes it again: fdpose review",
    "pose.rejected": "Correct them: fdpose review --queue findings; or leave the frames out",
    "pose.unsure": "Ask somebody else to look at them: fdpose review --annotator NAME --queue findings",
    "pose.accepted-changed": "Look at both poses and accept one: fdpose review --queue findings",
    "pose.merge": "Merge again: fdpose merge",
    "pose.hands-agree": "Look at the frame together, correct the file of the one who was wrong, then:"
    " fdpose annotate --manual FILE --annotator NAME",
    "packed": _PACK,
    "packed.version": "Install a newer fdpose, or pack again: fdpose pack",
}
"""What to do, by rule or the beginning of its name; the longest one that fits holds. ``{clip}`` is a clip."""


def how_to_mend(rule: str, clip: ClipKey | None = None, data: str = "") -> str:
    """What to do about a rule's findings.

    Parameters
    ----------
    rule : its name
    clip : a clip that it found something in; ``VIDEO/INDEX`` stands for it where there is none
    data : the data directory to name in the commands; none for the default one
    """
    said = MENDING[mended_like(rule)].replace("{clip}", shlex.quote(str(clip)) if clip else "VIDEO/INDEX")
    return re.sub(r"\bfdpose (\w+)", rf"fdpose \1 --data {_escaped(data)}", said) if data else said


def mended_like(rule: str) -> str:
    """The longest key of :data:`MENDING` that the rule's name begins with."""
    return max((b for b in MENDING if rule.startswith(b)), key=len)


def _escaped(data: str) -> str:
    return shlex.quote(data).replace("\\", "\\\\")

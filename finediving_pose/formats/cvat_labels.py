"""The label that CVAT needs before it takes skeletons: ``diver`` with the 16 joints as sublabels, and a drawing.

CVAT takes it as JSON (a task's or project's "Labels", tab "Raw") and writes it as XML into what it exports.
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from finediving_pose.skeleton import JOINTS, LIMBS

LABEL = "diver"
PERSON = "person"
"""Attribute of a skeleton: which of two divers it is."""
UNKNOWN_PERSON = "?"

_COLOURS = {"right": "#e6194b", "left": "#4363d8"}
_MIDDLE = "#3cb44b"

_FIGURE = (
    (38, 96), (38, 78), (42, 58), (58, 58), (62, 78), (62, 96),
    (50, 57), (50, 28), (50, 20), (50, 5),
    (22, 58), (28, 44), (36, 29), (64, 29), (72, 44), (78, 58),
)  # fmt: skip
"""Where the drawing has the joints: per cent of its width and height, a diver who stands facing us."""


def label() -> list[dict[str, Any]]:
    """The label in the "raw" form of CVAT's constructor."""
    person = {
        "name": PERSON,
        "input_type": "select",
        "mutable": False,
        "default_value": UNKNOWN_PERSON,
        "values": [UNKNOWN_PERSON, "0", "1"],
    }
    joints = [{"name": joint, "color": _colour(joint), "type": "points", "attributes": []} for joint in JOINTS]
    return [
        {
            "name": LABEL,
            "color": _MIDDLE,
            "type": "skeleton",
            "attributes": [person],
            "sublabels": joints,
            "svg": _drawing(),
        }
    ]


def label_xml() -> str:
    """The label as CVAT writes it into ``<meta>``: the skeleton, then its joints with their parent."""
    values = "\n".join((UNKNOWN_PERSON, "0", "1"))
    attribute = (
        f"<attribute><name>{PERSON}</name><mutable>False</mutable><input_type>select</input_type>"
        f"<default_value>{UNKNOWN_PERSON}</default_value><values>{values}</values></attribute>"
    )
    skeleton = (
        f"<label><name>{LABEL}</name><color>{_MIDDLE}</color><type>skeleton</type>"
        f"<attributes>{attribute}</attributes><svg>{escape(_drawing())}</svg></label>"
    )
    joints = (
        f"<label><name>{joint}</name><color>{_colour(joint)}</color><type>points</type><attributes></attributes>"
        f"<parent>{LABEL}</parent></label>"
        for joint in JOINTS
    )
    return "\n".join(("<labels>", skeleton, *joints, "</labels>"))


def _colour(joint: str) -> str:
    return _COLOURS.get(joint.split("_")[0], _MIDDLE)


def _drawing() -> str:
    """The skeleton as SVG, with the marks by which CVAT knows its parts; nodes are numbered from 1."""
    edges = [
        f'<line x1="{_FIGURE[a][0]}" y1="{_FIGURE[a][1]}" x2="{_FIGURE[b][0]}" y2="{_FIGURE[b][1]}" stroke="black"'
        f' data-type="edge" data-node-from="{a + 1}" stroke-width="0.5" data-node-to="{b + 1}"></line>'
        for a, b in LIMBS
    ]
    nodes = [
        f'<circle r="1.5" stroke="black" fill="{_colour(joint)}" cx="{x}" cy="{y}" stroke-width="0.1"'
        f' data-type="element node" data-element-id="{i}" data-node-id="{i}" data-label-name="{joint}"></circle>'
        for i, (joint, (x, y)) in enumerate(zip(JOINTS, _FIGURE, strict=True), 1)
    ]
    return "".join((*edges, *nodes))

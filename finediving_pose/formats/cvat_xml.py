"""The pictures and skeletons of CVAT's ``annotations.xml``, read as a stream.

A document type is refused, and with it every entity: no text of the file can stand for another file or grow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any
from xml.parsers import expat

from finediving_pose.errors import PoseError

_CHUNK = 1 << 20
_MAX_DEPTH = 32
_SHAPES = frozenset(("box", "polygon", "polyline", "points", "cuboid", "ellipse", "mask", "tag"))


@dataclass(slots=True)
class Skeleton:
    """One ``<skeleton>``: its label, ``source``, the attributes of each of its points, and its own by their name."""

    label: str
    source: str
    points: list[dict[str, str]] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Picture:
    """One ``<image>``.

    Attributes
    ----------
    listing : its task and its number there
    others : how many shapes there are beside the skeletons
    """

    name: str
    listing: str
    size: tuple[int, int] | None
    skeletons: list[Skeleton] = field(default_factory=list)
    others: int = 0


def read_pictures(file: IO[bytes], where: str) -> Iterator[Picture]:
    """Every picture of the file in order.

    Raises PoseError, beginning with ``where``, for broken XML, for a document type, and for CVAT's form for videos.
    """
    handler = _Handler(where)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = handler.refuse_doctype
    parser.EntityDeclHandler = handler.refuse_doctype
    try:
        while chunk := file.read(_CHUNK):
            parser.Parse(chunk, False)
            yield from handler.take()
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as e:
        raise PoseError(f"{where}: not a whole XML file ({e}); export it again") from e
    yield from handler.take()
    if handler.root != "annotations":
        raise PoseError(f"{where}: its root is <{handler.root}>, expected <annotations>; export it from CVAT")


class _Handler:
    """What expat calls; complete pictures wait in ``ready``."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.root: str | None = None
        self.depth = 0
        self.ready: list[Picture] = []
        self.picture: Picture | None = None
        self.skeleton: Skeleton | None = None
        self.attribute: str | None = None
        self.in_point = False

    def take(self) -> list[Picture]:
        done, self.ready = self.ready, []
        return done

    def refuse_doctype(self, *_: Any) -> None:
        raise PoseError(f"{self.where}: declares a document type or entities, which CVAT never writes; export it again")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise PoseError(f"{self.where}: nested more than {_MAX_DEPTH} deep; CVAT writes no such file")
        self.root = self.root or tag
        if tag == "track" and self.picture is None:
            raise PoseError(
                f"{self.where}: this is CVAT for video, which numbers the frames and doesn't name them; export the task"
                " as CVAT for images 1.1"
            )
        if tag == "image" and self.depth == 2:
            self.picture = self._picture(attributes)
        elif self.picture is not None:
            self._shape(self.picture, tag, attributes)

    def _picture(self, attributes: dict[str, str]) -> Picture:
        name = attributes.get("name", "")
        if not name:
            raise PoseError(f"{self.where}: image {attributes.get('id')} has no name; export it again")
        width, height = attributes.get("width", ""), attributes.get("height", "")
        size = (int(width[:9]), int(height[:9])) if width.isdecimal() and height.isdecimal() else None
        return Picture(name, f"{attributes.get('task_id', '')}/{attributes.get('id', '')}", size)

    def _shape(self, picture: Picture, tag: str, attributes: dict[str, str]) -> None:
        if tag == "skeleton":
            self.skeleton = Skeleton(attributes.get("label", ""), attributes.get("source", ""))
            picture.skeletons.append(self.skeleton)
        elif tag == "points" and self.skeleton is not None:
            self.skeleton.points.append(attributes)
            self.in_point = True
        elif tag == "attribute" and self.skeleton is not None and not self.in_point:
            self.attribute = attributes.get("name", "")
            self.skeleton.attributes[self.attribute] = ""
        elif tag in _SHAPES:
            picture.others += 1

    def text(self, text: str) -> None:
        if self.skeleton is not None and self.attribute is not None:
            self.skeleton.attributes[self.attribute] += text

    def end(self, tag: str) -> None:
        self.depth -= 1
        if tag == "attribute":
            self.attribute = None
        elif tag == "points":
            self.in_point = False
        elif tag == "skeleton":
            self.skeleton = None
        elif tag == "image" and self.depth == 1 and self.picture is not None:
            self.ready.append(self.picture)
            self.picture = None

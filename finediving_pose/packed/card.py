"""What goes beside a packed file, for people and catalogues: a dataset card and a Croissant description.

Croissant is the JSON-LD vocabulary of MLCommons for data sets (https://docs.mlcommons.org/croissant, version 1.0). Its
readers know no HDF5, so the file itself is described by its digest, and the clips table is given in the description.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from finediving_pose.clip import Clip
from finediving_pose.inventory import packed_inventory
from finediving_pose.packed import schema
from finediving_pose.packed.reader import open_packed
from finediving_pose.workspace import atomic_write

_CHUNK = 1 << 22

COLUMNS = {
    "video": "Video that the dive is in; with index, the clip's key",
    "index": "Index of the dive in its video",
    "split": "train, test or none",
    "action_type": "Dive number, lower case, e.g. 5253b",
    "difficulty": "Degree of difficulty",
    "dive_score": "Final score in points, penalties included",
    "judge_scores": "Awards as listed, 0 to 10",
    "start_frame": "First frame in the source video, counted from 0",
    "end_frame": "Last frame in the source video, inclusive",
    "n_frames": "Number of stored frames",
    "fps": "Frames a second",
    "height_m": "Height of the board or platform in metres",
    "synchronised": "Two divers at once",
    "stage_starts": "First frame of every stage after the first, from the clip's first frame",
    "sub_actions": "Sub-action id of every stage",
    "source": "Data set that the clip comes from",
    "image_width": "Width of the stored frames, pixels",
    "image_height": "Height of the stored frames, pixels",
}
"""What is in each column of the clips table."""

_TYPES = {"S": "sc:Text", "<i8": "sc:Integer", "<f8": "sc:Float", "|i1": "sc:Boolean"}

_TERMS = {
    "finediving": "Pictures and labels of FineDiving are under their authors' research agreement: {source}",
    "mtl_aqa": "Pictures and labels of MTL-AQA are under their authors' terms: {source}",
    "synthetic": "Synthetic dives were made by fdpose and show nobody.",
    "unlabelled": "Own videos: ask those who filmed and those who are shown before you pass the file on.",
}


def card_path(packed: Path) -> Path:
    """The dataset card of a packed file."""
    return packed.with_name(f"{packed.name}.card.md")


def croissant_path(packed: Path) -> Path:
    """The Croissant description of a packed file."""
    return packed.with_name(f"{packed.name}.croissant.json")


def write_descriptions(packed: Path) -> tuple[Path, Path]:
    """Write card and Croissant description beside a packed file; returns their paths.

    Raises PackedError where the file is none, FdposeError where the folder can't be written.
    """
    inventory = packed_inventory(packed)
    with open_packed(packed) as file:
        clips = file.clips
    card, croissant = card_path(packed), croissant_path(packed)
    with atomic_write(card) as part:
        part.write_text(card_of(packed.name, inventory), encoding="utf-8")
    with atomic_write(croissant) as part:
        described = croissant_of(packed.name, inventory, clips, _sha256(packed))
        part.write_text(json.dumps(described, indent=1, ensure_ascii=False), encoding="utf-8")
    return card, croissant


def croissant_of(name: str, inventory: dict[str, Any], clips: Sequence[Clip], sha256: str) -> dict[str, Any]:
    """The description as JSON-LD: the file by its digest, the clips table row by row."""
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"clips/{c.name}",
            "name": c.name,
            "description": COLUMNS[c.name],
            "dataType": _TYPES[c.dtype],
            **({"repeated": True} if c.width else {}),
        }
        for c in schema.COLUMNS
    ]
    rows = [{f"clips/{c.name}": _plain(schema.value_of(clip, c.name)) for c in schema.COLUMNS} for clip in clips]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": Path(name).stem,
        "description": _in_a_sentence(inventory),
        "datePublished": inventory["created"],
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": name,
                "name": name,
                "description": "HDF5, format 1 of fdpose: labels, frames as JPEG, poses",
                "contentUrl": name,
                "contentSize": f"{inventory['bytes']} B",
                "encodingFormat": "application/x-hdf5",
                "sha256": sha256,
            }
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "clips",
                "name": "clips",
                "description": "One dive a row, in the order of the file",
                "key": [{"@id": "clips/video"}, {"@id": "clips/index"}],
                "field": fields,
                "data": rows,
            }
        ],
    }


def card_of(name: str, inventory: dict[str, Any]) -> str:
    """The card in Markdown, headed by the YAML that dataset catalogues read."""
    counts = [
        ("clips", f"{inventory['clips']:,} of {inventory['videos']:,} videos"),
        ("frames", f"{inventory['frames']:,}"),
        ("splits", _listed(inventory["splits"])),
        ("sources", _listed(inventory["sources"])),
        ("stages", _listed(inventory["stages"])),
        ("joints", _listed(inventory["joints_by_source"])),
        ("pose rows by estimator", _listed(inventory["rows_by_estimator"])),
        ("pose rows by annotator", _listed(inventory["rows_by_annotator"])),
        ("size", f"{inventory['bytes']:,} bytes"),
        ("made", f"{inventory['created']} by {inventory['creator']}"),
        ("digest of the data", inventory["digest"]),
    ]
    known = json.loads((files("data_manifest") / "finediving.json").read_text(encoding="utf-8"))
    terms = [_TERMS[s].format(**known.get(s, {})) for s in inventory["sources"]]
    return _CARD.format(
        kind=KIND_OF_DATA,
        title=Path(name).stem,
        sentence=_in_a_sentence(inventory),
        counts="\n".join(f"| {what} | {value} |" for what, value in counts),
        terms="\n".join(f"- {t}" for t in terms),
        name=name,
    )


def _in_a_sentence(inventory: dict[str, Any]) -> str:
    return (
        f"{inventory['clips']:,} dives of {inventory['videos']:,} videos in {inventory['frames']:,} frames, with labels"
        " and the poses of their divers (16 joints of MPII a diver and frame)."
    )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{what} {n:,}" for what, n in counts.items()) or "none"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


KIND_OF_DATA = """task_categories:
- keypoint-detection
- video-classification
tags:
- diving
- action-quality-assessment
- human-pose
"""
"""Of a data set's card, as Hugging Face's hub reads it."""

_CARD = """---
pretty_name: {title}
{kind}---

# {title}

{sentence}

| what | how much |
|---|---|
{counts}

## How the poses came to be

Joints of the source `manual` were placed by people, `automatic` ones by the estimators named above, `interpolated` ones
lie between two others. Every joint carries its source and the estimator's confidence. Automatic joints have errors:
compare them with hand-placed ones before you measure with them.

## How to read it

```python
from finediving_pose import open_packed

with open_packed("{name}") as packed:
    clip = packed[0]
    clip.labels, clip.frames[0], clip.poses.keypoints
```

Or with h5py alone: fdpose's `docs/format.md` describes the format. `fdpose verify {name}` recomputes every digest.
`{name}.croissant.json` describes the file for catalogues.

## Terms

{terms}
"""

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context of Croissant 1.0, as its specification gives it."""

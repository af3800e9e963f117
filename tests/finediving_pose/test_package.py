"""The package as a Python user meets it."""

from __future__ import annotations

import doctest
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

import finediving_pose
from finediving_pose.extraction.clips_table import add_clips
from finediving_pose.extraction.run import extract_videos
from finediving_pose.labels.read import read_labels
from finediving_pose.packed.writer import write_packed
from finediving_pose.synth.competition import make_competition
from finediving_pose.workspace import Workspace

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def first_of_the_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``fdpose-demo/finediving_pose.h5`` that holds the first dive of ``fdpose demo``, without poses."""
    folder = tmp_path_factory.mktemp("readme")
    make_competition(folder / "synthetic", dives=1, seed=0, dive_numbers=["103b"], jobs=1)
    data = Workspace(folder / "fdpose-demo")
    clips = add_clips(data, read_labels(folder / "synthetic" / "labels"))
    extract_videos(data, folder / "synthetic" / "videos", clips, jobs=1)
    write_packed(data)
    return folder


def test_readmes_python_prints_what_readme_says(first_of_the_demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code = readme.split("## In Python", 1)[1].split("```python\n", 1)[1].split("```", 1)[0]
    example = doctest.DocTestParser().get_doctest(code, {}, "README.md", "README.md", 0)
    assert len(example.examples) > 5
    monkeypatch.chdir(first_of_the_demo)
    said: list[str] = []
    assert doctest.DocTestRunner().run(example, out=said.append).failed == 0, "".join(said)


def test_open_packed_is_listed_before_it_is_used() -> None:
    assert {"open_packed", "__version__"} <= set(dir(finediving_pose))


@pytest.mark.parametrize("package", ["finediving_pose", "annotate", "baselines"])
def test_type_checkers_read_the_annotations(package: str) -> None:
    """PEP 561: the marker is there, and it is installed."""
    assert (files(package) / "py.typed").is_file()
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "py.typed" in settings["tool"]["setuptools"]["package-data"]["*"]

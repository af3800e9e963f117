"""Methods are found by name; what packages offer can't shadow ours or break the rest."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any, ClassVar

import pytest

from baselines import registry
from baselines.method import ComparativeMethod, DirectMethod, Needs, Preset
from baselines.registry import find_method, list_methods, method, method_names
from finediving_pose.errors import UsageError


@pytest.fixture
def emptied(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The registry, put back afterwards."""
    find_method("hpmcr")
    found = dict(registry._found)
    monkeypatch.setattr(registry, "_found", found)
    yield found


def offer(monkeypatch: pytest.MonkeyPatch, **points: str) -> None:
    made = [EntryPoint(name.replace("_", "-"), value, registry.GROUP) for name, value in points.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: made)


def test_a_name_taken_twice_is_refused(emptied: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="HPMCRMethod is already the method 'hpmcr'"):

        @method("hpmcr", title="Another")
        class Another(DirectMethod):
            presets: ClassVar = {"demo": Preset("quick", {})}


def test_a_method_without_presets_is_refused(emptied: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="Bare has no presets"):

        @method("bare", title="Bare")
        class Bare(DirectMethod):
            pass


def test_a_name_that_two_packages_offer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint("mine", f"{package}:Mine", registry.GROUP) for package in ("one", "two")]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    with pytest.raises(UsageError, match="method 'mine' is offered by one:Mine and two:Mine; uninstall all but one"):
        find_method("mine")
    assert list(list_methods()[1]) == ["mine"]


def test_an_unknown_name_gets_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, pose_conv="nowhere:Nothing")
    with pytest.raises(UsageError, match=r"no method 'pose-con'; did you mean pose-conv\?"):
        find_method("pose-con")
    *ours, theirs = method_names()
    assert "hpmcr" in ours
    assert theirs == "pose-conv"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("nowhere_at_all:Nothing", r"can't be imported \(ModuleNotFoundError"),
        ("baselines.method:Nothing", r"can't be imported \(AttributeError"),
        ("baselines.method:Method", "declares no method 'mine'"),
    ],
)
def test_what_can_not_be_loaded_is_named_and_the_others_go_on(
    emptied: dict[str, Any], monkeypatch: pytest.MonkeyPatch, value: str, words: str
) -> None:
    offer(monkeypatch, mine=value)
    with pytest.raises(UsageError, match=words):
        find_method("mine")
    methods, broken = list_methods()
    assert "hpmcr" in {m.name for m in methods}
    assert list(broken) == ["mine"]


def test_a_foreign_entry_point_under_our_name_is_told(emptied: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, hpmcr="impostor:Impostor")
    methods, broken = list_methods()
    assert {m.name: type(m).__module__ for m in methods}["hpmcr"] == "baselines.methods.hpmcr"
    assert "the name is taken by fdpose's own method" in broken["hpmcr"]
    assert type(find_method("hpmcr")).__module__ == "baselines.methods.hpmcr"


def test_sections_may_be_a_dictionary_and_settings_are_its_keys() -> None:
    class Small(ComparativeMethod):
        presets: ClassVar = {"demo": Preset("quick", {"model": {"width": 3}, "without": ["tail"]})}
        needs = Needs.POSES

    small = Small()
    assert small.sections("demo") == {"model": {"width": 3}, "without": ["tail"]}
    assert list(small.settings()) == ["width"]
    small.sections("demo")["model"]["width"] = 4
    assert small.sections("demo")["model"]["width"] == 3, "a change stays with the one who made it"


def test_methods_presets_and_parts_are_listed_without_torch() -> None:
    code = "import sys; from finediving_pose.cli import main; main(['benchmark', '--list'], standalone_mode=False); "
    heavy = "sys.exit(str([m for m in ('torch', 'mmengine', 'pydantic', 'h5py') if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code + heavy], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
    for words in ("hpmcr", "presets", "released", "segmentation"):
        assert words in done.stdout

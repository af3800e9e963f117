"""Options that the commands share."""

from __future__ import annotations

import pytest

from finediving_pose.cli.options import device_names


@pytest.mark.parametrize(
    ("given", "devices"),
    [("cpu", ("cpu",)), ("cuda:0, cuda:1", ("cuda:0", "cuda:1")), ("cuda:0,cuda:0", ("cuda:0",))],
)
def test_devices_are_named_one_by_one(given: str, devices: tuple[str, ...]) -> None:
    assert device_names(given) == devices


def test_devices_are_found_and_the_processor_taken_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    assert device_names("all") == device_names("auto") == ("cpu",)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    assert device_names("all") == ("cuda:0", "cuda:1", "cuda:2")
    assert device_names("auto") == ("cuda:0",)

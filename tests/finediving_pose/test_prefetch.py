"""Work in threads ahead of its use."""

from __future__ import annotations

import threading
import time

import pytest

from finediving_pose.prefetch import prefetch


def test_results_come_in_order_and_only_a_few_are_made_ahead() -> None:
    made: list[int] = []

    def make(i: int) -> int:
        made.append(i)
        time.sleep(0.002 * (3 - i % 3))
        return i * i

    taken = []
    for result in prefetch(make, range(20), threads=2):
        taken.append(result)
        assert len(made) <= len(taken) + 2
    assert taken == [i * i for i in range(20)]


def test_the_next_item_is_made_while_this_one_is_used() -> None:
    second = threading.Event()
    results = prefetch(lambda i: second.set() if i == 1 else None, range(3))
    next(results)
    assert second.wait(5)


def test_an_error_comes_where_its_result_would() -> None:
    results = prefetch(lambda i: 1 // (2 - i), range(5))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_nothing_to_do_is_nothing() -> None:
    assert list(prefetch(str, [])) == []

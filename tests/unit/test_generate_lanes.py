"""Lanes: order within a lane, and no more work after an error."""

import threading
from functools import partial

import pytest

from questlog.generate.lanes import Lanes


def test_jobs_of_a_lane_are_done_in_order() -> None:
    done: list[list[int]] = [[], [], []]
    with Lanes(3) as lanes:
        for number in range(300):
            lanes.submit(number % 3, partial(done[number % 3].append, number))
        lanes.finish()

    assert done == [list(range(lane, 300, 3)) for lane in range(3)]


def test_a_key_always_has_the_same_lane() -> None:
    with Lanes(4) as first, Lanes(4) as second:
        keys = [f"player-{number:04d}" for number in range(100)]

        assert [first.of(key) for key in keys] == [second.of(key) for key in keys]
        assert {first.of(key) for key in keys} == {0, 1, 2, 3}


def test_a_failed_job_is_raised_and_none_begins_after_it() -> None:
    done: list[int] = []

    def fail() -> None:
        raise ValueError("no more")

    def work() -> None:
        with Lanes(1) as lanes:
            lanes.submit(0, fail)
            lanes.submit(0, partial(done.append, 1))
            lanes.finish()

    with pytest.raises(ValueError, match="no more"):
        work()

    assert done == []


def test_leaving_ends_the_job_under_way_and_drops_those_that_wait() -> None:
    done: list[int] = []
    started, leave = threading.Event(), threading.Event()

    def wait() -> None:
        started.set()
        leave.wait(10)
        done.append(1)

    with Lanes(1) as lanes:
        lanes.submit(0, wait)
        lanes.submit(0, partial(done.append, 2))
        assert started.wait(10)
        threading.Timer(0.1, leave.set).start()

    assert done == [1]

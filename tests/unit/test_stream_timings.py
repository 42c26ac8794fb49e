"""Batch metrics: where the time of a micro-batch went, by the sink's points and Spark's own durations."""

import itertools

import pytest

from questlog.events.schema import PHASES
from questlog.stream.timings import BEGUN, COMMITTED, SINK, SPARK, Timings, all_seconds

DURATIONS = {
    "latestOffset": 10,
    "walCommit": 40,
    "queryPlanning": 20,
    "getBatch": 5,
    "addBatch": 700,
    "commitOffsets": 30,
    "triggerExecution": 810,
}
IN_THE_SINK = dict.fromkeys(SINK, 0.1)


class Clock:
    """Stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def pass_by(timings: Timings, clock: Clock, **points: float) -> None:
    """Pass points, each so many seconds after the one before."""
    for point, seconds in points.items():
        clock.now += seconds
        timings(point, 1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timings(clock: Clock) -> Timings:
    return Timings(clock)


def test_each_phase_is_either_the_sink_s_or_spark_s() -> None:
    assert sorted([*SINK, *SPARK]) == sorted(PHASES)


def test_the_sink_s_phases_follow_each_other_without_a_gap() -> None:
    assert all(before[1] == after[0] for before, after in itertools.pairwise(SINK.values()))
    assert (SINK["validate"][0], SINK["commit"][1]) == (BEGUN, COMMITTED)


def test_each_phase_of_the_sink_lies_between_two_points(timings: Timings, clock: Clock) -> None:
    pass_by(timings, clock, begun=7, validated=1, staging=2, written=3, prepared=4, publishing=5, published=6)
    pass_by(timings, clock, added=7, committed=8)

    assert timings.seconds() == {"validate": 1, "write": 5, "prepare": 4, "publish": 18, "commit": 8}


def test_a_batch_that_was_committed_before_spent_no_time_on_what_it_left_out(timings: Timings, clock: Clock) -> None:
    pass_by(timings, clock, begun=0, validated=1, written=1, prepared=1, added=1, committed=1)
    pass_by(timings, clock, begun=1)

    assert timings.seconds() == dict.fromkeys(SINK, 0.0)


def test_points_that_were_passed_before_a_batch_began_are_not_of_it(timings: Timings, clock: Clock) -> None:
    pass_by(timings, clock, begun=0, validated=1, written=1, prepared=1, added=1, committed=1)
    pass_by(timings, clock, prepared=50, publishing=50, added=50, committed=50)
    pass_by(timings, clock, begun=0, validated=2, written=2, prepared=2, added=2, committed=2)

    assert timings.seconds() == dict.fromkeys(SINK, 2.0)


def test_all_seconds_are_those_of_every_phase_in_order_and_the_whole_batch() -> None:
    seconds = all_seconds(DURATIONS, IN_THE_SINK)

    assert list(seconds) == [*PHASES, "total"]
    assert seconds["offset_log"] == 0.05
    assert seconds["checkpoint"] == 0.03
    assert seconds["total"] == 0.81
    assert {seconds[phase] for phase in SINK} == {0.1}


def test_what_passes_between_spark_s_call_and_the_sink_belongs_to_planning() -> None:
    assert all_seconds(DURATIONS, IN_THE_SINK)["plan"] == pytest.approx(0.025 + 0.7 - 0.5)


def test_planning_takes_no_less_than_no_time_however_the_clocks_round() -> None:
    assert all_seconds({"addBatch": 499}, IN_THE_SINK)["plan"] == 0.0


def test_what_spark_does_not_tell_took_no_time() -> None:
    assert set(all_seconds({}, dict.fromkeys(SINK, 0.0)).values()) == {0.0}

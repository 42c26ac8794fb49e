"""The faults of the matrix under load, one after the other on one stack: every promise is kept all the same.

How soon the stream is there again depends on what else this machine does, for another Spark has to start: only that it
is, by itself, is asked here. Not here: the points at which `test_stream_killed` kills the stream (one is, under load),
the disks that only the superuser can mount, and several at once. `scripts/faults` brings about all of the matrix, and
holds it to its bounds.
"""

from collections.abc import Sequence

import pytest
from looks import problems

from questlog.faults import trial
from questlog.faults.matrix import ANSWERED, FAULTS, SEEN, Fault
from questlog.faults.trial import Outcome
from questlog.settings import Settings
from questlog.stream.faults import POINTS

SEED = 1
EVENTS = 100  # acknowledged around each fault
ELSEWHERE = {*(f"driver_killed_{point}" for point in POINTS), "several"}
ELSEWHERE.remove("driver_killed_publishing")
CHOSEN = [fault for fault in FAULTS if fault.name not in ELSEWHERE and not fault.needs_mount]
FRONT_DOOR = [fault for fault in CHOSEN if fault.measured == ANSWERED]
BEHIND_IT = [fault for fault in CHOSEN if fault.measured == SEEN]
LATE = "came back after"  # what the checker says of a service that was away for longer than the bound


def each(faults: Sequence[Fault]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("fault", faults, ids=lambda fault: fault.name)


@pytest.fixture(scope="module")
def outcomes(settings: Settings) -> dict[str, Outcome]:
    """A trial of each; the first test waits for all. There is a line, or a standby, only where a fault is about it."""
    over_the_line = [fault for fault in CHOSEN if fault.needs_line]
    with_standby = [fault for fault in CHOSEN if fault.needs_standby]
    others = [fault for fault in CHOSEN if not (fault.needs_line or fault.needs_standby)]
    return {**run(settings, with_standby), **run(settings, others), **run(settings, over_the_line)}


def run(settings: Settings, faults: Sequence[Fault]) -> dict[str, Outcome]:
    return {outcome.fault.name: outcome for outcome in trial.run(settings, faults, seed=SEED, events=EVENTS)}


@pytest.mark.timeout(3600)
@each(FRONT_DOOR)
def test_no_promise_of_the_front_door_is_broken(outcomes: dict[str, Outcome], fault: Fault) -> None:
    assert [str(violation) for violation in outcomes[fault.name].violations] == []


@pytest.mark.timeout(3600)
@each(BEHIND_IT)
def test_no_promise_is_broken_behind_it_and_events_are_seen_again(outcomes: dict[str, Outcome], fault: Fault) -> None:
    outcome = outcomes[fault.name]

    assert [str(violation) for violation in outcome.violations if LATE not in violation.says] == []
    assert outcome.seen is not None


@each(CHOSEN)
def test_it_was_brought_about_under_load(outcomes: dict[str, Outcome], fault: Fault) -> None:
    outcome = outcomes[fault.name]

    assert outcome.not_run == ""
    assert len(outcome.record.acknowledged) >= EVENTS
    assert any(not look.error for look in outcome.looks)


@each([fault for fault in CHOSEN if fault.name != "presto_killed"])
def test_no_query_fails_unless_presto_itself_is_killed(outcomes: dict[str, Outcome], fault: Fault) -> None:
    assert problems(outcomes[fault.name].looks) == []


@pytest.mark.parametrize("fault", ["kafka_killed", "line_cut"])
def test_what_kafka_could_not_take_was_refused(outcomes: dict[str, Outcome], fault: str) -> None:
    assert outcomes[fault].record.refusals

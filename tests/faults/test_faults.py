"""The faults of the front door under load, one after the other on one stack: every promise is kept all the same.

Not here: those that stop Spark, HDFS, the metastore or Presto, the disks that only the superuser can mount, and several
at once. `scripts/faults` brings about all of the matrix, and holds it to its bounds.
"""

from collections.abc import Sequence

import pytest
from looks import problems

from questlog.faults import trial
from questlog.faults.matrix import FAULTS, Fault
from questlog.faults.trial import Outcome
from questlog.settings import Settings

SEED = 1
EVENTS = 100  # acknowledged around each fault
FRONT_DOOR = ("api_worker_killed", "api_killed", "api_terminated", "kafka_killed")
CHOSEN = [fault for fault in FAULTS if fault.name in FRONT_DOOR or fault.needs_line]

each_fault = pytest.mark.parametrize("fault", CHOSEN, ids=lambda fault: fault.name)


@pytest.fixture(scope="module")
def outcomes(settings: Settings) -> dict[str, Outcome]:
    """A trial of each; the first test waits for all. The line is in the API's way only where it is cut."""
    over_the_line = [fault for fault in CHOSEN if fault.needs_line]
    direct = [fault for fault in CHOSEN if not fault.needs_line]
    return {**run(settings, direct), **run(settings, over_the_line)}


def run(settings: Settings, faults: Sequence[Fault]) -> dict[str, Outcome]:
    return {outcome.fault.name: outcome for outcome in trial.run(settings, faults, seed=SEED, events=EVENTS)}


@pytest.mark.timeout(3600)
@each_fault
def test_no_promise_is_broken(outcomes: dict[str, Outcome], fault: Fault) -> None:
    assert [str(violation) for violation in outcomes[fault.name].violations] == []


@each_fault
def test_it_was_brought_about_under_load(outcomes: dict[str, Outcome], fault: Fault) -> None:
    outcome = outcomes[fault.name]

    assert outcome.not_run == ""
    assert len(outcome.record.acknowledged) >= EVENTS
    assert any(not look.error for look in outcome.looks)


@each_fault
def test_no_query_fails(outcomes: dict[str, Outcome], fault: Fault) -> None:
    assert problems(outcomes[fault.name].looks) == []


@pytest.mark.parametrize("fault", ["kafka_killed", "line_cut"])
def test_what_kafka_could_not_take_was_refused(outcomes: dict[str, Outcome], fault: str) -> None:
    assert outcomes[fault].record.refusals

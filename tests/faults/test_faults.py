"""Two faults of the matrix under load, on one stack with one stream: every promise is kept all the same.

`scripts/faults` brings about the others.
"""

import pytest

from questlog.faults import trial
from questlog.faults.matrix import Fault, named
from questlog.faults.trial import Outcome
from questlog.settings import Settings

SEED = 1
EVENTS = 100  # acknowledged around each fault
CHOSEN = named(["api_killed", "kafka_killed"])

each_fault = pytest.mark.parametrize("fault", CHOSEN, ids=lambda fault: fault.name)


@pytest.fixture(scope="module")
def outcomes(settings: Settings) -> dict[str, Outcome]:
    """One trial of each; the first test waits for all of them."""
    return {outcome.fault.name: outcome for outcome in trial.run(settings, CHOSEN, seed=SEED, events=EVENTS)}


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


def test_what_kafka_could_not_take_was_refused(outcomes: dict[str, Outcome]) -> None:
    assert outcomes["kafka_killed"].record.refusals

"""Every fault of the matrix once, under load, on one stack with one stream: every promise is kept all the same."""

import os
import sys

import pytest

from questlog.faults import trial
from questlog.faults.matrix import FAULTS, Fault
from questlog.faults.trial import Outcome
from questlog.settings import Settings

SEED = 1
EVENTS = 100  # acknowledged around each fault
MAY_MOUNT = sys.platform == "linux" and os.geteuid() == 0
"""A disk that is full takes a small disk, and mounting one takes the superuser of Linux."""
CHOSEN = [fault for fault in FAULTS if MAY_MOUNT or not fault.needs_mount]

each_fault = pytest.mark.parametrize("fault", CHOSEN, ids=lambda fault: fault.name)


@pytest.fixture(scope="module")
def outcomes(settings: Settings) -> dict[str, Outcome]:
    """One trial of each fault; the first test waits for all of them."""
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
    assert outcomes["kafka_stopped"].record.refusals

"""Kafka and the API server are killed and stopped while clients send: what was acknowledged is there, once."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

import psutil
import pytest
from client import Client, sending

from questlog import pipeline
from questlog.book import experiments
from questlog.ledger import Ledger
from questlog.settings import Settings
from questlog.stack import local
from waiting import eventually

STOPPED = 20.0  # seconds for which Kafka stands still
BEFORE = 50  # events acknowledged before each fault
ANSWER = 1.0  # seconds within which a refusal has to come
DEADLINE = 90.0  # seconds after which nothing more is hoped for
SLACK = 1.0  # seconds more, for a machine on which everything else runs as well


def pid(settings: Settings, name: str) -> int:
    (found,) = [server.pid for server in local.status(settings) if server.name == name]
    assert found is not None
    return found


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)


def kill_a_worker(settings: Settings) -> None:
    kill(psutil.Process(pid(settings, "api")).children()[-1].pid)


def stop_kafka_for_a_while(settings: Settings) -> None:
    with experiments.suspended(settings, "kafka") as is_held:
        assert is_held
        psutil.wait_procs([psutil.Process(pid(settings, "kafka"))], timeout=STOPPED)


FAULTS: dict[str, tuple[Callable[[Settings], object], float]] = {
    "kill -9 of an API worker": (kill_a_worker, 5),
    "kill -9 of the API server": (lambda settings: kill(pid(settings, "api")), 10),
    "kill -9 of Kafka": (lambda settings: kill(pid(settings, "kafka")), 30),
    "SIGSTOP of Kafka": (stop_kafka_for_a_while, 10),
    "SIGTERM of the API server": (lambda settings: os.kill(pid(settings, "api"), signal.SIGTERM), 10),
}
"""Each fault, and the seconds after which service has to be there again."""


@dataclass
class Outcome:
    client: Client
    recovered: dict[str, float]
    seen: dict[str, list[int]]
    ledger: Ledger


@pytest.fixture(scope="module")
def outcome(settings: Settings) -> Outcome:
    """All faults, one after the other, under load; then everything is landed, and Presto is asked."""
    recovered = {}
    with sending(settings.api_url) as client:
        for name, (fault, _) in FAULTS.items():
            goal = len(client.acknowledged) + BEFORE
            eventually(lambda goal=goal: len(client.acknowledged) >= goal, "events are acknowledged", deadline=DEADLINE)
            fault(settings)
            count = len(client.acknowledged)
            recovered[name] = eventually(
                lambda count=count: len(client.acknowledged) > count, f"service after {name}", deadline=DEADLINE
            )
    pipeline.stream(settings)
    rows = pipeline.sql(settings, f"SELECT event_id, price FROM purchase_sword WHERE user_id = 'player-{client.run}'")
    seen: dict[str, list[int]] = {}
    for event, price in rows.itertuples(index=False):
        seen.setdefault(event, []).append(price)
    return Outcome(client, recovered, seen, pipeline.ledger(settings))


@pytest.mark.parametrize("fault", FAULTS)
def test_service_is_there_again_within_its_bound(outcome: Outcome, fault: str) -> None:
    assert outcome.recovered[fault] <= FAULTS[fault][1]


def test_each_acknowledged_event_is_one_row_as_it_was_sent(outcome: Outcome) -> None:
    sent = outcome.client.acknowledged
    assert len(sent) >= len(FAULTS) * BEFORE
    assert {event: outcome.seen.get(event) for event in sent} == {event: [price] for event, price in sent.items()}


def test_an_event_whose_fate_its_client_does_not_know_is_one_row_or_none(outcome: Outcome) -> None:
    rest = {event: prices for event, prices in outcome.seen.items() if event not in outcome.client.acknowledged}
    assert {event: [outcome.client.unknown.get(event)] for event in rest} == rest


def test_a_refusal_comes_at_once_and_nothing_else_is_ever_answered(outcome: Outcome) -> None:
    assert outcome.client.surprises == []
    assert outcome.client.refusals
    assert max(outcome.client.refusals) < ANSWER + SLACK


def test_the_ledger_balances_afterwards(outcome: Outcome) -> None:
    assert outcome.ledger.problems == ()

"""The checker on what it is made for: a landing and a sender that break the promises are found out."""

import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import plain_sink
import pytest

from questlog import pipeline
from questlog.book import experiments, sender
from questlog.events import CATALOGUE, validation
from questlog.events.wire import encode
from questlog.faults.checker import Evidence, Recovery, violations
from questlog.faults.client import expected
from questlog.faults.record import Fields, Record
from questlog.faults.witness import Witness, rows_of
from questlog.settings import Settings
from questlog.transport.producer import Publisher

RUN, TYPE, EVENTS = "plain", CATALOGUE["purchase_sword"], 40
PATIENCE = 20.0  # seconds: Kafka is held still, and a sender that waits is to wait
RECOVERED = Recovery(seconds=0.0, bound=1.0)


def publish(settings: Settings) -> Record:
    """Events of many players, so that they are in all of the topic's partitions, and one whose task is slow."""
    now = datetime.now(UTC)
    moment = now.isoformat(timespec="milliseconds")
    record = Record()
    publisher = Publisher(settings.in_namespace(settings.namespace, ack_timeout=PATIENCE))
    for number in range(EVENTS):
        given: Fields = {"user_id": f"player-{number}", "event_time": moment, "item": "iron", "price": number}
        record.acknowledged[f"{RUN}-{number}"] = expected(TYPE, given)
        publisher.publish([encode(validation.parse(TYPE, {"event_id": f"{RUN}-{number}", **given}, {}, now))])
    publisher.publish([encode(validation.parse(TYPE, {"event_id": plain_sink.SLOW, **given}, {}, now))])
    publisher.close()
    return record


def land_plainly(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(Path(plain_sink.__file__)), *arguments]
    return subprocess.run(command, env=settings.environment(), capture_output=True, text=True, check=False, timeout=600)


@pytest.mark.timeout(1800)
def test_spark_s_own_file_sink_in_the_place_of_ours_is_found_out_after_a_kill(fresh: Settings) -> None:
    pipeline.create(fresh)
    record = publish(fresh)

    killed = land_plainly(fresh, plain_sink.KILLED)
    finished = land_plainly(fresh)
    plain_sink.add_partitions(fresh)

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert finished.returncode == 0, finished.stderr
    witness = Witness(fresh)
    look = witness.look()
    broken = violations(Evidence(record=record, rows=rows_of(fresh, RUN), looks=[look], recovery=RECOVERED))
    assert {violation.promise for violation in broken} == {"I2", "I4"}


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("how", "is_broken"), [(sender.HASTY, True), (sender.WAITING, False)])
def test_a_sender_that_says_ok_before_kafka_has_the_event_is_found_out_after_a_kill(
    fresh: Settings, how: str, is_broken: bool
) -> None:
    pipeline.create(fresh)

    patient = fresh.in_namespace(fresh.namespace, ack_timeout=PATIENCE)
    killed = experiments.kill_while_sending(patient, how, answers=30)
    pipeline.stream(fresh)

    record = Record(acknowledged={event_id: {} for event_id in killed.told})
    broken = violations(Evidence(record=record, rows=rows_of(fresh, how), looks=[], recovery=RECOVERED))
    assert ("I1" in {violation.promise for violation in broken}) is is_broken

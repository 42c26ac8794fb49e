"""The stream is killed at every point that a micro-batch passes: each event is one row all the same."""

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from looks import problems

from questlog import pipeline
from questlog.events import CATALOGUE, validation
from questlog.events.wire import PRODUCER_HEADER, Record, encode
from questlog.faults.witness import watching
from questlog.settings import Settings
from questlog.stream.faults import POINTS
from questlog.transport.producer import Publisher

EVENTS_A_BATCH = 30
DAYS = 2
TYPES = CATALOGUE.types[:3]
STREAM = (sys.executable, "-m", "questlog", "stream", "--available-now")


def records(batch: int) -> list[Record]:
    """Events of some types on some days, one that is sent twice, one of a batch before, and one that is garbage."""
    now = datetime.now(UTC)
    made = []
    for number in range(EVENTS_A_BATCH):
        event_type = TYPES[number % len(TYPES)]
        given = {field.name: field.example for field in event_type.fields}
        day = (now - timedelta(days=number % DAYS)).isoformat()
        fields = {**given, "event_id": f"event-{batch}-{number}", "event_time": day, "user_id": f"player-{number}"}
        made.append(encode(validation.parse(event_type, fields, {}, now)))
    garbage = Record(b"nobody", b"garbage", ((PRODUCER_HEADER, b"elsewhere"),))
    return [*made, made[0], garbage]


def stream(settings: Settings, fault: str = "") -> subprocess.CompletedProcess[str]:
    faulty = settings.in_namespace(settings.namespace, fault_point=fault)
    return subprocess.run(STREAM, env=faulty.environment(), capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.timeout(2400)  # a Spark for each point
def test_whatever_point_it_is_killed_at_each_event_is_one_row(fresh: Settings, publisher: Publisher) -> None:
    pipeline.create(fresh)
    sent: list[Record] = []
    with watching(fresh) as witness:
        for batch, point in enumerate(POINTS):
            again = sent[:1]  # an event of the first batch, from a client that never got its answer
            publisher.publish([*records(batch), *again])
            sent += records(batch)
            killed = stream(fresh, f"{point}:{batch}")
            assert killed.returncode == -signal.SIGKILL, f"{point}: {killed.stderr}"
        finished = stream(fresh)

    assert finished.returncode == 0, finished.stderr
    assert problems(witness.looks) == []
    ledger = pipeline.ledger(fresh)
    assert ledger.problems == ()
    assert ledger.total("landed") == ledger.total("distinct") == len(POINTS) * EVENTS_A_BATCH
    assert ledger.total("rejected") == len(POINTS)
    assert ledger.total("duplicates") == 2 * len(POINTS) - 1
    assert witness.looks[-1].rows == len(POINTS) * EVENTS_A_BATCH

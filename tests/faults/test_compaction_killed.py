"""A compaction is killed at every point while a stream writes: no query sees it, and the next run goes on."""

import itertools
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from looks import problems

from questlog import pipeline
from questlog.catalog import files
from questlog.events import CATALOGUE, validation
from questlog.events.wire import Record, encode
from questlog.faults.witness import watching
from questlog.query import presto
from questlog.settings import Settings
from questlog.stream.faults import COMPACTION_POINTS
from questlog.transport.producer import Publisher
from waiting import eventually

TYPES = CATALOGUE.types[:2]
ROUNDS = 2  # sends for each point, each a micro-batch or more
EVENTS = 10  # in each of them
GRACE = 30.0  # seconds; no query of the witness takes longer
DEADLINE = 240.0
QUESTLOG = (sys.executable, "-m", "questlog")


@pytest.fixture
def hasty(fresh: Settings) -> Settings:
    """Settings with which two files are many; the stream, which nobody kills, has no standby."""
    return fresh.in_namespace(fresh.namespace, compact_files=2, compact_grace=GRACE, ack_timeout=20, standby_after=0)


@pytest.fixture
def publisher(hasty: Settings) -> Iterator[Publisher]:
    made = Publisher(hasty)
    yield made
    made.close()


@contextmanager
def streaming(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """A stream in a process of its own while the block runs; it ends by itself when it is told."""
    command = [*QUESTLOG, "stream", "--trigger", "0"]
    process = subprocess.Popen(
        command, env=settings.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, said


def compact(settings: Settings, fault: str = "") -> int:
    """The exit code of a compaction in a process of its own."""
    faulty = settings.in_namespace(settings.namespace, fault_point=fault)
    command = [*QUESTLOG, "compact"]
    done = subprocess.run(command, env=faulty.environment(), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


def records(first: int) -> list[Record]:
    now = datetime.now(UTC)
    made = []
    for number in range(first, first + EVENTS):
        event_type = TYPES[number % len(TYPES)]
        given = {field.name: field.example for field in event_type.fields}
        day = (now - timedelta(days=number // len(TYPES) % 2)).isoformat()
        fields = {**given, "event_id": f"event-{number}", "event_time": day, "user_id": f"player-{number}"}
        made.append(encode(validation.parse(event_type, fields, {}, now)))
    return made


def rows(settings: Settings) -> int:
    [(count,)] = presto.execute(settings, "SELECT count(*) FROM events")
    return int(count)


@pytest.mark.timeout(1800)
def test_whatever_point_a_compaction_is_killed_at_the_stream_goes_on_and_no_query_sees_it(
    hasty: Settings, publisher: Publisher
) -> None:
    pipeline.create(hasty)
    sent = itertools.count(step=EVENTS)

    def land(rounds: int) -> None:
        for _ in range(rounds):
            first = next(sent)
            publisher.publish(records(first))
            eventually(lambda first=first: rows(hasty) == first + EVENTS, "the events are seen", deadline=DEADLINE)

    def killed(point: str) -> bool:
        land(ROUNDS)
        return compact(hasty, point) == -signal.SIGKILL

    with watching(hasty) as witness, streaming(hasty):
        for point in COMPACTION_POINTS:
            # What the last point asks for is there once the replaced files have had their time.
            eventually(lambda point=point: killed(point), f"it is killed at {point}", deadline=DEADLINE)
            land(1)
            before = len(files.listing(hasty, "events"))
            assert compact(hasty) == 0
            assert len(files.listing(hasty, "events")) <= before
        landed = next(sent)

    assert problems(witness.looks) == []
    assert witness.looks[-1].rows == landed
    assert pipeline.ledger(hasty).problems == ()
    assert pipeline.ledger(hasty).total("landed") == landed
    assert len(files.listing(hasty, "events")) < 2 * len(TYPES) * 2


def test_a_stream_compacts_by_itself_at_an_interval(hasty: Settings, publisher: Publisher) -> None:
    often = hasty.in_namespace(hasty.namespace, compact_minutes=0.05)
    pipeline.create(often)
    with watching(often) as witness, streaming(often):
        for first in range(0, 6 * EVENTS, EVENTS):
            publisher.publish(records(first))
            eventually(lambda first=first: rows(often) == first + EVENTS, "the events are seen", deadline=DEADLINE)
        eventually(lambda: len(files.listing(often, "events")) == 2 * len(TYPES), "files are merged", deadline=DEADLINE)

    assert problems(witness.looks) == []
    assert pipeline.ledger(often).problems == ()


def test_a_stream_that_is_killed_as_it_lands_is_not_harmed_by_a_merge_before_its_next_run(
    hasty: Settings, publisher: Publisher
) -> None:
    pipeline.create(hasty)
    points = ("moving", "announced", "closed")
    for number, point in enumerate(points):
        publisher.publish(records(2 * number * EVENTS))
        assert stream(hasty) == 0
        publisher.publish(records((2 * number + 1) * EVENTS))
        assert stream(hasty, point) == -signal.SIGKILL
        assert compact(hasty) == 0
    assert stream(hasty) == 0

    assert rows(hasty) == 2 * len(points) * EVENTS
    assert pipeline.ledger(hasty).problems == ()


def stream(settings: Settings, fault: str = "") -> int:
    """The exit code of a stream that lands what is there, in a process of its own."""
    faulty = settings.in_namespace(settings.namespace, fault_point=fault)
    command = [*QUESTLOG, "stream", "--available-now"]
    return subprocess.run(command, env=faulty.environment(), capture_output=True, check=False, timeout=300).returncode

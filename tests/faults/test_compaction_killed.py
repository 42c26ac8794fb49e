"""A compaction is killed at every point, in the stream and by itself: no query sees it, and the next writer goes on."""

import itertools
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from looks import problems
from rich.console import Console

from questlog import pipeline
from questlog.catalog import counts
from questlog.events import CATALOGUE, validation
from questlog.events.wire import Record, encode
from questlog.faults.streams import Streams
from questlog.faults.witness import watching
from questlog.lake import presto
from questlog.lake.hdfs import Hdfs
from questlog.lake.metastore import Metastore
from questlog.settings import EVENTS_TABLE, Settings
from questlog.stack import local
from questlog.stream.faults import COMPACTION_POINTS, IN_A_FILE
from questlog.transport.producer import Publisher
from waiting import eventually

QUIET = Console(quiet=True)
TYPES = CATALOGUE.types[:2]
DAYS = 2
EVENTS = 10  # sent at a time
GRACE = 30.0  # seconds; no query of the witness takes longer
DEADLINE = 240.0
QUESTLOG = (sys.executable, "-m", "questlog")
CUTS = {"publishing": "compact_merged", "added": "compact_prepared", "committed": "compact_switched"}
"""Where a stream is killed, and where the compaction after it."""


@pytest.fixture
def hasty(fresh: Settings) -> Settings:
    """Settings with which two files are many."""
    return fresh.in_namespace(fresh.namespace, compact_files=2, compact_grace=GRACE, ack_timeout=20)


@pytest.fixture
def publisher(hasty: Settings) -> Iterator[Publisher]:
    made = Publisher(hasty)
    yield made
    made.close()


@contextmanager
def streaming(stack: Settings, settings: Settings) -> Iterator[None]:
    """A stream that the stack's supervisor starts again when it is killed."""
    streams = Streams(stack, settings, 1)
    local.up(stack, wanted=[*local.services(stack), *streams.services], console=QUIET)
    try:
        yield
    finally:
        streams.stop()
        local.up(stack, console=QUIET)


def run(settings: Settings, *arguments: str, fault: str = "") -> int:
    """The exit code of a command in a process of its own, killed at a point if one is given."""
    faulty = settings.in_namespace(settings.namespace, fault_point=fault)
    command = [*QUESTLOG, *arguments]
    done = subprocess.run(command, env=faulty.environment(), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


def stream(settings: Settings, fault: str = "") -> int:
    return run(settings, "stream", "--available-now", fault=fault)


def compact(settings: Settings, fault: str = "") -> int:
    return run(settings, "compact", fault=fault)


def records(first: int) -> list[Record]:
    now = datetime.now(UTC)
    made = []
    for number in range(first, first + EVENTS):
        event_type = TYPES[number % len(TYPES)]
        given = {field.name: field.example for field in event_type.fields}
        day = (now - timedelta(days=number // len(TYPES) % DAYS)).isoformat()
        fields = {**given, "event_id": f"event-{number}", "event_time": day, "user_id": f"player-{number}"}
        made.append(encode(validation.parse(event_type, fields, {}, now)))
    return made


def rows(settings: Settings) -> int:
    [(count,)] = presto.execute(settings, "SELECT count(*) FROM events")
    return int(count)


def unreferenced(settings: Settings) -> set[str]:
    """Folders of table ``events`` that no partition's location names."""
    hdfs = Hdfs(settings)
    days = hdfs.folders(settings.table_path(EVENTS_TABLE))
    versions = {folder for day in days for folder in hdfs.folders(day)}
    return versions - {*Metastore(settings).locations(EVENTS_TABLE).values()}


@pytest.mark.timeout(2400)  # a Spark for each point
def test_whatever_point_the_streams_compaction_is_killed_at_no_query_sees_it(
    settings: Settings, hasty: Settings, publisher: Publisher, tmp_path: Path
) -> None:
    pipeline.create(hasty)
    sent, fault = itertools.count(step=EVENTS), tmp_path / "fault"
    faulty = hasty.in_namespace(hasty.namespace, compact_minutes=0.05, fault_point=f"{IN_A_FILE}{fault}")

    def land() -> None:
        first = next(sent)
        publisher.publish(records(first))
        eventually(lambda: rows(hasty) == first + EVENTS, "the events are seen", deadline=DEADLINE)

    with watching(hasty) as witness, streaming(settings, faulty):
        for point in COMPACTION_POINTS:
            land()
            fault.write_text(point)
            land()
            # Before the last point, the replaced folders have their time.
            eventually(lambda point=point: not fault.exists(), f"it is killed at {point}", deadline=DEADLINE)
        land()
        eventually(lambda: len(counts.listing(hasty, EVENTS_TABLE)) == DAYS, "files are merged", deadline=DEADLINE)
        eventually(lambda: not unreferenced(hasty), "replaced folders are deleted", deadline=DEADLINE)
        landed = next(sent)

    assert problems(witness.looks) == []
    assert witness.looks[-1].rows == landed
    assert pipeline.ledger(hasty).problems == ()
    assert pipeline.ledger(hasty).total("landed") == landed


@pytest.mark.timeout(1800)
def test_a_batch_that_was_cut_and_a_compaction_that_was_cut_are_finished_by_the_next_writer(
    hasty: Settings, publisher: Publisher
) -> None:
    pipeline.create(hasty)
    publisher.publish(records(0))
    assert stream(hasty) == 0

    with watching(hasty) as witness:
        for number, (landing, merging) in enumerate(CUTS.items(), start=1):
            publisher.publish(records(number * EVENTS))
            assert stream(hasty, landing) == -signal.SIGKILL
            assert compact(hasty, merging) == -signal.SIGKILL
            assert compact(hasty) == 0
            assert rows(hasty) == (number + 1) * EVENTS
            assert len(counts.listing(hasty, EVENTS_TABLE)) == DAYS
        assert stream(hasty) == 0

    assert problems(witness.looks) == []
    assert rows(hasty) == (len(CUTS) + 1) * EVENTS
    assert pipeline.ledger(hasty).problems == ()
    hdfs = Hdfs(hasty)
    assert not any(hdfs.folders(folder) or hdfs.files(folder) for folder in hdfs.folders(hasty.staging))

"""The stream as processes: started again when it dies, a second one as the standby, and ended without loss."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import kafka_shaped as shaped
import psutil
import pytest
from rich.console import Console

from questlog import pipeline
from questlog.errors import QueryError, ServiceDied
from questlog.lake import layout, lease
from questlog.lake.hdfs import Hdfs
from questlog.lake.writer import open_writer
from questlog.settings import Settings
from questlog.stack import local
from questlog.stack.local import DEAD, RUNNING
from questlog.stack.stream import NAMES, REFUSED, WAITS
from questlog.transport.producer import Publisher
from waiting import eventually

DEADLINE = 60.0
SPARK_DEADLINE = 600.0  # seconds in which Spark is up and has landed, on a machine on which everything else runs too
QUIET = Console(quiet=True)

Send = Callable[[str], None]


@dataclass
class Running:
    """`questlog stream` as its user starts it, and what it says on stderr."""

    process: psutil.Popen
    stderr: Path

    @property
    def words(self) -> str:
        return self.stderr.read_text()

    def kill(self) -> None:
        """Kill the driver and its JVM at once."""
        for process in (*self.process.children(recursive=True), self.process):
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def interrupt(self) -> None:
        """As Ctrl-C in a terminal does: every process of the group gets SIGINT."""
        os.killpg(self.process.pid, signal.SIGINT)


@contextmanager
def streaming(settings: Settings, *options: str) -> Iterator[Running]:
    """A stream while the block runs; whatever is left of it in the end is killed."""
    command = [sys.executable, "-m", "questlog", "stream", "--trigger", "0", *options]
    with (
        tempfile.NamedTemporaryFile() as stderr,
        psutil.Popen(
            command, env=settings.environment(), stderr=stderr, stdout=subprocess.DEVNULL, start_new_session=True
        ) as process,
    ):
        running = Running(process, Path(stderr.name))
        try:
            yield running
        finally:
            with suppress(psutil.NoSuchProcess):
                running.kill()


@pytest.fixture
def send(publisher: Publisher) -> Send:
    return lambda event_id: publisher.publish([shaped.purchase(event_id)])


def holder(settings: Settings) -> int:
    """The process that holds the writer lease; 0 while one is just starting to."""
    found = lease.holder(settings, Hdfs(settings))
    return found.pid if found else 0


def is_there(settings: Settings, event_id: str) -> bool:
    try:
        found = pipeline.sql(settings, f"SELECT count(*) AS n FROM events WHERE event_id = '{event_id}'")
    except QueryError:  # before the stream has made the tables
        return False
    return bool(found["n"][0] == 1)


def test_a_stream_that_nobody_hears_lands_all_the_same(fresh: Settings, send: Send) -> None:
    send("a")
    command = [sys.executable, "-m", "questlog", "stream", "--available-now", "--max-offsets", "1"]
    with psutil.Popen(command, env=fresh.environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as stream:
        stream.stderr.close()
        assert stream.wait(SPARK_DEADLINE) == 0

    assert is_there(fresh, "a")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("end", [Running.kill, Running.interrupt])
def test_of_two_streams_that_are_started_at_once_one_lands_and_the_other_waits_and_takes_over(
    fresh: Settings, send: Send, end: Callable[[Running], None]
) -> None:
    send("a")
    with streaming(fresh) as one, streaming(fresh) as other:
        eventually(lambda: is_there(fresh, "a"), deadline=SPARK_DEADLINE)
        writes, waits = (one, other) if holder(fresh) == one.process.pid else (other, one)
        eventually(lambda: WAITS in waits.words, "the other one waits", deadline=SPARK_DEADLINE)
        send("b")
        eventually(lambda: is_there(fresh, "b"), deadline=SPARK_DEADLINE)
        landed_by_the_waiting_one = "landed" in waits.words
        end(writes)
        send("b")  # a duplicate: the other one builds its dedup index from the table
        send("c")
        eventually(lambda: is_there(fresh, "c"), "the other one takes over", deadline=SPARK_DEADLINE)
        assert holder(fresh) == waits.process.pid
        assert writes.process.wait(SPARK_DEADLINE) == (0 if end is Running.interrupt else -signal.SIGKILL)
        waits.interrupt()
        assert waits.process.wait(SPARK_DEADLINE) == 0

    assert not landed_by_the_waiting_one
    with open_writer(fresh, "test", wait=0):
        ledger = pipeline.ledger(fresh)
    assert ledger.balances
    assert (ledger.total("landed"), ledger.total("duplicates")) == (3, 1)
    assert Hdfs(fresh).entries(layout.attempts(fresh)) == []


@contextmanager
def kept_running(settings: Settings, fresh: Settings, streams: int) -> Iterator[None]:
    """Streams that `questlog up --streams` keeps running, and the API of the same namespace, while the block runs."""
    try:
        local.up(fresh, streams=streams, console=QUIET)
        yield
    finally:
        local.up(settings, streams=0, console=QUIET)


def states(settings: Settings) -> dict[str, str]:
    return {server.name: server.state for server in local.status(settings) if server.name in NAMES}


@pytest.mark.timeout(2400)
def test_streams_of_the_stack_are_started_again_whoever_is_killed_and_land_their_batch_when_told_to_end(
    settings: Settings, fresh: Settings, send: Send
) -> None:
    with kept_running(settings, fresh, streams=2):
        for number, victim in enumerate(("python", "java", "")):
            send(f"event-{number}")
            eventually(lambda number=number: is_there(fresh, f"event-{number}"), deadline=SPARK_DEADLINE)
            driver = psutil.Process(holder(fresh))
            victims = [each for each in (driver, *driver.children()) if victim and each.name().startswith(victim)]
            assert bool(victims) == bool(victim)
            for process in victims:
                process.kill()
        eventually(lambda: states(fresh) == dict.fromkeys(NAMES, RUNNING), "both run again", deadline=SPARK_DEADLINE)
        local.up(fresh, console=QUIET)
        assert [*states(fresh)] == [*NAMES]
        local.up(fresh, streams=0, console=QUIET)
        assert states(fresh) == {}

    with open_writer(fresh, "test", wait=0):
        assert pipeline.ledger(fresh).balances
    told = pipeline.query(fresh, "stream_progress")
    assert told["records"].sum() >= 1
    assert (told["seconds"] > 0).all()


def test_a_refused_stream_is_not_started_again_and_its_log_says_why(
    settings: Settings, fresh: Settings, send: Send
) -> None:
    send("a")
    pipeline.stream(fresh)
    Hdfs(fresh).delete(fresh.checkpoint)
    name = NAMES[0]

    with streaming(fresh) as stream:
        assert stream.process.wait(SPARK_DEADLINE) == REFUSED
        assert "is gone: every event of the topic would land a second time" in stream.words
    with suppress(ServiceDied), kept_running(settings, fresh, streams=1):  # `up` may see it end
        eventually(lambda: states(fresh) == {name: DEAD}, deadline=SPARK_DEADLINE)
    said = local.logs(fresh, name)

    assert said.count("StreamRefused: ") == 1
    assert "is gone: every event of the topic would land a second time" in said

"""The supervisor starts its child again when it dies, with longer and longer pauses, and ends with it otherwise.

The first tests have a child that is a few lines of Python, the last ones the stream itself.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import kafka_shaped as shaped
import psutil
import pytest

from questlog import pipeline
from questlog.cli.stream import WAITS
from questlog.errors import LeaseHeld, QueryError
from questlog.lake import layout
from questlog.lake.hdfs import Hdfs
from questlog.lake.lease import WriterLease
from questlog.lake.writer import open_writer
from questlog.settings import Settings
from questlog.stream import supervision
from questlog.stream.child import Command, hold
from questlog.stream.supervision import REFUSED, Restart, supervise
from questlog.transport.producer import Publisher
from waiting import eventually

DEADLINE = 60.0
SPARK_DEADLINE = 600.0  # seconds in which Spark is up and has landed, on a machine on which everything else runs too


@pytest.fixture
def quick(tmp_path: Path) -> Settings:
    return Settings.load(data_dir=tmp_path, restart_pause=0.01, restart_longest_pause=0.02)


def python(code: str, *arguments: object) -> Command:
    def command(lifeline: int) -> Sequence[str]:
        return [sys.executable, "-c", code, str(lifeline), *map(str, arguments)]

    return command


def times(path: Path, last: str) -> str:
    """A program that dies until it has run three times, and then does the last thing."""
    return f"""
import os, pathlib, signal, sys
runs = pathlib.Path({str(path)!r})
runs.write_text((runs.read_text() if runs.exists() else "") + (os.environ["QUESTLOG_FAULT_POINT"] or "-"))
if len(runs.read_text()) < 3:
    print("QueryError: Presto is away", file=sys.stderr)
    sys.exit(1)
{last}
"""


def test_a_stream_that_dies_is_started_again_and_its_last_words_are_the_reason(quick: Settings, tmp_path: Path) -> None:
    restarts: list[Restart] = []

    status = supervise(quick, python(times(tmp_path / "runs", "")), on_restart=restarts.append)

    assert status == 0
    assert [restart.reason for restart in restarts] == ["QueryError: Presto is away"] * 2
    assert [restart.pause for restart in restarts] == [0.01, 0.02]
    assert [restart.deaths for restart in restarts] == [1, 2]


def test_a_restart_is_a_line_of_the_log(quick: Settings, tmp_path: Path) -> None:
    supervise(quick, python(times(tmp_path / "runs", "")), on_restart=str)

    _, first, _ = map(json.loads, supervision.log_path(quick).read_text().splitlines())
    assert (first["event"], first["reason"]) == ("restart", "QueryError: Presto is away")


def test_a_stream_that_was_killed_is_started_again(quick: Settings, tmp_path: Path) -> None:
    restarts: list[Restart] = []
    code = times(tmp_path / "runs", "").replace("sys.exit(1)", "os.kill(os.getpid(), signal.SIGKILL)")

    supervise(quick, python(code), on_restart=restarts.append)

    assert [restart.reason for restart in restarts] == [f"killed by signal {int(signal.SIGKILL)}"] * 2


def test_a_stream_that_is_refused_is_not_started_again(quick: Settings) -> None:
    restarts: list[Restart] = []

    assert supervise(quick, python(f"raise SystemExit({REFUSED})"), on_restart=restarts.append) == REFUSED
    assert restarts == []


def test_a_fault_strikes_the_first_child_alone(quick: Settings, tmp_path: Path) -> None:
    faulty = quick.in_namespace(quick.namespace, fault_point="x")

    supervise(faulty, python(times(tmp_path / "runs", "")), on_restart=str)

    assert (tmp_path / "runs").read_text() == "x--"


@pytest.mark.parametrize(("deaths", "seconds"), [(1, 1), (2, 2), (4, 8), (5, 15), (10_000, 15)])
def test_the_pause_doubles_up_to_its_limit(deaths: int, seconds: float) -> None:
    assert supervision.pause(Settings.load(), deaths) == seconds


def test_told_to_stop_it_gives_its_child_the_time_to_end(quick: Settings, tmp_path: Path) -> None:
    begun, ended, stop = tmp_path / "begun", tmp_path / "ended", threading.Event()
    code = """
import pathlib, signal, sys
begun, ended = map(pathlib.Path, sys.argv[2:])
signal.signal(signal.SIGTERM, lambda *_: (ended.touch(), sys.exit(0)))
begun.touch()
signal.pause()
"""
    status: list[int] = []
    supervisor = threading.Thread(
        target=lambda: status.append(supervise(quick, python(code, begun, ended), on_restart=str, stop=stop))
    )
    supervisor.start()
    eventually(begun.exists, deadline=DEADLINE)
    stop.set()
    supervisor.join()

    assert status == [0]
    assert ended.exists()


def test_told_to_stop_while_its_child_only_starts_it_ends_well(quick: Settings, tmp_path: Path) -> None:
    begun, stop = tmp_path / "begun", threading.Event()
    code = "import pathlib, signal, sys; pathlib.Path(sys.argv[2]).touch(); signal.pause()"
    status: list[int] = []
    supervisor = threading.Thread(
        target=lambda: status.append(supervise(quick, python(code, begun), on_restart=str, stop=stop))
    )
    supervisor.start()
    eventually(begun.exists, deadline=DEADLINE)
    stop.set()
    supervisor.join()

    assert status == [0]


STREAM = """
import fcntl, os, pathlib, signal, sys, threading, time
from questlog.stream import child

lifeline, notes = int(sys.argv[1]), pathlib.Path(sys.argv[2])
told = threading.Event()
child.hold(lifeline, told)
signal.signal(signal.SIGTERM, lambda *_: told.set())
lease = notes.with_suffix(".lease").open("w")

def acquires():
    try:
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

def note(what):
    with notes.open("a") as file:
        file.write(f"{what} {os.getpid()}\\n")

def noted(what):
    return notes.read_text().count(what) if notes.exists() else 0

def wait_for(condition):
    while not condition() and not told.wait(0.01):
        pass

is_first = acquires()
note("writes" if is_first else "waits")
"""
TAKES_OVER = """
if not is_first:
    wait_for(acquires)
    note("left" if told.is_set() else "takes over")
"""
LANDS_ITS_BATCH = """
if is_first:
    told.wait()
    while not noted("left"):
        time.sleep(0.01)
"""
DIES_WITH_A_STANDBY = """
if is_first:
    wait_for(lambda: noted("waits"))
    sys.exit("Kafka is away")
"""


def noted(path: Path) -> list[tuple[str, str]]:
    """What each child wrote, and its process."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [(what, pid) for what, _, pid in (line.rpartition(" ") for line in lines)]


def processes(path: Path, what: str) -> list[str]:
    """The processes that wrote this."""
    return [pid for wrote, pid in noted(path) if wrote == what]


def with_standby(settings: Settings, after: float) -> Settings:
    return settings.in_namespace(settings.namespace, standby_after=after)


def test_a_standby_takes_the_place_of_a_stream_that_dies(quick: Settings, tmp_path: Path) -> None:
    restarts: list[Restart] = []
    notes = tmp_path / "notes"
    command = python(STREAM + DIES_WITH_A_STANDBY + TAKES_OVER, notes)

    assert supervise(with_standby(quick, 0.01), command, on_restart=restarts.append) == 0

    assert [restart.reason for restart in restarts] == ["Kafka is away"]
    assert processes(notes, "takes over") == processes(notes, "waits")[:1]
    assert processes(notes, "writes") != processes(notes, "takes over")


def test_a_standby_that_is_not_needed_ends_with_the_stream(quick: Settings, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    code = STREAM + DIES_WITH_A_STANDBY.replace('sys.exit("Kafka is away")', "os._exit(0)")

    assert supervise(with_standby(quick, 0.01), python(code + TAKES_OVER, notes), on_restart=str) == 0

    [standby] = processes(notes, "waits")
    assert not psutil.pid_exists(int(standby))


def test_a_standby_that_has_died_is_replaced(quick: Settings, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    dies = 'if not is_first and noted("waits") < 2: os.kill(os.getpid(), signal.SIGKILL)'
    code = STREAM + dies + DIES_WITH_A_STANDBY.replace('noted("waits")', 'noted("waits") == 2') + TAKES_OVER
    restarts: list[Restart] = []

    assert supervise(with_standby(quick, 0.01), python(code, notes), on_restart=restarts.append) == 0

    first, second = processes(notes, "waits")[:2]
    assert first != second
    assert processes(notes, "takes over") == [second]
    assert [restart.reason for restart in restarts] == [f"killed by signal {int(signal.SIGKILL)}", "Kafka is away"]


def test_without_a_standby_another_stream_is_started_when_it_is_needed(quick: Settings, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    code = STREAM + 'if noted("writes") == 1: sys.exit("Kafka is away")'

    assert supervise(with_standby(quick, 0), python(code, notes), on_restart=str) == 0

    assert [what for what, _ in noted(notes)] == ["writes"] * 2


def test_told_to_stop_it_ends_both_and_the_standby_does_not_take_over(quick: Settings, tmp_path: Path) -> None:
    notes, stop, status = tmp_path / "notes", threading.Event(), list[int]()
    command = python(STREAM + LANDS_ITS_BATCH + TAKES_OVER, notes)
    supervisor = threading.Thread(
        target=lambda: status.append(supervise(with_standby(quick, 0.01), command, on_restart=str, stop=stop))
    )
    supervisor.start()
    eventually(lambda: len(noted(notes)) == 2, deadline=DEADLINE)
    stop.set()
    supervisor.join()

    assert status == [0]
    assert sorted(what for what, _ in noted(notes)) == ["left", "waits", "writes"]


def test_the_log_tells_whether_a_standby_is_ready(quick: Settings) -> None:
    asked: list[bool] = []
    supervision.log_ready(quick)
    asked.append(supervision.is_standing_by(quick))

    supervise(quick, python("import sys; sys.exit(0)"), on_restart=str)
    asked.append(supervision.is_standing_by(quick))

    assert asked == [True, False]
    assert supervision.restarts(quick) == []


def test_the_child_is_told_when_its_supervisor_dies() -> None:
    reading, writing = os.pipe()
    told = threading.Event()
    hold(reading, told)
    assert not told.is_set()

    os.close(writing)

    assert told.wait(DEADLINE)
    os.close(reading)


@dataclass
class Running:
    """`questlog stream` as its user starts it, and what it says on stderr."""

    process: psutil.Popen
    stderr: Path

    @property
    def words(self) -> str:
        return self.stderr.read_text()

    def end(self) -> int:
        """Tell it to end; its exit status."""
        self.process.terminate()
        return int(self.process.wait(SPARK_DEADLINE))


@contextmanager
def streaming(settings: Settings, *options: str) -> Iterator[Running]:
    """A stream while the block runs; whatever is left of it in the end is killed."""
    command = [sys.executable, "-m", "questlog", "stream", "--trigger", "0", *options]
    with (
        tempfile.NamedTemporaryFile() as stderr,
        psutil.Popen(command, env=settings.environment(), stderr=stderr, stdout=subprocess.DEVNULL) as parent,
    ):
        try:
            yield Running(parent, Path(stderr.name))
        finally:
            kill((*family(parent), parent))


def kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def test_a_stream_that_nobody_hears_lands_all_the_same(fresh: Settings, send: Callable[[str], None]) -> None:
    send("a")
    command = [sys.executable, "-m", "questlog", "stream", "--available-now", "--max-offsets", "1"]
    with psutil.Popen(command, env=fresh.environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as stream:
        stream.stderr.close()
        assert stream.wait(SPARK_DEADLINE) == 0

    assert is_there(fresh, "a")


@pytest.fixture
def send(publisher: Publisher) -> Callable[[str], None]:
    return lambda event_id: publisher.publish([shaped.purchase(event_id)])


def family(parent: psutil.Process) -> list[psutil.Process]:
    """The driver, and its JVM, once they run."""
    try:
        return list(parent.children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def has_ended(process: psutil.Process) -> bool:
    """Also one that nobody has asked how it ended, because its parent is gone."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def holder(settings: Settings) -> int:
    """The process that holds the writer lease."""
    with pytest.raises(LeaseHeld, match=r"is held by questlog stream, process \d+ on ") as held:
        WriterLease(settings, Hdfs(settings), "test").acquire(wait=0)
    [pid] = re.findall(r"process (\d+) on", str(held.value))
    return int(pid)


def is_there(settings: Settings, event_id: str) -> bool:
    try:
        found = pipeline.sql(settings, f"SELECT count(*) AS n FROM events WHERE event_id = '{event_id}'")
    except QueryError:  # before the stream has made the tables
        return False
    return bool(found["n"][0] == 1)


@pytest.mark.timeout(2400)
def test_the_stream_goes_on_whoever_of_its_processes_is_killed_and_ends_when_told(
    fresh: Settings, send: Callable[[str], None]
) -> None:
    with streaming(with_standby(fresh, 0)) as stream:
        for number, victim in enumerate(("python", "java", "nobody")):
            send(f"event-{number}")
            eventually(lambda number=number: is_there(fresh, f"event-{number}"), deadline=SPARK_DEADLINE)
            kill([process for process in family(stream.process) if process.name().startswith(victim)][:1])
        members = family(stream.process)
        assert stream.end() == 0
        assert stream.words.count("it is started again") == 2

    eventually(lambda: all(map(has_ended, members)), deadline=DEADLINE)
    assert pipeline.ledger(fresh).balances
    told = pipeline.query(fresh, "stream_progress")
    assert told["records"].sum() >= 1
    assert (told["seconds"] > 0).all()


@pytest.mark.timeout(1200)
def test_a_standby_takes_over_where_the_killed_stream_was(fresh: Settings, send: Callable[[str], None]) -> None:
    soon = with_standby(fresh, 0.1)
    for number in range(5):
        send(f"before-{number}")
    with streaming(soon) as stream:
        eventually(lambda: is_there(fresh, "before-4"), deadline=SPARK_DEADLINE)
        eventually(lambda: supervision.is_standing_by(soon), deadline=SPARK_DEADLINE)
        writes = holder(soon)
        [driver] = [child for child in stream.process.children() if child.pid == writes]
        [standby] = [child for child in stream.process.children() if child.pid != writes]
        driver.kill()
        send("before-4")  # a duplicate: the standby's dedup index is rebuilt from the table
        send("after")
        eventually(lambda: is_there(fresh, "after"), deadline=SPARK_DEADLINE)
        assert holder(soon) == standby.pid
        assert stream.end() == 0
        assert WAITS in stream.words

    ledger = pipeline.ledger(fresh)
    assert ledger.balances
    assert (ledger.total("landed"), ledger.total("duplicates")) == (6, 1)
    assert Hdfs(fresh).entries(layout.attempts(fresh)) == []


@pytest.mark.timeout(1200)
def test_of_two_streams_that_are_started_at_once_one_lands_and_the_other_waits_and_takes_over(
    fresh: Settings, send: Callable[[str], None]
) -> None:
    send("a")
    with streaming(fresh, "--unsupervised") as one, streaming(fresh, "--unsupervised") as other:
        eventually(lambda: is_there(fresh, "a"), deadline=SPARK_DEADLINE)
        writes, waits = (one, other) if holder(fresh) == one.process.pid else (other, one)
        eventually(lambda: WAITS in waits.words, "the other one waits", deadline=SPARK_DEADLINE)
        send("b")
        eventually(lambda: is_there(fresh, "b"), deadline=SPARK_DEADLINE)
        landed_by_the_waiting_one = "landed" in waits.words
        kill((*family(writes.process), writes.process))
        send("c")
        eventually(lambda: is_there(fresh, "c"), "the other one takes over", deadline=SPARK_DEADLINE)
        assert holder(fresh) == waits.process.pid
        assert waits.end() == 0

    assert not landed_by_the_waiting_one
    assert pipeline.sql(fresh, "SELECT count(*) AS n FROM events")["n"][0] == 3
    assert pipeline.ledger(fresh).balances


def test_a_stream_whose_supervisor_is_killed_ends_too_and_gives_its_lease_back(
    fresh: Settings, send: Callable[[str], None]
) -> None:
    send("a")
    with streaming(fresh) as stream:
        eventually(lambda: is_there(fresh, "a"), deadline=SPARK_DEADLINE)
        members = family(stream.process)
        stream.process.kill()

        eventually(lambda: all(map(has_ended, members)), deadline=DEADLINE)
        with open_writer(fresh, "test", wait=0):
            assert pipeline.ledger(fresh).balances


def test_a_refused_stream_is_not_started_again(fresh: Settings, send: Callable[[str], None]) -> None:
    send("a")
    pipeline.stream(fresh)
    Hdfs(fresh).delete(fresh.checkpoint)

    with streaming(fresh) as stream:
        assert stream.process.wait(SPARK_DEADLINE) == 1

        assert "is gone: every event of the topic would land a second time" in stream.words
        assert "started again" not in stream.words

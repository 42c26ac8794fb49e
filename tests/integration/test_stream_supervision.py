"""The supervisor starts its child again when it dies, with longer and longer pauses, and ends with it otherwise.

The first tests have a child that is a few lines of Python, the last ones the stream itself.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import kafka_shaped as shaped
import psutil
import pytest

from questlog import pipeline
from questlog.catalog import files
from questlog.errors import QueryError, StreamError
from questlog.settings import Settings
from questlog.stream import supervision
from questlog.stream.alone import alone
from questlog.stream.child import Command, hold
from questlog.stream.rehearsal import FOLDER
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


STANDS_BY = """
import os, pathlib, signal, sys, time
from questlog.stream import child
lifeline, notes = int(sys.argv[1]), pathlib.Path(sys.argv[2])
def note(what):
    with notes.open("a") as file:
        file.write(f"{what} {os.getpid()}\\n")
is_first = child.has_turn(lifeline)
note("began" if is_first else "stands by")
note("has its turn" if child.await_turn(lifeline) else "left")
"""
DIES_WITH_A_STANDBY = """
if is_first:
    while "stands by" not in notes.read_text():
        time.sleep(0.01)
    sys.exit("Kafka is away")
"""


def noted(path: Path) -> list[tuple[str, str]]:
    """What each child wrote, and its process."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [(what, pid) for what, _, pid in (line.rpartition(" ") for line in lines)]


def with_standby(settings: Settings, after: float) -> Settings:
    return settings.in_namespace(settings.namespace, standby_after=after)


def test_a_standby_takes_the_place_of_a_stream_that_dies(quick: Settings, tmp_path: Path) -> None:
    restarts: list[Restart] = []
    command = python(STANDS_BY + DIES_WITH_A_STANDBY, tmp_path / "notes")

    assert supervise(with_standby(quick, 0.01), command, on_restart=restarts.append) == 0

    (first, one), (_, _), *others = noted(tmp_path / "notes")
    assert [restart.reason for restart in restarts] == ["Kafka is away"]
    assert first == "began"
    assert [pid for what, pid in others if what == "has its turn"] == [
        pid for what, pid in noted(tmp_path / "notes") if what == "stands by"
    ][:1]
    assert one not in {pid for _, pid in others}


def test_a_standby_whose_turn_never_comes_ends_with_the_supervisor(quick: Settings, tmp_path: Path) -> None:
    code = STANDS_BY + DIES_WITH_A_STANDBY.replace('sys.exit("Kafka is away")', "sys.exit()")

    assert supervise(with_standby(quick, 0.01), python(code, tmp_path / "notes"), on_restart=str) == 0

    (what, pid), *_ = reversed(noted(tmp_path / "notes"))
    assert what == "left"
    assert not psutil.pid_exists(int(pid))


def test_a_standby_that_has_died_is_replaced(quick: Settings, tmp_path: Path) -> None:
    dies = "if not is_first and noted() < 2: os.kill(os.getpid(), signal.SIGKILL)"
    code = STANDS_BY.replace('note("has', f'noted = lambda: notes.read_text().count("stands by")\n{dies}\nnote("has')
    code += DIES_WITH_A_STANDBY.replace('"stands by" not in notes.read_text()', "noted() < 2")

    assert supervise(with_standby(quick, 0.01), python(code, tmp_path / "notes"), on_restart=str) == 0

    stood_by = [pid for what, pid in noted(tmp_path / "notes") if what == "stands by"]
    turns = [pid for what, pid in noted(tmp_path / "notes") if what == "has its turn"]
    assert len(set(stood_by)) == 2
    assert turns[-1] == stood_by[1]


def test_without_a_standby_another_is_started_when_it_is_needed(quick: Settings, tmp_path: Path) -> None:
    code = STANDS_BY + 'if len(notes.read_text().splitlines()) < 4: sys.exit("Kafka is away")'

    assert supervise(with_standby(quick, 0), python(code, tmp_path / "notes"), on_restart=str) == 0

    assert [what for what, _ in noted(tmp_path / "notes")] == ["began", "has its turn"] * 2


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


@contextmanager
def streaming(settings: Settings, *options: str) -> Iterator[psutil.Popen]:
    """`questlog stream` as its user starts it; whatever is left of it in the end is killed."""
    command = [sys.executable, "-m", "questlog", "stream", "--trigger", "0", *options]
    with psutil.Popen(command, env=settings.environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as parent:
        try:
            yield parent
        finally:
            for process in (*family(parent), parent):
                with suppress(psutil.NoSuchProcess):
                    process.kill()


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
    with streaming(with_standby(fresh, 0)) as parent:
        for number, victim in enumerate(("python", "java", "nobody")):
            send(f"event-{number}")
            eventually(lambda number=number: is_there(fresh, f"event-{number}"), deadline=SPARK_DEADLINE)
            for process in family(parent):
                if process.name().startswith(victim):
                    process.kill()
                    break
        processes = family(parent)
        parent.terminate()
        _, words = parent.communicate()

    assert parent.returncode == 0
    assert words.decode().count("it is started again") == 2
    eventually(lambda: all(map(has_ended, processes)), deadline=DEADLINE)
    assert pipeline.ledger(fresh).balances
    told = pipeline.query(fresh, "stream_progress")
    assert told["records"].sum() >= 1
    assert (told["seconds"] > 0).all()


@pytest.mark.timeout(1200)
def test_a_standby_goes_on_where_the_killed_stream_was_and_leaves_nothing_of_its_rehearsal(
    fresh: Settings, send: Callable[[str], None]
) -> None:
    soon = with_standby(fresh, 0.1)
    for number in range(5):
        send(f"before-{number}")
    with streaming(soon) as parent:
        eventually(lambda: is_there(fresh, "before-4"), deadline=SPARK_DEADLINE)
        eventually(lambda: supervision.is_standing_by(soon), deadline=SPARK_DEADLINE)
        driver, standby = sorted(parent.children(), key=lambda child: child.create_time())
        driver.kill()
        send("after")
        eventually(lambda: is_there(fresh, "after"), deadline=SPARK_DEADLINE)
        its_place = standby.is_running()
        # The next one rehearses already; cut in the middle, it would leave its folder to the one after it.
        eventually(lambda: supervision.is_standing_by(soon), deadline=SPARK_DEADLINE)
        parent.terminate()
        _, words = parent.communicate()

    assert parent.returncode == 0
    assert its_place
    assert words.decode().count("A standby is ready") >= 1
    assert pipeline.ledger(fresh).balances
    assert pipeline.sql(fresh, "SELECT count(*) AS n FROM events")["n"][0] == 6
    hdfs = files.filesystem(fresh)
    assert not hdfs.exists(f"{fresh.staging}/{FOLDER}") or hdfs.ls(f"{fresh.staging}/{FOLDER}") == []


def test_a_stream_whose_supervisor_is_killed_ends_too(fresh: Settings, send: Callable[[str], None]) -> None:
    send("a")
    with streaming(fresh) as parent:
        eventually(lambda: is_there(fresh, "a"), deadline=SPARK_DEADLINE)
        processes = family(parent)
        parent.kill()

        eventually(lambda: all(map(has_ended, processes)), deadline=DEADLINE)
        with alone(fresh, patience=DEADLINE):
            assert pipeline.ledger(fresh).balances


def test_a_refused_stream_is_not_started_again(fresh: Settings, send: Callable[[str], None]) -> None:
    send("a")
    pipeline.stream(fresh)
    files.delete(files.filesystem(fresh), fresh.checkpoint)

    with streaming(fresh) as parent:
        _, words = parent.communicate()

    assert parent.returncode == 1
    assert "is gone: every event of the topic would land a second time" in words.decode()
    assert "started again" not in words.decode()


def test_a_second_stream_says_that_there_is_one(fresh: Settings) -> None:
    second = alone(fresh, patience=0)

    with alone(fresh), pytest.raises(StreamError, match=f"another stream of namespace {fresh.namespace} runs"):
        second.__enter__()

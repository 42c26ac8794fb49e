"""What a chapter does to a running stream: Spark's own sink is killed in mid batch; ours is killed, or paused."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from questlog import pipeline
from questlog.book import file_sink
from questlog.catalog.quoting import identifier, literal, table
from questlog.errors import BookError, LakeError, LeaseLost
from questlog.lake import lease
from questlog.lake.hdfs import Hdfs
from questlog.lake.writer import open_writer
from questlog.settings import Settings
from questlog.stream.session import session

SINK_TABLE = "plain_file_sink"
TRIES = 5  # the sink's commit may have come first
DEADLINE = 180.0  # seconds for Spark to start and to do its work
POLL_INTERVAL = 0.01  # seconds between two looks
SHOWN = 2000  # characters of what a process said on its way down


@dataclass(frozen=True)
class Counted:
    """What readers count of a sink's files: rows and events that Presto sees, and rows that Spark's own reader sees."""

    rows: int
    events: int
    by_spark: int

    @property
    def duplicates(self) -> int:
        """Rows too many in Presto."""
        return self.rows - self.events

    def __str__(self) -> str:
        return f"Presto counts {self.rows:,} rows of {self.events:,} events, Spark {self.by_spark:,} rows"


def kill_the_file_sink(settings: Settings) -> Counted:
    """Kill Spark's file sink between a file's end and the batch's commit, run it again to its end, and count.

    The files lie in a folder of their own below staging, over which a table is laid for Presto while it counts.

    Raises:
        BookError: the sink ended by itself, or had committed before it could be killed, `TRIES` times.
        QueryError: Presto refused.
    """
    hdfs = Hdfs(settings)
    for _ in range(TRIES):
        for path in (file_sink.folder(settings), file_sink.checkpoint(settings)):
            hdfs.delete(path)
        if _killed_before_its_commit(settings, hdfs):
            _run_to_its_end(settings)
            return _counted(settings)
    raise BookError(f"the file sink had committed each time before it was killed: tried {TRIES} times")


@contextmanager
def laid_over(settings: Settings) -> Iterator[str]:
    """A table over the sink's files, while the block runs; gives its name as SQL writes it."""
    name, place = table(settings, SINK_TABLE), literal(settings.hdfs_url + file_sink.folder(settings))
    column = f"{identifier(file_sink.COLUMN)} varchar"
    pipeline.sql(settings, f"CREATE TABLE {name} ({column}) WITH (external_location = {place}, format = 'PARQUET')")
    try:
        yield name
    finally:
        pipeline.sql(settings, f"DROP TABLE {name}")


def _counted(settings: Settings) -> Counted:
    with laid_over(settings) as name:
        seen = pipeline.sql(settings, f"SELECT count(*) AS n, count(DISTINCT event_id) AS events FROM {name}")
    spark = session(settings, pipeline.place(settings))
    by_spark = spark.read.parquet(settings.hdfs_url + file_sink.folder(settings)).count()
    return Counted(int(seen["n"][0]), int(seen["events"][0]), by_spark)


def _killed_before_its_commit(settings: Settings, hdfs: Hdfs) -> bool:
    """Start the sink on one core, so that its tasks come one after the other, and kill it once the first has ended."""
    alone = settings.in_namespace(settings.namespace, spark_master="local[1]")
    with _sink(alone) as child:
        deadline = time.monotonic() + DEADLINE
        while not _has_whole_file(hdfs, file_sink.folder(settings)):
            if child.poll() is not None or time.monotonic() > deadline:
                raise BookError(f"the file sink wrote nothing before it ended or {DEADLINE:.0f} s were over")
            time.sleep(POLL_INTERVAL)
        _kill(child)
    return not hdfs.exists(f"{file_sink.folder(settings)}/_spark_metadata/0")


def _run_to_its_end(settings: Settings) -> None:
    with _sink(settings) as child:
        _, words = child.communicate(timeout=DEADLINE)
    if child.returncode:
        raise BookError(f"the file sink ended with {child.returncode}: {words.decode()[-SHOWN:]}")


@contextmanager
def _sink(settings: Settings) -> Iterator[psutil.Popen]:
    command = [sys.executable, "-m", file_sink.__name__]
    with psutil.Popen(command, env=settings.environment(), stderr=subprocess.PIPE) as child:
        try:
            yield child
        finally:
            _kill(child)


def _has_whole_file(hdfs: Hdfs, folder: str) -> bool:
    return any(entry.bytes for entry in hdfs.files(folder))


def _kill(child: psutil.Popen) -> None:
    """The driver and its JVM at once."""
    with suppress(psutil.NoSuchProcess):
        for process in (*child.children(recursive=True), child):
            process.kill()


def taken_over(settings: Settings, fault: str) -> tuple[int, int]:
    """Run two streams of a namespace, kill the one that holds the writer lease, and have the other land what there is.

    Gives the exit status of the one that was killed, at the fault point `fault`, and that of the one that took over and
    was stopped by SIGTERM once all was accounted for; a negative one is a signal.

    Raises:
        BookError: not all was accounted for within `DEADLINE` seconds, or the streams ended in another way.
    """
    with tempfile.TemporaryDirectory() as folder:
        armed = Path(folder) / "point"
        armed.write_text(fault)  # taken out at the kill: of the two, it meets the first that has the lease
        doomed = settings.in_namespace(settings.namespace, fault_point=f"@{armed}")
        with _stream(doomed) as one, _stream(doomed) as other:
            _wait_until(lambda: not armed.exists() and _is_accounted_for(settings))
            killed, standby = (one, other) if one.poll() is not None else (other, one)
            standby.send_signal(signal.SIGTERM)
            _, words = standby.communicate(timeout=DEADLINE)
    if killed.returncode != -signal.SIGKILL or standby.returncode:
        raise BookError(f"the streams ended with {killed.returncode} and {standby.returncode}: {words[-SHOWN:]}")
    return killed.returncode, standby.returncode


@contextmanager
def _stream(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """A stream, which is killed if the block ends before it."""
    command, pipe = [sys.executable, "-m", "questlog", "stream"], subprocess.PIPE
    environment = settings.environment()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=pipe, text=True) as stream:
        try:
            yield stream
        finally:
            stream.kill()


def paused_too_long(settings: Settings) -> str:
    """Pause a stream until another process has taken its writer lease over, let it go on, and give its last words.

    Raises:
        BookError: it did not get the lease within `DEADLINE` seconds, or did not end because it had lost it.
        LakeError: HDFS refused or is not reachable.
    """
    with _stream(settings) as stream:
        _wait_until(lambda: _holds_the_lease(settings, stream.pid))
        stream.send_signal(signal.SIGSTOP)
        with open_writer(settings, "experiment"):  # waits until the lease has expired
            stream.send_signal(signal.SIGCONT)
            _, words = stream.communicate(timeout=DEADLINE)
    told = [line for line in words.splitlines() if line.startswith(LeaseLost.__name__)]
    if not told:
        raise BookError(f"the stream ended with {stream.returncode}, and lost no lease: {words[-SHOWN:]}")
    return told[-1]


def _holds_the_lease(settings: Settings, pid: int) -> bool:
    with suppress(LakeError):  # renamed between two questions
        holder = lease.holder(settings, Hdfs(settings))
        return holder is not None and holder.pid == pid
    return False


def _is_accounted_for(settings: Settings) -> bool:
    """The ledger balances, and the batch audit, which comes last, has it all."""
    ledger, audit = pipeline.ledger(settings), pipeline.query(settings, "batch_audit")
    return ledger.balances and ledger.total("landed") == int(audit["landed"].sum())


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            raise BookError(f"the stream was not as far as it had to be within {DEADLINE:.0f} s")
        time.sleep(1)

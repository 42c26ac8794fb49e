"""What a chapter does to a running stream: Spark's own sink is killed in mid batch; ours is killed, or paused."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil

from questlog import pipeline
from questlog.book import file_sink
from questlog.catalog.quoting import identifier, literal, table
from questlog.errors import BookError, LakeError, LeaseLost
from questlog.lake.hdfs import Hdfs
from questlog.lake.lease import HOLDER
from questlog.lake.writer import open_writer
from questlog.settings import Settings
from questlog.stream import supervision
from questlog.stream.session import session
from questlog.stream.supervision import Restart

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


def supervised(settings: Settings, fault: str) -> list[Restart]:
    """Run `questlog stream` with a fault that kills its driver, until all is accounted for; then end it by SIGTERM.

    Gives the restarts that its supervisor made.

    Raises:
        BookError: not all was accounted for within `DEADLINE` seconds, or the stream did not end well.
    """
    before = len(supervision.restarts(settings))
    doomed = settings.in_namespace(settings.namespace, fault_point=fault)
    command, pipe = [sys.executable, "-m", "questlog", "stream"], subprocess.PIPE
    with subprocess.Popen(command, env=doomed.environment(), stdout=subprocess.DEVNULL, stderr=pipe) as parent:
        try:
            _wait_until(lambda: len(supervision.restarts(settings)) > before and _is_accounted_for(settings))
            parent.send_signal(signal.SIGTERM)
            _, words = parent.communicate(timeout=DEADLINE)
        finally:
            parent.kill()
    if parent.returncode:
        raise BookError(f"the stream ended with {parent.returncode}: {words.decode()[-SHOWN:]}")
    return supervision.restarts(settings)[before:]


def paused_too_long(settings: Settings) -> str:
    """Pause a stream until another process has taken its writer lease over, let it go on, and give its last words.

    Raises:
        BookError: it did not get the lease within `DEADLINE` seconds, or did not end because it had lost it.
        LakeError: HDFS refused or is not reachable.
    """
    command, pipe = [sys.executable, "-m", "questlog", "stream", "--unsupervised"], subprocess.PIPE
    environment = settings.environment()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=pipe, text=True) as stream:
        try:
            _wait_until(lambda: _holds_the_lease(settings, stream.pid))
            stream.send_signal(signal.SIGSTOP)
            with open_writer(settings, "experiment"):  # waits until the lease has expired
                stream.send_signal(signal.SIGCONT)
                _, words = stream.communicate(timeout=DEADLINE)
        finally:
            stream.kill()
    told = [line for line in words.splitlines() if line.startswith(LeaseLost.__name__)]
    if not told:
        raise BookError(f"the stream ended with {stream.returncode}, and lost no lease: {words[-SHOWN:]}")
    return told[-1]


def _holds_the_lease(settings: Settings, pid: int) -> bool:
    hdfs = Hdfs(settings)
    with suppress(LakeError, ValueError):  # renamed between two questions, or not whole yet
        holders = [f"{folder}/{HOLDER}" for folder in hdfs.folders(settings.staging)]
        return any(json.loads(hdfs.read(path))["pid"] == pid for path in holders if hdfs.exists(path))
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

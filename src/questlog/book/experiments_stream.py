"""What a chapter does to a running stream: Spark's own sink is killed in mid batch, ours under supervision."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil
from fsspec.implementations.webhdfs import WebHDFS

from questlog import pipeline
from questlog.book import file_sink
from questlog.catalog import files
from questlog.catalog.quoting import identifier, literal, table
from questlog.errors import BookError
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
    def repeats(self) -> int:
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
    hdfs = files.filesystem(settings)
    for _ in range(TRIES):
        for path in (file_sink.folder(settings), file_sink.checkpoint(settings)):
            files.delete(hdfs, path)
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


def _killed_before_its_commit(settings: Settings, hdfs: WebHDFS) -> bool:
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


def _has_whole_file(hdfs: WebHDFS, folder: str) -> bool:
    with suppress(FileNotFoundError):
        return any(entry["size"] for entry in hdfs.ls(folder, detail=True) if entry["type"] == "file")
    return False


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


def _is_accounted_for(settings: Settings) -> bool:
    """The ledger balances, and the stream's own account, which comes last, has it all."""
    ledger, account = pipeline.ledger(settings), pipeline.query(settings, "ledger_account")
    return ledger.balances and ledger.total("landed") == int(account["landed"].sum())


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            raise BookError(f"the stream had not landed all within {DEADLINE:.0f} s")
        time.sleep(1)

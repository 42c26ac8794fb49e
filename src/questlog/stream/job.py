"""The streaming job: reads the topic, chains the transforms, lands each micro-batch, and is watched until it ends."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from questlog.errors import QuestlogError, StreamError, StreamRefused
from questlog.events import CATALOGUE, Catalogue
from questlog.lake.writer import Writer
from questlog.settings import EVENTS_TABLE, Settings
from questlog.stream import checkpoint, dedup, source, transforms
from questlog.stream.admin import bounds
from questlog.stream.audit import total
from questlog.stream.progress import Progress, row
from questlog.stream.sink import Sink, Staging
from questlog.stream.timings import Timings

QUERY_ID = "sql.streaming.queryId"
LOOK_SECONDS = 0.05
COMMIT_SECONDS = 10.0
CAUSE_LINES = 3
WARM_UP_RECORDS, WARM_UP_RUNS = 20, 3
"""Records of each of the topic's partitions, and how often: Java compiles a method that has run some times."""


@dataclass(frozen=True)
class Batch:
    """What became of one micro-batch: rows by outcome, and the seconds it took to land them."""

    batch: int
    landed: int
    filtered: int
    rejected: int
    duplicates: int
    seconds: float

    def __str__(self) -> str:
        counts = ", ".join(f"{getattr(self, outcome):,} {outcome}" for outcome in transforms.OUTCOMES)
        return f"batch {self.batch}: {counts} in {self.seconds:.2f} s"


@dataclass(frozen=True)
class Summary:
    """What a run did: its micro-batches, their rows by outcome, and the seconds from the query's start to its end."""

    batches: int
    landed: int
    filtered: int
    rejected: int
    duplicates: int
    seconds: float


OnProgress = Callable[[Batch], object]
NOTHING = Summary(0, 0, 0, 0, 0, 0.0)
"""What a run did that was told to stop before it began."""


class _Stopping(Exception):
    """Turns away a micro-batch that begins after the stream was told to stop."""


def run(
    spark: SparkSession,
    writer: Writer,
    timings: Timings,
    *,
    catalogue: Catalogue = CATALOGUE,
    event_types: Collection[str] | None = None,
    trigger: float | None = None,
    available_now: bool = False,
    max_offsets: int | None = None,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> Summary:
    """Land events from Kafka in HDFS until `stop` is set, or all that is there has landed.

    The batch that is running when it is told to stop is landed first.

    Args:
        spark: the session.
        writer: holds the writer lease.
        timings: one of the writer's observers.
        catalogue: the event types.
        event_types: the types to land; the others are counted as filtered. All, unless given.
        trigger: seconds between micro-batches; 0 or None is as soon as possible.
        available_now: end once all that is in the topic at the start has landed.
        max_offsets: most records in a micro-batch.
        on_progress: is called after each micro-batch.
        stop: ends the run when it is set.

    Raises:
        SettingsError: `event_types` names a type that is not in the catalogue.
        StreamRefused: the checkpoint is not whole, or not that of the topic and the tables; or the dedup index is full.
        StreamError: there is no topic, a server is not reachable, or the stream ended in an error.
    """
    settings = writer.settings
    progress = Progress(writer)
    try:
        source.refuse_missing_topic(spark, settings)
        checkpoint.admit(writer.hdfs, settings, writer.locations, lambda: bounds(spark, settings))
        records = transforms.validated(source.source(spark, settings, max_offsets), event_types, catalogue)
        index = dedup.load(spark, settings, [*writer.locations_of(EVENTS_TABLE).values()], catalogue)
        lander = _Lander(Staging(writer, index, catalogue), timings, on_progress)
        query = _writer(transforms.landing_columns(records, catalogue), settings, trigger, available_now)
        return _watched(query, lander, progress, stop or threading.Event())
    except (Py4JError, ConnectionError) as error:
        first = next(iter(str(error).splitlines()), "")
        raise StreamError(f"the Spark JVM stopped responding ({type(error).__name__}: {first})") from error


def warm_up(spark: SparkSession, settings: Settings, catalogue: Catalogue = CATALOGUE) -> None:
    """Validate the newest records of the topic and drop them, so that a standby's first micro-batch is not its slowest.

    Java reads, checks and compiles a method when it is first used, and Spark's first batch uses some ten thousand of
    them, while events wait. What fails here is of no consequence: the standby then takes over cold.
    """
    try:
        first, end = bounds(spark, settings)
        newest = {n: (max(first[n], end[n] - WARM_UP_RECORDS), end[n]) for n in end if end[n] > first[n]}
        for _ in range(WARM_UP_RUNS if newest else 0):
            records = transforms.validated(source.between(spark, settings, newest), None, catalogue)
            rows = transforms.landing_columns(records, catalogue)
            rows.selectExpr("outcome", *dedup.identity(catalogue, "row.")).toArrow()
    except (QuestlogError, Py4JError, PySparkException):
        return


@dataclass
class _Lander:
    """The function that Spark calls with each micro-batch; remembers what it did, and why it failed."""

    staging: Staging
    timings: Timings
    on_progress: OnProgress | None
    batches: int = 0
    sums: Counter[str] = field(default_factory=Counter)
    last: int | None = None
    untold: dict[int, tuple[dict[str, int], dict[str, float]]] = field(default_factory=dict)
    failure: Exception | None = None
    stopping: bool = False
    stream: str = ""
    """The stream's short name, once a batch has begun."""
    _running: threading.Lock = field(default_factory=threading.Lock)
    _sink: Sink | None = None

    def __call__(self, rows: DataFrame, batch: int) -> None:
        with self._running:
            if self.stopping:
                raise _Stopping
            try:
                self._land(rows, batch)
            except Exception as error:
                self.failure = error
                raise

    def close(self) -> int | None:
        """Wait for the batch that is running, and turn later ones away; the number of the last batch."""
        with self._running:
            self.stopping = True
        return self.last

    def _land(self, rows: DataFrame, batch: int) -> None:
        began = time.monotonic()
        if self._sink is None:
            self.stream = checkpoint.stream_name(str(rows.sparkSession.sparkContext.getLocalProperty(QUERY_ID)))
            self._sink = Sink(self.staging, self.stream)
        counts = self._sink.land(rows, batch)
        sums = {outcome: total(counts, outcome) for outcome in transforms.OUTCOMES}
        self.batches, self.last = self.batches + 1, batch
        self.sums.update(sums)
        self.untold[batch] = sums, self.timings.seconds()
        if self.on_progress:
            self.on_progress(Batch(batch, **sums, seconds=time.monotonic() - began))


def _writer(records: DataFrame, settings: Settings, trigger: float | None, available_now: bool) -> Any:
    writer = records.writeStream.option("checkpointLocation", settings.hdfs_url + settings.checkpoint)
    if available_now:
        return writer.trigger(availableNow=True)
    return writer.trigger(processingTime=f"{round((trigger or 0) * 1000)} milliseconds")


def _watched(writer: Any, lander: _Lander, progress: Progress, told: threading.Event) -> Summary:
    """Start the query, unless it was told to stop before, and watch it until it ends or is told to."""
    began = time.monotonic()
    if told.is_set():
        return NOTHING
    query = writer.foreachBatch(lander).start()
    try:
        while query.isActive and not told.wait(LOOK_SECONDS):
            lander.staging.writer.lease.refuse_if_lost()
            _tell(query, lander, progress)
    finally:
        _finish(query, lander)
        _tell(query, lander, progress)
        progress.flush()
    _raise_failure(query, lander)
    sums = {outcome: lander.sums[outcome] for outcome in transforms.OUTCOMES}
    return Summary(lander.batches, **sums, seconds=time.monotonic() - began)


def _tell(query: StreamingQuery, lander: _Lander, progress: Progress) -> None:
    """Give a row for each batch that Spark has committed since the last look."""
    progress.flush_if_due()
    if not lander.untold or _committed(query) < min(lander.untold):
        return
    for spark in query.recentProgress:
        if counts := lander.untold.pop(int(spark["batchId"]), None):
            progress.add(row(lander.stream, *counts, spark))


def _finish(query: StreamingQuery, lander: _Lander) -> None:
    """Stop the query between two batches: `StreamingQuery.stop` alone would cut the running one."""
    last = lander.close()
    deadline = time.monotonic() + COMMIT_SECONDS
    while query.isActive and last is not None and _committed(query) < last and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    query.stop()


def _committed(query: StreamingQuery) -> int:
    progress = query.lastProgress
    return -1 if progress is None else int(progress["batchId"])


def _raise_failure(query: StreamingQuery, lander: _Lander) -> None:
    if isinstance(lander.failure, StreamRefused):
        raise lander.failure
    if isinstance(lander.failure, QuestlogError):
        raise StreamError(f"the stream stopped: {lander.failure}") from lander.failure
    failure = lander.failure or (None if lander.stopping and not query.exception() else query.exception())
    if failure is None or "_Stopping" in str(failure):
        return
    lines = [line for line in str(failure).splitlines() if line.strip()]
    raise StreamError(f"the stream stopped: {' '.join(lines[:CAUSE_LINES])}") from failure

"""The streaming job: reads the topic, chains the transforms, lands each micro-batch, and is watched until it ends."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from questlog.errors import QuestlogError, StreamError
from questlog.events import CATALOGUE, Catalogue
from questlog.settings import PROGRESS_TABLE, Settings
from questlog.stream import checkpoint, transforms
from questlog.stream.account import total
from questlog.stream.adding import Adding
from questlog.stream.alone import alone
from questlog.stream.bounds import bounds
from questlog.stream.files import Files
from questlog.stream.guide import Guide
from questlog.stream.landing import Announce, Landing
from questlog.stream.memory import Memory
from questlog.stream.phases import DONE, JUDGED, Timed
from questlog.stream.progress import Progress, row
from questlog.stream.session import SparkPlace, session
from questlog.stream.signals import told_by_signals
from questlog.stream.source import refuse_missing_topic, source
from questlog.stream.staging import Staging
from questlog.stream.whereabouts import AskWhereabouts

QUERY_ID = "sql.streaming.queryId"
LOOK_SECONDS = 0.05
COMMIT_SECONDS = 10.0
CAUSE_LINES = 3


@dataclass(frozen=True)
class Batch:
    """What became of one micro-batch: rows by outcome, and the seconds it took to land them."""

    batch: int
    landed: int
    filtered: int
    rejected: int
    repeated: int
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
    repeated: int
    seconds: float


OnProgress = Callable[[Batch], object]


class _Stopping(Exception):
    """Turns away a micro-batch that begins after the stream was told to stop."""


def run(
    settings: Settings,
    place: SparkPlace,
    *,
    announce: Announce,
    whereabouts: AskWhereabouts,
    catalogue: Catalogue = CATALOGUE,
    event_types: Collection[str] | None = None,
    trigger: float | None = None,
    available_now: bool = False,
    max_offsets: int | None = None,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
    keeps_classes: bool = False,
) -> Summary:
    """Land events from Kafka in HDFS until `stop` is set, Ctrl-C or SIGTERM comes, or all that is there has landed.

    The batch that is running when it is told to stop is landed first.

    Args:
        settings: where everything is.
        place: what Spark needs of this machine.
        announce: is called with the partitions, pairs of event type and day, that this run has not touched before.
        whereabouts: tells where the tables' folders lie (`questlog.stream.whereabouts`).
        catalogue: the event types.
        event_types: the types to land; the others are counted as filtered. All, unless given.
        trigger: seconds between micro-batches; 0 or None is as soon as possible.
        available_now: end once all that is in the topic at the start has landed.
        max_offsets: most records in a micro-batch.
        on_progress: is called after each micro-batch.
        stop: ends the run when it is set.
        keeps_classes: if this run lands something, the process leaves an archive of Spark's classes when it ends
            (`questlog.stream.classes`), unless there is one; that takes some seconds.

    Raises:
        SettingsError: `event_types` names a type that is not in the catalogue, or `fault_point` no point; before
            Spark starts.
        StreamRefused: the checkpoint is not whole, or not that of the topic and the tables.
        StreamError: there is no topic, a server is not reachable, or the stream ended in an error.
    """
    catalogue.select(event_types)
    timed = Timed(settings.fault_point)
    with alone(settings), told_by_signals(stop or threading.Event()) as told:
        keeps_classes = keeps_classes and place.classes is not None and not place.classes.is_there
        spark = session(settings, place, keeps_classes=keeps_classes)
        files = Files(spark, settings.hdfs_url)
        guide = Guide(files, whereabouts)
        progress = Progress(settings, Adding(files, settings, PROGRESS_TABLE, guide))
        try:
            refuse_missing_topic(spark, settings)
            checkpoint.admit(files, settings, whereabouts(), lambda: bounds(spark, settings))
            records = transforms.accounted(source(spark, settings, max_offsets), event_types, catalogue)
            lander = _Lander(files, settings, announce, guide, catalogue, timed, on_progress)
            writer = _writer(transforms.kept(records, catalogue), settings, trigger, available_now)
            summary = _watched(writer, lander, progress, told)
            if place.classes and keeps_classes:
                place.classes.end_at_exit(keeps=summary.landed > 0)
            return summary
        except (Py4JError, ConnectionError) as error:
            first = next(iter(str(error).splitlines()), "")
            raise StreamError(f"Spark's JVM does not do as it is told ({type(error).__name__}: {first})") from error
        finally:
            progress.close()
            files.close()


@dataclass
class _Lander:
    """The function that Spark calls with each micro-batch; remembers what it did, and why it failed."""

    files: Files
    settings: Settings
    announce: Announce
    guide: Guide
    catalogue: Catalogue
    timed: Timed
    on_progress: OnProgress | None
    batches: int = 0
    sums: Counter[str] = field(default_factory=Counter)
    last: int | None = None
    untold: dict[int, tuple[dict[str, int], dict[str, float]]] = field(default_factory=dict)
    failure: Exception | None = None
    stopping: bool = False
    _running: threading.Lock = field(default_factory=threading.Lock)
    _landing: Landing | None = None

    def __call__(self, rows: DataFrame, batch: int) -> None:
        with self._running:
            if self.stopping:
                raise _Stopping
            try:
                self._land(rows, batch)
            except Exception as error:
                self.failure = error
                raise

    @property
    def stream(self) -> str:
        """The stream's short name, once a batch has begun."""
        return self._landing.stream if self._landing else ""

    def close(self) -> int | None:
        """Wait for the batch that is running, and turn later ones away; the number of the last batch."""
        with self._running:
            self.stopping = True
            if self._landing and self.last is not None and not self.failure:
                self._remember(self._landing, self.last, at_the_end=True)
            if self._landing and self._landing.staging.memory:
                self._landing.staging.memory.close()
        return self.last

    def _land(self, rows: DataFrame, batch: int) -> None:
        began = time.monotonic()
        self._landing = self._landing or self._make(rows.sparkSession)
        counts = self._landing.land(rows, batch)
        self.timed.mark(DONE)
        self._remember(self._landing, batch)
        sums = {outcome: total(counts, outcome) for outcome in transforms.OUTCOMES}
        self.batches, self.last = self.batches + 1, batch
        self.sums.update(sums)
        self.untold[batch] = sums, self.timed.seconds()
        if self.on_progress:
            self.on_progress(Batch(batch, **sums, seconds=time.monotonic() - began))

    def _remember(self, landing: Landing, batch: int, *, at_the_end: bool = False) -> None:
        known, memory = landing.staging.known, landing.staging.memory
        if known is None or memory is None or not (at_the_end or memory.is_due()):
            return
        if settled := landing.settled_at(batch):
            memory.keep(known, batch, settled)

    def _make(self, spark: SparkSession) -> Landing:
        stream = checkpoint.stream_name(str(spark.sparkContext.getLocalProperty(QUERY_ID)))
        memory = Memory(self.files, self.settings, self.catalogue, stream)
        staging = Staging(self.files, self.settings, self.catalogue, lambda: self.timed.mark(JUDGED), memory=memory)
        return Landing(self.files, self.settings, stream, self.announce, self.guide, staging, self.timed)


def _writer(records: DataFrame, settings: Settings, trigger: float | None, available_now: bool) -> Any:
    writer = records.writeStream.option("checkpointLocation", settings.hdfs_url + settings.checkpoint)
    if available_now:
        return writer.trigger(availableNow=True)
    return writer.trigger(processingTime=f"{round((trigger or 0) * 1000)} milliseconds")


def _watched(writer: Any, lander: _Lander, progress: Progress, told: threading.Event) -> Summary:
    """Start the query, unless it was told to stop meanwhile, and stay with it until it ends or is told to."""
    began = time.monotonic()
    if told.is_set():
        return Summary(0, 0, 0, 0, 0, 0.0)
    query = writer.foreachBatch(lander).start()
    try:
        while query.isActive and not told.wait(LOOK_SECONDS):
            _tell(query, lander, progress)
    finally:
        _finish(query, lander)
        _tell(query, lander, progress)
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
    if isinstance(lander.failure, QuestlogError):
        raise StreamError(f"the stream stopped: {lander.failure}") from lander.failure
    failure = lander.failure or (None if lander.stopping and not query.exception() else query.exception())
    if failure is None or "_Stopping" in str(failure):
        return
    lines = [line for line in str(failure).splitlines() if line.strip()]
    raise StreamError(f"the stream stopped: {' '.join(lines[:CAUSE_LINES])}") from failure

"""The streaming job: reads the topic, chains the transforms, lands each micro-batch, and is watched until it ends."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from questlog.errors import QuestlogError, StreamError
from questlog.events import CATALOGUE, Catalogue
from questlog.settings import DEAD_LETTERS_TABLE, EVENTS_TABLE, LEDGER_TABLE, Settings
from questlog.stream import transforms
from questlog.stream.account import Counts, total
from questlog.stream.faults import Faults
from questlog.stream.files import Files
from questlog.stream.landing import Announce, Landing
from questlog.stream.session import SparkPlace, session
from questlog.stream.source import refuse_missing_topic, source
from questlog.stream.staging import Staging
from questlog.stream.whereabouts import AskWhereabouts

QUERY_ID = "sql.streaming.queryId"
STREAM_CHARACTERS = 8
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

    Raises:
        SettingsError: `event_types` names a type that is not in the catalogue.
        StreamError: the stream may not start (no topic; files but no checkpoint), or ended in an error.
    """
    catalogue.select(event_types)
    spark = session(settings, place)
    files = Files(spark, settings.hdfs_url)
    try:
        refuse_missing_topic(spark, settings)
        refuse_second_landing(files, settings)
        records = transforms.accounted(source(spark, settings, max_offsets), event_types, catalogue)
        lander = _Lander(files, settings, announce, whereabouts, catalogue, on_progress)
        with _signals(stop or threading.Event()) as told:
            return _watched(
                _writer(transforms.kept(records, catalogue), settings, trigger, available_now), lander, told
            )
    finally:
        files.close()


def refuse_second_landing(files: Files, settings: Settings) -> None:
    """Make sure that a stream without a checkpoint meets empty tables: it would land the whole topic once more.

    Raises:
        StreamError: a table holds files, but there is no checkpoint.
    """
    if files.exists(f"{settings.checkpoint}/metadata"):
        return
    for table in (EVENTS_TABLE, DEAD_LETTERS_TABLE, LEDGER_TABLE):
        if files.holds_files(settings.table_path(table)):
            raise StreamError(
                f"{settings.table_path(table)} holds files, but the checkpoint {settings.checkpoint} is gone: every "
                "event of the topic would land a second time. Put it back, or begin anew with `questlog reset`."
            )


@dataclass
class _Lander:
    """The function that Spark calls with each micro-batch; remembers what it did, and why it failed."""

    files: Files
    settings: Settings
    announce: Announce
    whereabouts: AskWhereabouts
    catalogue: Catalogue
    on_progress: OnProgress | None
    done: list[Batch] = field(default_factory=list)
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

    def close(self) -> int | None:
        """Wait for the batch that is running, and turn later ones away; the number of the last batch."""
        with self._running:
            self.stopping = True
        return self.done[-1].batch if self.done else None

    def _land(self, rows: DataFrame, batch: int) -> None:
        began = time.monotonic()
        self._landing = self._landing or self._make(rows.sparkSession)
        counts = self._landing.land(rows, batch)
        self.done.append(_summed(batch, counts, time.monotonic() - began))
        if self.on_progress:
            self.on_progress(self.done[-1])

    def _make(self, spark: SparkSession) -> Landing:
        stream = str(spark.sparkContext.getLocalProperty(QUERY_ID))[:STREAM_CHARACTERS]
        staging = Staging(self.files, self.settings, self.catalogue)
        faults = Faults(self.settings.fault_point)
        return Landing(self.files, self.settings, stream, self.announce, self.whereabouts, staging, faults)


def _writer(records: DataFrame, settings: Settings, trigger: float | None, available_now: bool) -> Any:
    writer = records.writeStream.option("checkpointLocation", settings.hdfs_url + settings.checkpoint)
    if available_now:
        return writer.trigger(availableNow=True)
    return writer.trigger(processingTime=f"{round((trigger or 0) * 1000)} milliseconds")


def _watched(writer: Any, lander: _Lander, told: threading.Event) -> Summary:
    """Start the query and stay with it until it ends or is told to."""
    began = time.monotonic()
    query = writer.foreachBatch(lander).start()
    try:
        while query.isActive and not told.wait(LOOK_SECONDS):
            pass
    finally:
        _finish(query, lander)
    _raise_failure(query, lander)
    sums = {of: sum(getattr(batch, of) for batch in lander.done) for of in transforms.OUTCOMES}
    return Summary(len(lander.done), **sums, seconds=time.monotonic() - began)


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


def _summed(batch: int, counts: Counts, seconds: float) -> Batch:
    return Batch(batch, **{outcome: total(counts, outcome) for outcome in transforms.OUTCOMES}, seconds=seconds)


@contextlib.contextmanager
def _signals(told: threading.Event) -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM set the event; a second one acts as before. Only the main thread can be told so."""
    if threading.current_thread() is not threading.main_thread():
        yield told
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def tell(_number: int, _frame: FrameType | None) -> None:
        told.set()
        restore()

    for number in before:
        signal.signal(number, tell)
    try:
        yield told
    finally:
        restore()

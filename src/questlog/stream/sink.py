"""The sink: a micro-batch's events are deduplicated, written to staging and published, each exactly once.

Spark may run a micro-batch again after a crash, with the same number and the same records. A batch that has an audit
file is never written again; what was prepared before the crash was published when the lease was acquired
(`questlog.lake.writer`, with the table of what is there after each cut).

A micro-batch of current events is one file of table ``events``, so it becomes visible all at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from questlog.events import CATALOGUE, Catalogue
from questlog.events.schema import EVENT_TYPE, PARTITION_DATE
from questlog.lake import layout, parquet
from questlog.lake.writer import Writer
from questlog.settings import BATCHES_TABLE, DEAD_LETTERS_TABLE, EVENTS_TABLE
from questlog.stream import audit, dedup, source, transforms
from questlog.stream.audit import Counts
from questlog.stream.dedup import CONFLICT, DedupIndex
from questlog.stream.planned import PlannedBatches
from questlog.stream.source import Ranges
from questlog.stream.transforms import DUPLICATES, LANDED, REJECTED, dead_letter_columns, validated

SMALL_BATCH = 5_000
"""Records up to which Spark interprets its plan, and does not compile it first: also those that wait at a takeover."""
COLLECTED_ROWS = 20_000
"""Rows up to which the driver writes them: of more, Spark's tasks write at the same time."""
PROJECTIONS, STAGES = "spark.sql.codegen.factoryMode", "spark.sql.codegen.wholeStage"
PLACE = ["partition", "offset", "position"]
OWN = "row."
"""What the names of an event's own columns begin with in a table of outcomes that has them."""
IN_USE = "that of no other event: one with this id has landed"


@dataclass(frozen=True)
class Staged:
    """What was written to staging.

    Args:
        files: each as ``<table>/<file>`` or ``events/event_date=<day>/<file>``.
        counts: events by event type and outcome.
        landing: the dedup index's entries for the events that are about to land.
        outcomes: a row for each event: ``event_type``, ``outcome``, and its place in the topic, `PLACE`.
    """

    files: list[str]
    counts: Counts
    landing: dedup.Entries
    outcomes: pa.Table


@dataclass
class Staging:
    """Writes the rows of micro-batches to staging.

    Args:
        writer: of the namespace.
        index: the events that landed before.
        catalogue: the event types.
        again: gives the records of some ranges of offsets once more, a row for each event; from the topic unless given.
    """

    writer: Writer
    index: DedupIndex
    catalogue: Catalogue = CATALOGUE
    again: Callable[[Ranges], DataFrame] | None = None

    def write(self, rows: DataFrame, attempt: str, batch: int = 0, *, is_small: bool = False) -> Staged:
        """Write a batch below the folder `attempt`; nothing is written when the batch has no rows.

        `rows` is what `transforms.landing_columns` gives. It is computed once; what is rejected of a small batch, once
        more.

        Args:
            batch: its number, for the observers.
            is_small: the batch has few records: the driver collects its rows with their outcomes, in one job.
        """
        _compile_rows(rows.sparkSession, not is_small)
        held = rows.coalesce(1) if is_small else rows.localCheckpoint(eager=False)
        outcomes = dedup.with_duplicates(self._outcomes(held, is_small), self.index)
        dropped = dedup.of_outcome(outcomes, [DUPLICATES, CONFLICT])
        with_conflicts = _conflicts_rejected(outcomes)
        counts = audit.count(with_conflicts)
        self.writer.notify("validated", batch)
        if is_small:
            files = self._write_collected(outcomes, attempt)
        else:
            files = self._write_events(held, dropped, audit.total(counts, LANDED), attempt)
        self.writer.notify("staging", batch)
        files += self._write_dead_letters(held, dropped, audit.total(counts, REJECTED), attempt)
        landing = dedup.entries(dedup.of_outcome(outcomes, [LANDED]))
        return Staged(files, counts, landing, with_conflicts.select([EVENT_TYPE, "outcome", *PLACE]))

    def _outcomes(self, rows: DataFrame, with_rows: bool) -> pa.Table:
        columns = [EVENT_TYPE, "outcome", *PLACE, *dedup.identity(self.catalogue, "row.")]
        if with_rows:
            columns += [f"row.`{name}` AS `{OWN}{name}`" for name in transforms.event_names(self.catalogue)]
        return rows.selectExpr(*columns).toArrow()

    def _write_collected(self, outcomes: pa.Table, attempt: str) -> list[str]:
        names = transforms.event_names(self.catalogue)
        landing = dedup.of_outcome(outcomes, [LANDED]).select([OWN + name for name in names])
        return self._write_days(landing.rename_columns(names), attempt)

    def _write_events(self, rows: DataFrame, dropped: pa.Table, count: int, attempt: str) -> list[str]:
        if not count:
            return []
        events = rows.where(f"outcome = '{LANDED}'")
        if dropped.num_rows:
            events = events.join(_broadcast(rows, dropped), PLACE, "left_anti")
        events = events.select("row.*")
        if count <= COLLECTED_ROWS:
            return self._write_days(events.toArrow(), attempt)
        write_events(events, f"{self.writer.settings.hdfs_url}{attempt}/{EVENTS_TABLE}")
        days = self.writer.hdfs.folders(f"{attempt}/{EVENTS_TABLE}")
        found = [entry for files in self.writer.hdfs.each(self.writer.hdfs.files, days) for entry in files]
        return [entry.path.removeprefix(f"{attempt}/") for entry in found]

    def _write_days(self, events: pa.Table, attempt: str) -> list[str]:
        """Write one file for each day."""
        parts = dict(_by_day(events))
        files = {f"{EVENTS_TABLE}/{layout.partition_name(day)}/part-0.parquet": rows for day, rows in parts.items()}
        self.writer.hdfs.each(
            lambda file: self.writer.hdfs.write(f"{attempt}/{file}", parquet.encode(EVENTS_TABLE, files[file])), files
        )
        return [*files]

    def _write_dead_letters(self, rows: DataFrame, dropped: pa.Table, count: int, attempt: str) -> list[str]:
        if not count:
            return []
        # Validated once more, this time with the reason.
        letters = dead_letter_columns(validated(rows.where(f"outcome = '{REJECTED}'"), None, self.catalogue))
        conflicts = dedup.of_outcome(dropped, [CONFLICT])
        if conflicts.num_rows:
            letters = letters.unionByName(dead_letter_columns(self._in_conflict(rows, conflicts)))
        file = f"{DEAD_LETTERS_TABLE}/part-0.parquet"
        if count <= COLLECTED_ROWS:
            self.writer.hdfs.write(f"{attempt}/{file}", parquet.encode(DEAD_LETTERS_TABLE, letters.toArrow()))
            return [file]
        letters.write.parquet(f"{self.writer.settings.hdfs_url}{attempt}/{DEAD_LETTERS_TABLE}")
        written = self.writer.hdfs.files(f"{attempt}/{DEAD_LETTERS_TABLE}")
        return [entry.path.removeprefix(f"{attempt}/") for entry in written]

    def _in_conflict(self, rows: DataFrame, conflicts: pa.Table) -> DataFrame:
        """The records in conflict, read from the topic once more: their bytes were not kept."""
        records = (self.again or self._from_topic(rows.sparkSession))(_ranges(conflicts)).join(
            _broadcast(rows, conflicts), PLACE, "left_semi"
        )
        return transforms.rejected(records, "event_id", IN_USE, self.catalogue)

    def _from_topic(self, spark: SparkSession) -> Callable[[Ranges], DataFrame]:
        return lambda some: transforms.one_row_per_event(source.between(spark, self.writer.settings, some))


@dataclass
class Sink:
    """Lands the micro-batches of one stream: the function that Spark's ``foreachBatch`` calls.

    Args:
        staging: writes a batch's rows.
        stream: the stream's short name, in the names of its files.
    """

    staging: Staging
    stream: str
    _planned: PlannedBatches = field(init=False)

    def __post_init__(self) -> None:
        self._planned = PlannedBatches(self.staging.writer.hdfs, self.staging.writer.settings)

    def land(self, rows: DataFrame, batch: int) -> Counts:
        """Land the batch, unless it is committed; the counts of what this run made visible.

        Raises:
            LakeError: HDFS or the metastore refused.
            LeaseLost: another process is the writer now.
            StreamRefused: the dedup index is full.
        """
        writer, name = self.staging.writer, layout.batch_name(self.stream, batch)
        writer.notify("begun", batch)
        if writer.is_committed(name):
            return {}
        attempt = f"{layout.attempts(writer.settings)}/{name}.{uuid.uuid4().hex[:8]}"
        is_small = self._planned.records(batch) <= SMALL_BATCH
        self.staging.index.expire(dedup.horizon(writer.settings))
        staged = self.staging.write(rows, attempt, batch, is_small=is_small)
        if not staged.counts:
            return {}
        audits = f"{BATCHES_TABLE}/{layout.audit_name(name)}"
        writer.hdfs.write(f"{attempt}/{audits}", audit.encode(staged.counts, self.stream, batch))
        writer.notify("written", batch)
        self.staging.index.add(staged.landing)
        writer.publish(attempt, name, [*staged.files, audits], batch)
        return staged.counts


def write_events(events: DataFrame, url: str) -> None:
    """Have Spark's tasks write rows of table ``events`` below a folder, each day in the table's order."""
    ordered = events.repartition(PARTITION_DATE).sortWithinPartitions(PARTITION_DATE, *parquet.ORDER[EVENTS_TABLE])
    ordered.write.partitionBy(PARTITION_DATE).parquet(url)


def _by_day(events: pa.Table) -> Iterator[tuple[date, pa.Table]]:
    for day in pc.unique(events[PARTITION_DATE]).to_pylist():
        rows = events.filter(pc.equal(events[PARTITION_DATE], pa.scalar(day, pa.date32())))
        yield day, rows.drop_columns([PARTITION_DATE])


def _compile_rows(spark: SparkSession, wanted: bool) -> None:
    """Have Spark's tasks compile what they do with a row, or interpret it.

    Each task writes the program anew before it finds it compiled: for a few rows that is most of its work.
    """
    spark.conf.set(PROJECTIONS, "FALLBACK" if wanted else "NO_CODEGEN")
    spark.conf.set(STAGES, str(wanted).lower())


def _conflicts_rejected(outcomes: pa.Table) -> pa.Table:
    """A conflict is rejected."""
    is_conflict = pc.equal(outcomes["outcome"], CONFLICT)
    outcome = pc.if_else(is_conflict, REJECTED, outcomes["outcome"])
    return outcomes.set_column(outcomes.schema.get_field_index("outcome"), "outcome", outcome)


def _broadcast(rows: DataFrame, places: pa.Table) -> DataFrame:
    return sf.broadcast(rows.sparkSession.createDataFrame(places.select(PLACE)))


def _ranges(places: pa.Table) -> Ranges:
    """For each partition the first offset, and the one after the last."""
    extremes = places.group_by("partition").aggregate([("offset", "min"), ("offset", "max")])
    return {row["partition"]: (row["offset_min"], row["offset_max"] + 1) for row in extremes.to_pylist()}

"""Staging: a micro-batch's rows are judged once more, as a whole, and written aside, where no reader looks.

Below the folder of an attempt are then ``events/event_type=X/event_date=D/`` and ``dead_letters/``, as in the tables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from questlog.events import CATALOGUE, Catalogue
from questlog.events.schema import PARTITION_DATE, PARTITION_TYPE
from questlog.settings import DEAD_LETTERS_TABLE, EVENTS_TABLE, Settings
from questlog.stream import repeats, small, source, transforms
from questlog.stream.account import Counts, counted, total
from questlog.stream.files import Files
from questlog.stream.memory import Memory
from questlog.stream.source import Ranges
from questlog.stream.transforms import LANDED, REJECTED, REPEATED, accounted, dead_letter_columns
from questlog.stream.whereabouts import Whereabouts

SMALL_BATCH = 1_000
"""Records up to which the driver collects a batch, and rows up to which it writes them: more tasks mean more files."""
PROJECTIONS, STAGES = "spark.sql.codegen.factoryMode", "spark.sql.codegen.wholeStage"
PLACE = ["partition", "offset", "position"]
OWN = "row."
"""What the names of an event's own columns begin with in an account that has them."""
IN_USE = "that of no other event: one with this id has landed"


@dataclass(frozen=True)
class Staged:
    """What was written: rows by event type and outcome, and the identities of the events that are about to land.

    `account` has a row for each record: ``event_type``, ``outcome``, and its place in the topic, `PLACE`.
    """

    counts: Counts
    landing: repeats.Entries
    account: pa.Table


@dataclass
class Staging:
    """Writes the batches of one stream.

    Args:
        files: HDFS.
        settings: where Kafka and the tables are.
        catalogue: the event types.
        judged: is called once it is known what becomes of a batch's rows.
        again: gives the records of some ranges of offsets once more, unpacked; from the topic unless given.
        memory: of what had landed before; from the tables alone unless given.
        known: what has landed, once the first batch is staged.
    """

    files: Files
    settings: Settings
    catalogue: Catalogue = CATALOGUE
    judged: Callable[[], None] = lambda: None
    again: Callable[[Ranges], DataFrame] | None = None
    memory: Memory | None = None
    known: repeats.Known | None = None

    def write(
        self,
        rows: DataFrame,
        attempt: str,
        here: Whereabouts,
        between: Callable[[], None] = lambda: None,
        *,
        is_small: bool = False,
    ) -> Staged:
        """Write a batch below the folder `attempt`; nothing is written when the batch has no rows.

        `rows` is what `transforms.kept` gives. It is computed once; what is rejected of a small batch, once more.
        `here` tells where the tables lie. `between` is called once the events are written.

        Args:
            is_small: the batch has few records: the driver collects its rows with its account, in one job.
        """
        _compile_rows(rows.sparkSession, not is_small)
        held = rows.coalesce(1) if is_small else _held(rows)
        try:
            account = repeats.judged(self._account(held, is_small), self._landed_before(rows, here))
            turned = repeats.of_outcome(account, [REPEATED, repeats.CONFLICT])
            settled = _settled(account)
            counts = counted(settled)
            self.judged()
            if is_small:
                self._write_collected(account, f"{attempt}/{EVENTS_TABLE}")
            else:
                self._write_events(held, turned, total(counts, LANDED), f"{attempt}/{EVENTS_TABLE}")
            between()
            self._write_letters(held, turned, total(counts, REJECTED), f"{attempt}/{DEAD_LETTERS_TABLE}")
        finally:
            if not is_small:
                _let_go(held)
        landing = repeats.entries(repeats.of_outcome(account, [LANDED]))
        return Staged(counts, landing, settled.select([PARTITION_TYPE, "outcome", *PLACE]))

    def remember(self, staged: Staged) -> None:
        """From now on the events of this batch are known: they will land, whatever happens."""
        if self.known is not None:
            self.known.add(staged.landing)

    def _account(self, rows: DataFrame, with_rows: bool) -> pa.Table:
        columns = [PARTITION_TYPE, "outcome", *PLACE, *repeats.identity(self.catalogue, "row.")]
        if with_rows:
            columns += [f"row.`{name}` AS `{OWN}{name}`" for name in transforms.event_names(self.catalogue)]
        return rows.selectExpr(*columns).toArrow()

    def _landed_before(self, rows: DataFrame, here: Whereabouts) -> repeats.Known:
        """Read once, when the first batch is staged: what an earlier run left sealed has landed by then."""
        if self.known is None:
            spark = rows.sparkSession
            nothing = repeats.Known(), repeats.horizon(self.settings)
            known, after = self.memory.recalled(spark) if self.memory else nothing
            events = self.settings.table_path(EVENTS_TABLE)
            began = self.files.matching(f"{events}/{PARTITION_TYPE}=*/{PARTITION_DATE}=*")
            folders = here.places(events, began)
            known.learn(repeats.landed_after(spark, self.settings, folders, self.catalogue, after))
            self.known = known
        self.known.forget(repeats.horizon(self.settings))
        return self.known

    def _write_collected(self, account: pa.Table, path: str) -> None:
        names = transforms.event_names(self.catalogue)
        landing = repeats.of_outcome(account, [LANDED]).select([OWN + name for name in names])
        if landing.num_rows:
            small.write_events(self.files, landing.rename_columns(names), path)

    def _write_events(self, rows: DataFrame, turned: pa.Table, count: int, path: str) -> None:
        if not count:
            return
        events = rows.where(f"outcome = '{LANDED}'")
        if turned.num_rows:
            events = events.join(_broadcast(rows, turned), PLACE, "left_anti")
        events = events.select("row.*")
        if count <= SMALL_BATCH:
            small.write_events(self.files, events.toArrow(), path)
            return
        # Without it every task would write a file into every partition.
        events = events.repartition(PARTITION_TYPE, PARTITION_DATE)
        events.write.partitionBy(PARTITION_TYPE, PARTITION_DATE).parquet(self.settings.hdfs_url + path)

    def _write_letters(self, rows: DataFrame, turned: pa.Table, count: int, path: str) -> None:
        if not count:
            return
        # Judged once more, this time in words.
        letters = dead_letter_columns(accounted(rows.where(f"outcome = '{REJECTED}'"), None, self.catalogue))
        conflicts = repeats.of_outcome(turned, [repeats.CONFLICT])
        if conflicts.num_rows:
            letters = letters.unionByName(dead_letter_columns(self._in_conflict(rows, conflicts)))
        if count <= SMALL_BATCH:
            small.write(self.files, letters.toArrow(), path)
            return
        letters.write.parquet(self.settings.hdfs_url + path)

    def _in_conflict(self, rows: DataFrame, conflicts: pa.Table) -> DataFrame:
        """The records in conflict, read from the topic once more: their bytes were not kept."""
        records = (self.again or self._from_topic(rows.sparkSession))(_ranges(conflicts)).join(
            _broadcast(rows, conflicts), PLACE, "left_semi"
        )
        return transforms.refused(records, "event_id", IN_USE, self.catalogue)

    def _from_topic(self, spark: SparkSession) -> Callable[[Ranges], DataFrame]:
        return lambda some: transforms.unpacked(source.between(spark, self.settings, some))


def _compile_rows(spark: SparkSession, wanted: bool) -> None:
    """Have Spark's tasks compile what they do with a row, or interpret it.

    Each task writes the program anew before it finds it compiled: for a few rows that is most of its work.
    """
    spark.conf.set(PROJECTIONS, "FALLBACK" if wanted else "NO_CODEGEN")
    spark.conf.set(STAGES, str(wanted).lower())


def _held(rows: DataFrame) -> DataFrame:
    """The rows, kept as they are from their first use on, in memory, or on disk where that does not suffice.

    `DataFrame.persist` would turn them into columns, and twice back into rows, for a third of a batch's time. A worker
    that is lost takes its part with it: the batch fails, and the stream runs it again.
    """
    return rows.localCheckpoint(eager=False)


def _let_go(held: DataFrame) -> None:
    held._jdf.logicalPlan().rdd().unpersist(False)


def _settled(account: pa.Table) -> pa.Table:
    """A conflict is rejected, in the ledger's words."""
    is_conflict = pc.equal(account["outcome"], repeats.CONFLICT)
    outcome = pc.if_else(is_conflict, REJECTED, account["outcome"])
    return account.set_column(account.schema.get_field_index("outcome"), "outcome", outcome)


def _broadcast(rows: DataFrame, places: pa.Table) -> DataFrame:
    return sf.broadcast(rows.sparkSession.createDataFrame(places.select(PLACE)))


def _ranges(places: pa.Table) -> Ranges:
    """For each partition the first offset, and the one after the last."""
    extremes = places.group_by("partition").aggregate([("offset", "min"), ("offset", "max")])
    return {row["partition"]: (row["offset_min"], row["offset_max"] + 1) for row in extremes.to_pylist()}

"""Replay: records are validated again by the catalogue as it is now, and the tables switch to what that gives.

A replay of ``events`` or of one type reads the topic, from its first record to where the stream has committed; one of
``dead_letters`` reads that table, of which Kafka may have no record any more. It holds the writer lease, so the tables
hold what a stream made of the same records. In an attempt's folder it writes, each as a whole:

- the partitions of ``events`` that change: the rows of other types as they are, the replayed ones in place of the old;
- ``dead_letters``;
- ``batches``, with one more file that corrects its sums, so that they say what the new tables hold.

Then the writer switches all of them (`Writer.switch`). Until then nothing has changed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from questlog.errors import StreamRefused
from questlog.events import CATALOGUE, Catalogue
from questlog.events.catalogue import UNKNOWN_TYPE
from questlog.events.schema import EVENT_TYPE, PARTITION_DATE
from questlog.lake import layout
from questlog.lake.writer import Writer
from questlog.settings import BATCHES_TABLE, DEAD_LETTERS_TABLE, EVENTS_TABLE, Settings
from questlog.stream import audit, checkpoint, dedup, source, transforms
from questlog.stream.admin import bounds
from questlog.stream.audit import Counts
from questlog.stream.changes import Change, changes, gone_from_kafka
from questlog.stream.sink import Staged, Staging, write_events
from questlog.stream.source import Ranges
from questlog.stream.tables import Tables

MOST_EVENTS = 2**40
"""A replay's own dedup index may hold every event of the topic."""
LONGEST_DEDUP_DAYS = 366
"""A replay reads in minutes what came in over days: a duplicate is recognised, whenever it was sent."""

OnProgress = Callable[[int, int], object]


def replay(
    spark: SparkSession,
    writer: Writer,
    table: str,
    *,
    catalogue: Catalogue = CATALOGUE,
    dry_run: bool = False,
    on_progress: OnProgress = lambda done, total: None,
) -> tuple[Change, ...]:
    """Rebuild a table, and switch to it unless `dry_run`; what differs.

    Args:
        spark: the session.
        writer: holds the writer lease.
        table: ``events``, an event type's name, or ``dead_letters``.
        catalogue: the event types as they are now.
        dry_run: only say what would change.
        on_progress: is called with the records that are validated, and their number.

    Raises:
        StreamRefused: there is no such table to replay, the stream was cut within a micro-batch, or Kafka has deleted
            records that the table has.
        StreamError: Kafka or Spark refused.
        LakeError: HDFS or the metastore refused.
    """
    _refuse_other_tables(table, catalogue)
    source.refuse_missing_topic(spark, writer.settings)
    work = _Replay(spark, writer, catalogue, on_progress)
    try:
        found = work.letters() if table == DEAD_LETTERS_TABLE else work.topic(table)
        if not dry_run:
            writer.switch(work.final)
        return found
    except PySparkException as error:
        raise StreamRefused(
            f"replaying {table} failed, and nothing has changed ({next(iter(str(error).splitlines()), '')}). If a file "
            "of table events cannot be read, `questlog replay events` rebuilds all types from Kafka."
        ) from error
    finally:
        writer.hdfs.delete(work.root)


def ranges(first: Mapping[int, int], end: Mapping[int, int], most: int = source.MOST_OFFSETS) -> Iterator[Ranges]:
    """What is between two offsets of each partition, in pieces of at most `most` records, in their order."""
    left = {number: first.get(number, 0) for number in end}
    while open_ones := {number: begin for number, begin in left.items() if begin < end[number]}:
        share = max(most // len(open_ones), 1)
        piece = {number: (begin, min(begin + share, end[number])) for number, begin in open_ones.items()}
        yield piece
        left.update({number: stop for number, (_, stop) in piece.items()})


@dataclass
class _Replay:
    """One replay. `root` is its attempt's folder, `final` holds what the writer switches to."""

    spark: SparkSession
    writer: Writer
    catalogue: Catalogue
    on_progress: OnProgress
    name: str = field(default_factory=lambda: f"replay-{uuid.uuid4().hex[:12]}")

    def __post_init__(self) -> None:
        self.settings: Settings = self.writer.settings
        self.tables = Tables(self.spark, self.writer, self.catalogue)
        self.root = f"{layout.attempts(self.settings)}/{self.name}"
        self.final = f"{self.root}/final"

    def topic(self, table: str) -> tuple[Change, ...]:
        """From Kafka."""
        sums = self.tables.batches()
        chosen = self._chosen(table, sums)
        first, end = bounds(self.spark, self.settings)[0], checkpoint.committed(self.writer.hdfs, self.settings)
        self._refuse_deleted(first, chosen)
        staging = Staging(self.writer, dedup.DedupIndex(MOST_EVENTS), self.catalogue)
        pieces, staged = list(ranges(first, end)), list[Staged]()
        total, done = sum(map(_length, pieces)), 0
        for number, piece in enumerate(pieces):
            self.on_progress(done, total)
            records = source.between(self.spark, self.settings, piece)
            staged.append(self._stage(staging, records, chosen, number))
            done += _length(piece)
        self.on_progress(done, total)
        return self._rebuilt(staged, chosen, sums)

    def letters(self) -> tuple[Change, ...]:
        """From the dead letters; what is valid now is looked up among all that has landed."""
        records = self.tables.letters_as_records()
        total = records.count()
        self.on_progress(0, total)
        folders = [*self.writer.locations_of(EVENTS_TABLE).values()]
        lasting = self.settings.in_namespace(
            self.settings.namespace, dedup_days=LONGEST_DEDUP_DAYS, dedup_events=1_000_000_000
        )
        index = dedup.load(self.spark, lasting, folders, self.catalogue)
        staging = Staging(self.writer, index, self.catalogue, again=lambda _: records)
        staged = self._stage(staging, records, (*self.catalogue.names, UNKNOWN_TYPE), 0)
        self.on_progress(total, total)
        return self._rebuilt([staged], (), {})

    def _stage(self, staging: Staging, records: DataFrame, chosen: tuple[str, ...], number: int) -> Staged:
        types = [name for name in chosen if name != UNKNOWN_TYPE]
        rows = transforms.landing_columns(transforms.validated(records, types, self.catalogue), self.catalogue)
        staged = staging.write(rows, f"{self.root}/{number}")
        staging.index.add(staged.landing)
        is_ours = pc.and_(
            pc.is_in(staged.outcomes[EVENT_TYPE], pa.array(chosen)),
            pc.not_equal(staged.outcomes["outcome"], transforms.FILTERED),
        )
        return replace(staged, outcomes=staged.outcomes.filter(is_ours))

    def _rebuilt(self, staged: list[Staged], chosen: tuple[str, ...], sums: Counts) -> tuple[Change, ...]:
        """Write the partitions as they will be, and compare."""
        types = [name for name in chosen if name != UNKNOWN_TYPE]
        folders = {f"{self.root}/{n}/{file.rsplit('/', 1)[0]}" for n, each in enumerate(staged) for file in each.files}
        new = self.tables.events_in(sorted(folder for folder in folders if f"/{EVENTS_TABLE}/" in folder))
        self._write_events(new, types)
        outcomes = pa.concat_tables([each.outcomes for each in staged]) if staged else None
        removed = self.tables.letters_at(outcomes, chosen)
        of_letters = sorted(folder for folder in folders if folder.endswith(f"/{DEAD_LETTERS_TABLE}"))
        letters = self._write_letters(of_letters, removed, chosen)
        self._write_batches(corrected(audit.count(outcomes) if outcomes else {}, sums, chosen, removed))
        found = [
            *changes(EVENTS_TABLE, self.tables.events(chosen or None), new, replaces=bool(chosen)),
            *changes(DEAD_LETTERS_TABLE, self.tables.letters(), letters),
        ]
        return tuple(found)

    def _write_events(self, new: DataFrame, types: list[str]) -> None:
        """Write the partitions that change: those with new rows, or with rows of these types."""
        old = self.tables.events()
        replaced = old.where(sf.col(EVENT_TYPE).isin(*types)) if types else old.where("false")
        changed = replaced.select(PARTITION_DATE).union(new.select(PARTITION_DATE)).distinct()
        days = sorted(row[PARTITION_DATE] for row in changed.collect())
        if not days:
            return
        # Rows of other types are copied: a file of theirs that cannot be read must not be lost without a word.
        strict = self.tables.events(strict=self.catalogue.names != tuple(types))
        others = strict.where(~sf.col(EVENT_TYPE).isin(*types)) if types else strict
        whole = others.where(sf.col(PARTITION_DATE).isin(*days)).unionByName(new)
        write_events(whole, f"{self.settings.hdfs_url}{self.root}/{EVENTS_TABLE}")
        self.writer.hdfs.each(self._take_partition, [layout.partition_name(day) for day in days])

    def _take_partition(self, name: str) -> None:
        target = layout.rows_folder(self.final, EVENTS_TABLE, name)
        self.writer.hdfs.make_folder(target.rsplit("/", 1)[0])
        if self.writer.hdfs.exists(f"{self.root}/{EVENTS_TABLE}/{name}"):
            self.writer.hdfs.rename_folder(f"{self.root}/{EVENTS_TABLE}/{name}", target)
        else:  # no row is left
            self.writer.hdfs.make_folder(target)

    def _write_letters(self, folders: list[str], removed: pa.Table, chosen: tuple[str, ...]) -> DataFrame:
        """Write the table of dead letters as it will be."""
        new = self.tables.letters_in(folders)
        new = new.where(new[EVENT_TYPE].isin(*chosen)) if chosen else new
        whole = self.tables.letters_without(removed).unionByName(new)
        path = layout.rows_folder(self.final, DEAD_LETTERS_TABLE, layout.WHOLE)
        whole.coalesce(1).write.parquet(self.settings.hdfs_url + path)
        return self.tables.letters_in([path])

    def _write_batches(self, correction: Counts) -> None:
        """Copy the audits, and write the correction beside them."""
        hdfs, folder = self.writer.hdfs, layout.rows_folder(self.final, BATCHES_TABLE, layout.WHOLE)
        audits = hdfs.files(self.writer.locations[BATCHES_TABLE, layout.WHOLE])
        hdfs.each(lambda file: hdfs.write(f"{folder}/{file.name}", hdfs.read(file.path)), audits)
        hdfs.write(f"{folder}/{self.name}.parquet", audit.encode(correction, self.name, 0))

    def _chosen(self, table: str, sums: Counts) -> tuple[str, ...]:
        """The types whose rows are rebuilt: of all, what the stream was told not to land is left out again."""
        if table != EVENTS_TABLE:
            return (table,)
        return tuple(name for name in (*self.catalogue.names, UNKNOWN_TYPE) if not _is_left_out(sums.get(name)))

    def _refuse_deleted(self, first: Mapping[int, int], chosen: tuple[str, ...]) -> None:
        for number, least in gone_from_kafka(self.tables.events(chosen), first):
            raise StreamRefused(
                f"partition {number} of topic {self.settings.topic} begins with offset {first[number]}, and the table "
                f"has rows from offset {least} on: Kafka has deleted their records, and a replay would lose them. "
                "Nothing has changed. Keep records longer (retention.ms); what is in the dead letters can be replayed."
            )


def corrected(now: Counts, sums: Counts, chosen: tuple[str, ...], removed: pa.Table) -> Counts:
    """What is to be added to the sums of table ``batches``, by type and outcome; sums of types in `chosen` start over.

    Args:
        now: the outcomes of the records that were validated.
        sums: the sums as they are.
        chosen: the types of which all records were validated; of none, when the dead letters were.
        removed: the letters that leave the table; column ``event_type``.
    """
    added: Counts = {}
    for name in sorted({*now, *chosen}):
        old = sums.get(name, {}) if name in chosen else {}
        added[name] = {
            outcome: now.get(name, {}).get(outcome, 0) - old.get(outcome, 0) for outcome in transforms.OUTCOMES
        }
    for name in removed[EVENT_TYPE].to_pylist():
        if name not in chosen:
            added.setdefault(name, dict.fromkeys(transforms.OUTCOMES, 0))[transforms.REJECTED] -= 1
    return added


def _refuse_other_tables(table: str, catalogue: Catalogue) -> None:
    allowed = (EVENTS_TABLE, DEAD_LETTERS_TABLE, *catalogue.names)
    if table not in allowed:
        raise StreamRefused(f"table {table!r} cannot be replayed: one of {', '.join(allowed)} is allowed")


def _is_left_out(of: Mapping[str, int] | None) -> bool:
    return bool(of and of[transforms.FILTERED] and not of[transforms.LANDED] + of[transforms.REJECTED])


def _length(piece: Ranges) -> int:
    return sum(stop - begin for begin, stop in piece.values())

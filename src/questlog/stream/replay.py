"""Replay: records are judged anew, by the catalogue as it is now, and written beside the tables, where no reader looks.

A replay of ``events`` or of one type reads the topic, from its first record to where the stream has committed; one of
``dead_letters`` reads that table, of which Kafka may have no record any more. The stream stands still meanwhile, so
that the tables hold what it made of the same records. Below the folder of a replay are then, as in the tables:

- ``events/event_type=X/event_date=D/``: the new rows. Those of the types in `Rebuilt.replaces` are all that these types
  have, and take the place of the old ones; those of other types come in addition.
- ``dead_letters/``: that table as a whole.
- ``ledger/``: one file, with what is to be added to the ledger's sums so that they say what the new tables say.

Whoever exchanges folders does the rest (`questlog.catalog.replacing`). Until then nothing has changed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession

from questlog.errors import StreamRefused
from questlog.events import CATALOGUE, Catalogue
from questlog.events.catalogue import UNKNOWN_TYPE
from questlog.events.schema import PARTITION_TYPE
from questlog.settings import DEAD_LETTERS_TABLE, EVENTS_TABLE, LEDGER_TABLE, Settings
from questlog.stream import account, checkpoint, repeats, source, tables, transforms
from questlog.stream.account import Counts
from questlog.stream.bounds import bounds
from questlog.stream.changes import Change, changes, gone_from_kafka
from questlog.stream.files import Files
from questlog.stream.session import SparkPlace, session
from questlog.stream.source import Ranges
from questlog.stream.staging import Staged, Staging
from questlog.stream.whereabouts import Whereabouts

FOLDER = "replaying"
LONGEST_REPEAT_DAYS = 366
"""A replay reads in minutes what came in over days: an id that is sent again is recognised, whenever that was."""

OnProgress = Callable[[int, int], object]


@dataclass(frozen=True)
class Rebuilt:
    """What a replay has written below `folder`; `replaces` are the types whose old rows go, `changes` tells which."""

    folder: str
    replaces: tuple[str, ...]
    changes: tuple[Change, ...]


def replay(
    settings: Settings,
    place: SparkPlace,
    table: str,
    *,
    here: Whereabouts,
    catalogue: Catalogue = CATALOGUE,
    on_progress: OnProgress = lambda done, total: None,
) -> Rebuilt:
    """Write anew what belongs into a table, and compare it with what is there.

    Args:
        settings: where everything is.
        place: what Spark needs of this machine.
        table: ``events``, an event type's name, or ``dead_letters``.
        here: where the tables' folders lie.
        catalogue: the event types as they are now.
        on_progress: is called with the records that are judged, and their number.

    Raises:
        StreamRefused: there is no such table to replay, the stream was cut within a micro-batch, or Kafka has deleted
            records that the table has.
        StreamError: Kafka, HDFS or Spark refused.
    """
    _refuse_other_tables(table, catalogue)
    spark = session(settings, place)
    files = Files(spark, settings.hdfs_url)
    try:
        source.refuse_missing_topic(spark, settings)
        lasting = settings.in_namespace(settings.namespace, repeat_days=LONGEST_REPEAT_DAYS)
        work = _Work(spark, files, lasting, here, catalogue, on_progress)
        return work.letters() if table == DEAD_LETTERS_TABLE else work.topic(table)
    finally:
        files.close()


def discard(settings: Settings, place: SparkPlace, rebuilt: Rebuilt) -> None:
    """Delete what a replay has written.

    Raises:
        StreamError: HDFS refused.
    """
    files = Files(session(settings, place), settings.hdfs_url)
    try:
        files.delete(rebuilt.folder.rsplit("/", 1)[0])
    finally:
        files.close()


def ranges(first: Mapping[int, int], end: Mapping[int, int], most: int = source.MOST_OFFSETS) -> Iterator[Ranges]:
    """What is between two offsets of each partition, in pieces of at most `most` records, in their order."""
    left = {number: first.get(number, 0) for number in end}
    while open_ones := {number: begin for number, begin in left.items() if begin < end[number]}:
        share = max(most // len(open_ones), 1)
        piece = {number: (begin, min(begin + share, end[number])) for number, begin in open_ones.items()}
        yield piece
        left.update({number: stop for number, (_, stop) in piece.items()})


@dataclass
class _Work:
    """One replay."""

    spark: SparkSession
    files: Files
    settings: Settings
    here: Whereabouts
    catalogue: Catalogue
    on_progress: OnProgress
    root: str = field(init=False)

    def __post_init__(self) -> None:
        self.files.delete(f"{self.settings.staging}/{FOLDER}")  # what one that was killed has left
        self.tables = tables.Tables(self.spark, self.files, self.settings, self.here, self.catalogue)
        self.root = f"{self.settings.staging}/{FOLDER}/{uuid.uuid4().hex[:12]}"

    @property
    def folder(self) -> str:
        """Where the new files are in the end."""
        return f"{self.root}/files"

    def topic(self, table: str) -> Rebuilt:
        """From Kafka."""
        ledger = self.tables.ledger()
        chosen = self._chosen(table, ledger)
        first, end = bounds(self.spark, self.settings)[0], checkpoint.committed(self.files, self.settings)
        self._refuse_deleted(first, chosen)
        staging = Staging(self.files, self.settings, self.catalogue, known=repeats.Known())
        pieces, judged = list(ranges(first, end)), list[Staged]()
        total, done = sum(map(_length, pieces)), 0
        for number, piece in enumerate(pieces):
            self.on_progress(done, total)
            records = source.between(self.spark, self.settings, piece)
            judged.append(self._judge(staging, records, chosen, number))
            done += _length(piece)
        self.on_progress(done, total)
        return self._rebuilt(judged, chosen, ledger)

    def letters(self) -> Rebuilt:
        """From the dead letters; whatever is valid now is looked up among all that has landed."""
        records = self.tables.letters_as_records()
        total = records.count()
        self.on_progress(0, total)
        staging = Staging(self.files, self.settings, self.catalogue, again=lambda _: records)
        judged = self._judge(staging, records, (*self.catalogue.names, UNKNOWN_TYPE), 0)
        self.on_progress(total, total)
        return self._rebuilt([judged], (), {})

    def _judge(self, staging: Staging, records: DataFrame, chosen: tuple[str, ...], number: int) -> Staged:
        types = [name for name in chosen if name != UNKNOWN_TYPE]
        rows = transforms.kept(transforms.accounted(records, types, self.catalogue), self.catalogue)
        staged = staging.write(rows, f"{self.root}/{number}", self.here)
        staging.remember(staged)
        is_ours = pc.and_(
            pc.is_in(staged.account[PARTITION_TYPE], pa.array(chosen)),
            pc.not_equal(staged.account["outcome"], transforms.FILTERED),
        )
        return replace(staged, account=staged.account.filter(is_ours))

    def _rebuilt(self, judged: list[Staged], chosen: tuple[str, ...], ledger: Counts) -> Rebuilt:
        """Gather the pieces, write the letters and the ledger's correction, compare."""
        events = self._gather()
        accounts = pa.concat_tables([each.account for each in judged]) if judged else None
        removed = self.tables.letters_at(accounts, chosen)
        letters = self._write_letters(removed, chosen)
        correction = corrected(account.counted(accounts) if accounts else {}, ledger, chosen, removed)
        name = self.root.rsplit("/", 1)[1]
        line = account.ledger(correction, f"replay-{name}", 0)
        self.files.write(f"{self.folder}/{LEDGER_TABLE}/replay-{name}.parquet", line)
        old = self.tables.events(chosen or self.catalogue.names)
        found = [
            *changes(EVENTS_TABLE, old, self.tables.new_events(events), replaces=bool(chosen)),
            *changes(DEAD_LETTERS_TABLE, self.tables.letters(), letters),
        ]
        self._fill_emptied(chosen, events)
        return Rebuilt(self.folder, tuple(name for name in chosen if name != UNKNOWN_TYPE), tuple(found))

    def _gather(self) -> list[str]:
        """Bring the events' files of all pieces together; their folders."""
        found = self.files.matching(f"{self.root}/[0-9]*/{EVENTS_TABLE}/*/*/part-*")
        self.files.each(self._take, found)
        return self.files.matching(f"{self.folder}/{EVENTS_TABLE}/*/*")

    def _take(self, file: str) -> None:
        piece, below = file.removeprefix(f"{self.root}/").split("/", 1)
        partition, name = below.rsplit("/", 1)
        self.files.rename(file, f"{self.folder}/{partition}/replayed-{piece}-{name}")

    def _write_letters(self, removed: pa.Table, chosen: tuple[str, ...]) -> DataFrame:
        """The table of dead letters as it will be."""
        pieces = self.files.matching(f"{self.root}/[0-9]*/{DEAD_LETTERS_TABLE}")
        new = self.tables.letters_in(pieces)
        new = new.where(new[PARTITION_TYPE].isin(*chosen)) if chosen else new
        whole = self.tables.letters_without(removed).unionByName(new)
        path = f"{self.folder}/{DEAD_LETTERS_TABLE}"
        whole.coalesce(1).write.parquet(self.settings.hdfs_url + path)
        return self.tables.letters_in([path])

    def _fill_emptied(self, chosen: tuple[str, ...], written: Collection[str]) -> None:
        """A partition that is left without rows needs a file, for a folder without any would not count as one."""
        had = {f"{self.folder}/{EVENTS_TABLE}/{partition}" for partition in self.tables.partitions(chosen)}
        for path in sorted(had - {*written}):
            self.tables.empty_events().coalesce(1).write.parquet(self.settings.hdfs_url + path)

    def _chosen(self, table: str, ledger: Counts) -> tuple[str, ...]:
        """The types whose rows are made anew: of all, what the stream was told not to land is left out again."""
        if table != EVENTS_TABLE:
            return (table,)
        return tuple(name for name in (*self.catalogue.names, UNKNOWN_TYPE) if not _is_left_out(ledger.get(name)))

    def _refuse_deleted(self, first: Mapping[int, int], chosen: tuple[str, ...]) -> None:
        for number, least in gone_from_kafka(self.tables.events(chosen), first):
            raise StreamRefused(
                f"partition {number} of topic {self.settings.topic} begins with offset {first[number]}, and the table "
                f"has rows from offset {least} on: Kafka has deleted their records, and a replay would lose them. "
                "Nothing has changed. Keep records longer (retention.ms); what is in the dead letters can be replayed."
            )


def corrected(now: Counts, ledger: Counts, chosen: tuple[str, ...], removed: pa.Table) -> Counts:
    """What is to be added to the ledger's sums, by type and outcome; sums of types in `chosen` are made anew.

    Args:
        now: what became of the records that were judged.
        ledger: the sums as they are.
        chosen: the types of which all records were judged; of none, when the dead letters were.
        removed: the letters that are in the table no more; column ``event_type``.
    """
    added: Counts = {}
    for name in sorted({*now, *chosen}):
        old = ledger.get(name, {}) if name in chosen else {}
        added[name] = {
            outcome: now.get(name, {}).get(outcome, 0) - old.get(outcome, 0) for outcome in transforms.OUTCOMES
        }
    for name in removed[PARTITION_TYPE].to_pylist():
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

"""Landing: how one micro-batch becomes visible, each row once, whatever is killed in between.

Spark may run a micro-batch again after a crash, with the same number and the same records. Presto sees every file below
a table as soon as it is there. So a batch is written aside, sealed, and moved in by renames, which are atomic:

1. *stage*: Spark writes the rows below ``<staging>/<stream>/<batch>.<attempt>/``: ``events/`` and ``dead_letters/``,
   and beside them the batch's rows of the ledger.
2. *seal*: one rename of that folder to ``<staging>/<stream>/<batch>``. From here on the batch's content is settled.
3. *move*: each file is renamed to ``<table>/[event_type=X/event_date=D/]part-<stream>-<batch>-<task>.parquet``.
4. *announce*: partitions that are new to this process are announced.
5. *close*: the ledger's file is renamed to ``<ledger>/part-<stream>-<batch>.parquet``; the empty staging is deleted.

========================  =======================================  ==============================================
cut after                 what is there                            what the batch's next run does
========================  =======================================  ==============================================
nothing, or part of 1     a folder that no reader looks into       deletes it, begins at 1
2, or part of 3           some files moved, the others sealed      moves those that are left, goes on
3, or part of 4           all files, some partitions unannounced   announces all of the batch's partitions, goes on
5, part or whole          the ledger's file, perhaps staging       deletes staging, does nothing else
========================  =======================================  ==============================================

`<stream>` is the start of the query's id, which the checkpoint keeps. The file in the ledger is what says that a batch
is complete: whoever merges files leaves those of a stream's newest batch alone, in the ledger as in the other tables.
"""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame

from questlog.errors import StreamError
from questlog.events import CATALOGUE, Catalogue
from questlog.events.schema import LEDGER_COLUMNS, PARTITION_DATE, PARTITION_TYPE
from questlog.settings import DEAD_LETTERS_TABLE, EVENTS_TABLE, LEDGER_TABLE, Settings
from questlog.stream.files import Files
from questlog.stream.transforms import FILTERED, LANDED, OUTCOMES, REJECTED, accounted, dead_letter_columns

SMALL_BATCH = 1_000
"""Rows up to which one task writes a batch: more tasks would mean more files."""
SPARK_FILE = re.compile(r"part-(\d+)-[0-9a-f-]+[.-]c000\..*parquet")

Partition = tuple[str, date]
Announce = Callable[[Collection[Partition]], None]
Counts = dict[str, dict[str, int]]
"""Rows by event type, and by outcome."""


@dataclass
class Landing:
    """Lands the batches of one stream.

    Args:
        files: HDFS.
        settings: where tables and staging lie.
        stream: the stream's short name, in the names of its files.
        announce: is called with partitions that this object has not announced before.
        catalogue: the event types.
    """

    files: Files
    settings: Settings
    stream: str
    announce: Announce
    catalogue: Catalogue = CATALOGUE
    _announced: set[Partition] = field(default_factory=set)

    def land(self, rows: DataFrame, batch: int) -> Counts:
        """Land the batch, or what an earlier run left of it; the counts of what this run made visible.

        `rows` is what `transforms.kept` gives. It is computed once.

        Raises:
            StreamError: HDFS refused.
        """
        done, sealed = self.files.exists(self._closed(batch)), self.files.exists(self._sealed(batch))
        if not done and not sealed:
            self._discard_attempts(batch)
            if not self._stage(rows, batch):
                return {}
        counts = {} if done else self._publish(batch)
        self.files.delete(self._sealed(batch))
        return counts

    def _stage(self, rows: DataFrame, batch: int) -> bool:
        """Steps 1 and 2; false when the batch has no rows."""
        attempt = f"{self._sealed(batch)}.{uuid.uuid4().hex[:8]}"
        rows.persist()
        try:
            counts = _count(rows)
            if not counts:
                return False
            self._write(rows, counts, attempt)
        finally:
            rows.unpersist()
        self.files.write(f"{attempt}/{LEDGER_TABLE}/{self._name(batch)}.parquet", self._ledger(counts, batch))
        self.files.rename(attempt, self._sealed(batch))
        return True

    def _write(self, rows: DataFrame, counts: Counts, attempt: str) -> None:
        landed, rejected = _total(counts, LANDED), _total(counts, REJECTED)
        if landed:
            events = rows.where(f"outcome = '{LANDED}'").select("row.*")
            # Without it every task would write a file into every partition.
            events = events.coalesce(1) if landed <= SMALL_BATCH else events.repartition(PARTITION_TYPE, PARTITION_DATE)
            target = self.settings.hdfs_url + f"{attempt}/{EVENTS_TABLE}"
            events.write.partitionBy(PARTITION_TYPE, PARTITION_DATE).parquet(target)
        if rejected:
            # Judged once more, this time in words.
            letters = dead_letter_columns(accounted(rows.where(f"outcome = '{REJECTED}'"), None, self.catalogue))
            letters = letters.coalesce(1) if rejected <= SMALL_BATCH else letters
            letters.write.parquet(self.settings.hdfs_url + f"{attempt}/{DEAD_LETTERS_TABLE}")

    def _publish(self, batch: int) -> Counts:
        """Steps 3 to 5, from wherever they were cut."""
        sealed = self._sealed(batch)
        folders = self.files.matching(f"{sealed}/{EVENTS_TABLE}/{PARTITION_TYPE}=*/{PARTITION_DATE}=*")
        written = [
            file for place in (f"{EVENTS_TABLE}/*/*", DEAD_LETTERS_TABLE) for file in self._written(batch, place)
        ]
        self.files.each(lambda file: self._move(file, batch), written)
        self._announce([_partition(folder) for folder in folders])
        staged = f"{sealed}/{LEDGER_TABLE}/{self._name(batch)}.parquet"
        counts = _counts(self.files.read(staged))
        self.files.rename(staged, self._closed(batch))
        return counts

    def _written(self, batch: int, place: str) -> list[str]:
        return self.files.matching(f"{self._sealed(batch)}/{place}/part-*")

    def _move(self, file: str, batch: int) -> None:
        folder, name = file.rsplit("/", 1)
        task = SPARK_FILE.fullmatch(name)
        if not task:
            raise StreamError(f"{file} is no parquet file as Spark names its own: who put it there?")
        target = self.settings.warehouse + folder.removeprefix(self._sealed(batch))
        self.files.rename(file, f"{target}/{self._name(batch)}-{int(task[1])}.parquet")

    def _announce(self, partitions: Collection[Partition]) -> None:
        if new := set(partitions) - self._announced:
            self.announce(sorted(new))
            self._announced |= new

    def _discard_attempts(self, batch: int) -> None:
        for left in self.files.matching(f"{self._sealed(batch)}.*"):
            self.files.delete(left)

    def _ledger(self, counts: Counts, batch: int) -> bytes:
        """The batch's rows of table ``ledger``, as a parquet file."""
        names = [name for name, _ in LEDGER_COLUMNS]
        rows = [
            {"stream": self.stream, "batch": batch, "event_type": name, **of} for name, of in sorted(counts.items())
        ]
        arrow = {"varchar": pa.string(), "bigint": pa.int64()}
        schema = pa.schema([(name, arrow[kind]) for name, kind in LEDGER_COLUMNS])
        table = pa.Table.from_pylist([{name: row[name] for name in names} for row in rows], schema=schema)
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        return buffer.getvalue()

    def _name(self, batch: int) -> str:
        return f"part-{self.stream}-{batch}"

    def _sealed(self, batch: int) -> str:
        return f"{self.settings.staging}/{self.stream}/{batch}"

    def _closed(self, batch: int) -> str:
        return f"{self.settings.table_path(LEDGER_TABLE)}/{self._name(batch)}.parquet"


def _count(rows: DataFrame) -> Counts:
    counts: Counts = {}
    for row in rows.groupBy(PARTITION_TYPE, "outcome").count().collect():
        counts.setdefault(row[PARTITION_TYPE], dict.fromkeys(OUTCOMES, 0))[row["outcome"]] = row["count"]
    return counts


def _counts(ledger: bytes) -> Counts:
    rows = pq.read_table(pa.BufferReader(ledger)).to_pylist()
    return {row["event_type"]: {outcome: row[outcome] for outcome in (LANDED, FILTERED, REJECTED)} for row in rows}


def _total(counts: Counts, outcome: str) -> int:
    return sum(of[outcome] for of in counts.values())


def _partition(folder: str) -> Partition:
    values = dict(part.split("=", 1) for part in folder.split("/") if "=" in part)
    return values[PARTITION_TYPE], date.fromisoformat(values[PARTITION_DATE])

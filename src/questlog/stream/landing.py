"""Landing: how one micro-batch becomes visible, each row once, whatever is killed in between.

Spark may run a micro-batch again after a crash, with the same number and the same records. Presto sees every file below
a table as soon as it is there. So a batch is written aside, sealed, and moved in by renames, which are atomic:

1. *stage*: Spark writes the rows below ``<staging>/attempts/<stream>-<batch>.<attempt>/`` (`questlog.stream.staging`).
2. *seal*: one rename of that folder to ``<open>/<stream>-<batch>``. From here on the batch's content is settled.
3. *move*: each file is renamed to ``<place of the table or partition>/part-<stream>-<batch>-<task>.parquet``.
4. *announce*: partitions that are new to this process are announced.
5. *close*: the ledger's file is renamed to ``<place of the ledger>/part-<stream>-<batch>.parquet``; the rest of the
   sealed folder is deleted.

========================  =======================================  ==============================================
cut after                 what is there                            what the batch's next run does
========================  =======================================  ==============================================
nothing, or part of 1     a folder that no reader looks into       deletes it, begins at 1
2, or part of 3           some files moved, the others sealed      moves those that are left, goes on
3, or part of 4           all files, some partitions unannounced   announces all of the batch's partitions, goes on
5, part or whole          the ledger's file, perhaps staging       deletes staging, does nothing else
========================  =======================================  ==============================================

`<stream>` is the start of the query's id, which the checkpoint keeps. The file in the ledger is what says that a batch
is complete: whoever merges files leaves that of a stream's newest batch under its name. Of the other tables any file
may be merged: one that has moved is not sealed any more, so nothing asks for it again.

Folders of tables are exchanged for others by whoever merges their files. Where they lie, and `<open>`, are the stream's
`Whereabouts`. `<open>` is renamed before an exchange and has another name after it, so steps 2 to 5 fail for a stream
that has not noticed: it asks again, and goes on from where it was cut.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date

from pyspark.sql import DataFrame

from questlog.errors import StreamError
from questlog.events.schema import PARTITION_DATE, PARTITION_TYPE
from questlog.settings import DEAD_LETTERS_TABLE, EVENTS_TABLE, LEDGER_TABLE, Settings
from questlog.stream import account
from questlog.stream.account import Counts
from questlog.stream.faults import Faults
from questlog.stream.files import Files, Gone
from questlog.stream.guide import Guide
from questlog.stream.planned import Planned
from questlog.stream.staging import SMALL_BATCH, Staged, Staging
from questlog.stream.whereabouts import Whereabouts

SPARK_FILE = re.compile(r"part-(\d+)-[0-9a-f-]+[.-]c000\..*parquet")

Partition = tuple[str, date]
Announce = Callable[[Collection[Partition]], None]


@dataclass
class Landing:
    """Lands the batches of one stream.

    Args:
        files: HDFS.
        settings: where tables and staging lie.
        stream: the stream's short name, in the names of its files.
        announce: is called with partitions that this object has not announced before.
        guide: leads by where folders lie.
        staging: writes a batch's rows.
        faults: kills the stream at one of the points that a batch passes.
    """

    files: Files
    settings: Settings
    stream: str
    announce: Announce
    guide: Guide
    staging: Staging
    faults: Faults = field(default_factory=Faults)
    _announced: set[Partition] = field(default_factory=set)
    _attempt: tuple[str, Staged] | None = None

    def __post_init__(self) -> None:
        self._planned = Planned(self.files, self.settings)

    def land(self, rows: DataFrame, batch: int) -> Counts:
        """Land the batch, or what an earlier run left of it; the counts of what this run made visible.

        `rows` is what `transforms.kept` gives. It is computed once.

        Raises:
            StreamError: HDFS refused.
        """
        self.faults.pass_by("begun", batch)
        counts: Counts = {}
        self._attempt = None

        def advance(here: Whereabouts) -> None:
            counts.update(self._advance(rows, batch, here))
            if not self.files.delete(self._sealed(batch, here)):
                self.guide.refuse_if_exchanged(here)

        self.guide.lead(advance)
        return counts

    def settled_at(self, batch: int) -> int | None:
        """When the account of a batch that has landed was written: all that later batches write is written after it.

        In milliseconds since 1970, by HDFS's clock; None if the batch had no rows, or its account was merged.
        """
        here = self.guide.known
        try:
            return self.files.modified(self._closed(batch, here)) if here else None
        except Gone:
            return None

    def _advance(self, rows: DataFrame, batch: int, here: Whereabouts) -> Counts:
        """All that is left to do, as long as `here` holds."""
        done, sealed = self.files.exists(self._closed(batch, here)), self.files.exists(self._sealed(batch, here))
        if done:
            return {}
        if sealed:
            return self._publish(batch, here)
        # What was staged before folders were exchanged is as good after it.
        attempt, staged = self._attempt = self._attempt or self._stage(rows, batch, here)
        if not staged.counts:
            return {}
        self._seal(attempt, staged, batch, here)
        return self._publish(batch, here, staged.counts)

    def _stage(self, rows: DataFrame, batch: int, here: Whereabouts) -> tuple[str, Staged]:
        """Step 1: the attempt's folder, and what is in it; it is not there when the batch has no rows."""
        self._discard_attempts(batch)
        attempt = f"{self._attempts(batch)}.{uuid.uuid4().hex[:8]}"
        is_small = self._planned.most_records(batch) <= SMALL_BATCH
        staged = self.staging.write(
            rows, attempt, here, lambda: self.faults.pass_by("staging", batch), is_small=is_small
        )
        if staged.counts:
            content = account.ledger(staged.counts, self.stream, batch)
            self.files.write(f"{attempt}/{LEDGER_TABLE}/{self._name(batch)}.parquet", content)
            self.faults.pass_by("staged", batch)
        return attempt, staged

    def _seal(self, attempt: str, staged: Staged, batch: int, here: Whereabouts) -> None:
        """Step 2."""
        # Its parent is not made: a stream would open a gate that is held.
        self.files.rename(attempt, self._sealed(batch, here), make_parent=False)
        self.faults.pass_by("sealed", batch)
        self.staging.remember(staged)

    def _publish(self, batch: int, here: Whereabouts, counts: Counts | None = None) -> Counts:
        """Steps 3 to 5, from wherever they were cut; an earlier run's `counts` are in what it has sealed."""
        sealed = self._sealed(batch, here)
        folders = self.files.matching(f"{sealed}/{EVENTS_TABLE}/{PARTITION_TYPE}=*/{PARTITION_DATE}=*")
        written = [
            file
            for place in (f"{EVENTS_TABLE}/*/*", DEAD_LETTERS_TABLE)
            for file in self.files.matching(f"{sealed}/{place}/part-*")
        ]
        self.files.each(lambda file: self._move(file, batch, here), written)
        self.faults.pass_by("moved", batch)
        self._announce([_partition(folder) for folder in folders])
        self.faults.pass_by("announced", batch)
        staged = f"{sealed}/{LEDGER_TABLE}/{self._name(batch)}.parquet"
        counts = counts or account.read_ledger(self.files.read(staged))
        self.files.rename(staged, self._closed(batch, here))
        self.faults.pass_by("closed", batch)
        return counts

    def _move(self, file: str, batch: int, here: Whereabouts) -> None:
        folder, name = file.rsplit("/", 1)
        task = SPARK_FILE.fullmatch(name)
        if not task:
            raise StreamError(f"{file} is no parquet file as Spark names its own: who put it there?")
        target = here.place(self.settings.warehouse + folder.removeprefix(self._sealed(batch, here)))
        self.files.rename(file, f"{target}/{self._name(batch)}-{int(task[1])}.parquet")
        self.faults.pass_by("moving", batch)

    def _announce(self, partitions: Collection[Partition]) -> None:
        if new := set(partitions) - self._announced:
            self.announce(sorted(new))
            self._announced |= new

    def _discard_attempts(self, batch: int) -> None:
        for left in self.files.matching(f"{self._attempts(batch)}.*"):
            self.files.delete(left)

    def _name(self, batch: int) -> str:
        return f"part-{self.stream}-{batch}"

    def _attempts(self, batch: int) -> str:
        return f"{self.settings.staging}/attempts/{self.stream}-{batch}"

    def _sealed(self, batch: int, here: Whereabouts) -> str:
        return f"{here.open}/{self.stream}-{batch}"

    def _closed(self, batch: int, here: Whereabouts) -> str:
        return f"{here.place(self.settings.table_path(LEDGER_TABLE))}/{self._name(batch)}.parquet"


def _partition(folder: str) -> Partition:
    values = dict(part.split("=", 1) for part in folder.split("/") if "=" in part)
    return values[PARTITION_TYPE], date.fromisoformat(values[PARTITION_DATE])

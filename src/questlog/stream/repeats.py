"""Repeated events: a client that got no answer sends again, with the same ``event_id``, and it stays one row.

An event is told from others by its id. Of those with one id the first in the topic lands; a later one that says the
same is *repeated* and is not landed again, a later one that says something else is a *conflict* and becomes a dead
letter. To say the same is to have the same type, user and own fields, and to have happened at the same time, unless one
of the two took its time of receipt for it because the client gave none.

What has landed is known by 64-bit hashes in memory, 32 bytes an event, for `Settings.repeat_days`. After a restart they
are read again, from the stream's `questlog.stream.memory` and the tables, so a crash forgets none. Two ids with one
hash, of which there is a chance of 3 in a million among ten million events, are a conflict: in the dead letters, not
lost.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession
from pyspark.sql import functions as sf

from questlog.events import Catalogue
from questlog.events.catalogue import COMMON, STAMPED
from questlog.events.schema import PARTITION_TYPE, SPARK_TYPES
from questlog.settings import Settings
from questlog.stream.transforms import LANDED, REPEATED

CONFLICT = "conflict"
IDENTITY = ("id", "content", "happened", "received")
"""Columns that tell events apart: hash of the id, hash of what it says, and two times in milliseconds since 1970."""
DAY_MS = 86_400_000
TYPE_IN_PATH = f"/{PARTITION_TYPE}=([^/]+)/"

Entries: TypeAlias = npt.NDArray[np.void]
_ENTRY = np.dtype([(name, np.int64) for name in IDENTITY])
NOTHING: Entries = np.empty(0, _ENTRY)


def identity(catalogue: Catalogue, prefix: str = "") -> list[str]:
    """Spark SQL for the columns `IDENTITY` of a row of table ``events``, whose columns' names begin with `prefix`."""
    own = [
        f"{prefix}`{field.name}`, {place}" for place, field in enumerate(catalogue.fields)
    ]  # a null hashes to nothing
    says = f"{prefix}{PARTITION_TYPE}, {prefix}user_id, {', '.join(own)}"
    return [
        f"xxhash64({prefix}event_id) AS id",
        f"xxhash64({says}) AS content",
        f"unix_millis({prefix}event_time) AS happened",
        f"unix_millis({prefix}received_at) AS received",
    ]


class Known:
    """The events that have landed, in a few sorted arrays: adding merges those of like size.

    What is forgotten is no longer found at once, and leaves its array when that is merged: a micro-batch never goes
    through all that is known.
    """

    def __init__(self, entries: Entries = NOTHING) -> None:
        self._runs: list[Entries] = []
        self._since = -math.inf
        self.add(entries)

    def __len__(self) -> int:
        return sum(run.size for run in self._runs)

    def add(self, entries: Entries) -> None:
        """Remember events; no id among them is known already."""
        if not entries.size:
            return
        self._runs.append(_in_order(entries))
        while len(self._runs) > 1 and self._runs[-2].size < 2 * self._runs[-1].size:
            last, before = self._runs.pop(), self._runs.pop()
            self._runs.append(_in_order(np.concatenate([before[before["received"] >= self._since], last])))

    def learn(self, entries: Entries) -> None:
        """Remember those of the events that are not known yet."""
        found, before = self.find(entries["id"])
        self.add(entries[~(found & (before["received"] == entries["received"]))])

    def runs(self) -> tuple[Entries, ...]:
        """All that is known, in arrays that are never changed."""
        return tuple(self._runs)

    def find(self, ids: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.bool_], Entries]:
        """Which ids are known, and the events that they name; what stands for the others has no meaning."""
        found, entries = np.zeros(ids.size, bool), np.empty(ids.size, _ENTRY)
        for run in self._runs:
            places = np.maximum(np.searchsorted(run["id"], ids, side="right") - 1, 0)
            here = (run["id"][places] == ids) & (run["received"][places] >= self._since)
            entries[here] = run[places[here]]
            found |= here
        return found, entries

    def forget(self, before: float) -> None:
        """Forget the events received before a time, in milliseconds since 1970."""
        self._since = before


def landed_after(
    spark: SparkSession, settings: Settings, folders: Sequence[str], catalogue: Catalogue, written: float
) -> Entries:
    """The events that landed within the last `Settings.repeat_days`, of files in the folders of partitions.

    Files whose time of modification is not after `written`, in milliseconds since 1970, are left out.
    """
    if not folders:
        return NOTHING
    since, after = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (horizon(settings), written))
    columns = [f"`{field.name}` {SPARK_TYPES[field.kind]}" for field in (*COMMON, *STAMPED, *catalogue.fields)]
    reader = spark.read.schema(", ".join(columns)).option("modifiedAfter", after.strftime("%Y-%m-%dT%H:%M:%S"))
    rows = reader.parquet(*(settings.hdfs_url + folder for folder in folders))
    # A merged file is new, its rows may be old.
    recent = rows.where(sf.col("received_at") >= sf.lit(since))
    named = recent.withColumn(PARTITION_TYPE, sf.regexp_extract("_metadata.file_path", TYPE_IN_PATH, 1))
    return entries(named.selectExpr(*identity(catalogue)).toArrow())


def horizon(settings: Settings) -> float:
    """The time before which what was received is forgotten, in milliseconds since 1970."""
    return time.time() * 1000 - settings.repeat_days * DAY_MS


def entries(table: pa.Table) -> Entries:
    """The columns `IDENTITY` of a table as one array."""
    made = np.empty(table.num_rows, _ENTRY)
    for name in IDENTITY:
        made[name] = _numbers(table, name)
    return made


def judged(account: pa.Table, known: Known) -> pa.Table:
    """Complete the column ``outcome``: of those that are to land, some are `REPEATED` or a `CONFLICT`.

    Args:
        account: a row for each event: ``outcome`` (text), ``partition``, ``offset``, ``position`` and `IDENTITY`
            (integers).
        known: the events that landed before.
    """
    landing = np.flatnonzero(pc.equal(account["outcome"], LANDED).to_numpy(zero_copy_only=False))
    candidates = account.take(pa.array(landing))
    here = entries(candidates)
    order = np.lexsort([*(_numbers(candidates, name) for name in ("position", "partition", "offset")), here["id"]])
    verdicts = np.full(account.num_rows, None, object)
    verdicts[landing[order]] = _compared(here[order], known)
    outcome = pc.coalesce(pa.array(verdicts, pa.string()), account["outcome"])
    return account.set_column(account.schema.get_field_index("outcome"), "outcome", outcome)


def _compared(sorted_entries: Entries, known: Known) -> npt.NDArray[Any]:
    """For events in the order of their ids: None, `REPEATED` or `CONFLICT`, each against the first of its id."""
    ids = sorted_entries["id"]
    is_first = np.ones(ids.size, bool)
    is_first[1:] = ids[1:] != ids[:-1]
    first = sorted_entries[np.maximum.accumulate(np.where(is_first, np.arange(ids.size), 0))]
    landed, before = known.find(ids)
    first[landed] = before[landed]
    verdicts = np.where(_same(first, sorted_entries), REPEATED, CONFLICT).astype(object)
    verdicts[is_first & ~landed] = None
    return verdicts


def _in_order(entries: Entries) -> Entries:
    """By id, of one id the newest last: of the others `find` would only see that they are forgotten."""
    ordered: Entries = entries[np.lexsort((entries["received"], entries["id"]))]
    return ordered


def _same(one: Entries, other: Entries) -> npt.NDArray[np.bool_]:
    stamped = (one["happened"] == one["received"]) | (other["happened"] == other["received"])
    same: npt.NDArray[np.bool_] = (one["content"] == other["content"]) & (
        (one["happened"] == other["happened"]) | stamped
    )
    return same


def _numbers(table: pa.Table, name: str) -> npt.NDArray[np.int64]:
    numbers: npt.NDArray[np.int64] = table[name].to_numpy().astype(np.int64)
    return numbers


def of_outcome(account: pa.Table, outcomes: Sequence[str]) -> pa.Table:
    """The records with one of these outcomes."""
    return account.filter(pc.is_in(account["outcome"], pa.array(outcomes)))

"""Deduplication: a client that got no answer sends an event again, with the same ``event_id``, and it stays one row.

Of events with one id the first in the topic lands. A later one with equal content is a *duplicate*: it is counted and
dropped. A later one with other content is a *conflict* and becomes a dead letter. Content is equal when type, user and
own fields are equal and the event times are, unless one of the two events took its time of receipt for its event time
because the client gave none.

The *dedup index* holds what landed within `Settings.dedup_days`, as 64-bit hashes: 32 bytes an event, in the memory of
the stream. It is rebuilt from table ``events`` at every start, so a crash loses none of it. It refuses more than
`Settings.dedup_events`. Two ids with the same hash, a chance of 3 in a million among ten million events, are a
conflict: the second event is in the dead letters, not lost.
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

from questlog.errors import StreamRefused
from questlog.events import Catalogue
from questlog.events.catalogue import COMMON, STAMPED
from questlog.events.schema import EVENT_TYPE, SPARK_TYPES
from questlog.settings import Settings
from questlog.stream.transforms import DUPLICATES, LANDED

CONFLICT = "conflict"
IDENTITY = ("id", "content", "happened", "received")
"""Columns that tell events apart: hash of the id, hash of what it says, and two times in milliseconds since 1970."""
DAY_MS = 86_400_000
ENTRY_BYTES = 32

Entries: TypeAlias = npt.NDArray[np.void]
_ENTRY = np.dtype([(name, np.int64) for name in IDENTITY])
NOTHING: Entries = np.empty(0, _ENTRY)


def identity(catalogue: Catalogue, prefix: str = "") -> list[str]:
    """Spark SQL for the columns `IDENTITY` of a row of table ``events``, whose columns' names begin with `prefix`."""
    own = [
        f"{prefix}`{field.name}`, {place}" for place, field in enumerate(catalogue.fields)
    ]  # a null hashes to nothing
    says = f"{prefix}{EVENT_TYPE}, {prefix}user_id, {', '.join(own)}"
    return [
        f"xxhash64({prefix}event_id) AS id",
        f"xxhash64({says}) AS content",
        f"unix_millis({prefix}event_time) AS happened",
        f"unix_millis({prefix}received_at) AS received",
    ]


class DedupIndex:
    """The events that have landed, in a few sorted arrays: adding merges those of like size.

    An expired event is no longer found, and leaves its array when that is merged: a micro-batch never goes through all
    that is in the index.

    Args:
        most: events up to which the index grows.

    Raises:
        StreamRefused: from `add`, when it would hold more.
    """

    def __init__(self, most: int, entries: Entries = NOTHING) -> None:
        self._most = most
        self._runs: list[Entries] = []
        self._since = -math.inf
        self.add(entries)

    def __len__(self) -> int:
        return sum(run.size for run in self._runs)

    def add(self, entries: Entries) -> None:
        """Add events; no id among them is in the index."""
        if not entries.size:
            return
        if len(self) + entries.size > self._most:
            self._runs = [_in_order(self._live(np.concatenate(self._runs)))] if self._runs else []
        if (wanted := len(self) + entries.size) > self._most:
            raise StreamRefused(
                f"the dedup index would hold {wanted:,} events ({wanted * ENTRY_BYTES / 1e6:,.0f} MB), and "
                f"dedup_events allows {self._most:,}: raise QUESTLOG_DEDUP_EVENTS if this machine has the memory, or "
                "recognise duplicates for fewer days with QUESTLOG_DEDUP_DAYS."
            )
        self._runs.append(_in_order(entries))
        while len(self._runs) > 1 and self._runs[-2].size < 2 * self._runs[-1].size:
            last, before = self._runs.pop(), self._runs.pop()
            self._runs.append(_in_order(np.concatenate([self._live(before), last])))

    def find(self, ids: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.bool_], Entries]:
        """Which ids are in the index, and the events that they name; what stands for the others has no meaning."""
        found, entries = np.zeros(ids.size, bool), np.empty(ids.size, _ENTRY)
        for run in self._runs:
            places = np.maximum(np.searchsorted(run["id"], ids, side="right") - 1, 0)
            here = (run["id"][places] == ids) & (run["received"][places] >= self._since)
            entries[here] = run[places[here]]
            found |= here
        return found, entries

    def expire(self, before: float) -> None:
        """No longer find the events received before a time, in milliseconds since 1970."""
        self._since = before

    def _live(self, run: Entries) -> Entries:
        return run[run["received"] >= self._since]


def load(spark: SparkSession, settings: Settings, folders: Sequence[str], catalogue: Catalogue) -> DedupIndex:
    """The index of the events that landed within `Settings.dedup_days`, from the files in partition folders.

    Raises:
        StreamRefused: there are more than `Settings.dedup_events`.
    """
    if not folders or not settings.dedup_days:
        return DedupIndex(settings.dedup_events)
    since = datetime.fromtimestamp(horizon(settings) / 1000, UTC)
    names = [*COMMON, *STAMPED, *catalogue.fields]
    columns = ", ".join(f"`{field.name}` {SPARK_TYPES[field.kind]}" for field in names)
    # A file that was written before has no newer rows; a merged file is new, though its rows may be old.
    reader = spark.read.schema(columns).option("modifiedAfter", since.strftime("%Y-%m-%dT%H:%M:%S"))
    rows = reader.parquet(*(settings.hdfs_url + folder for folder in folders))
    recent = rows.where(sf.col("received_at") >= sf.lit(since))
    return DedupIndex(settings.dedup_events, entries(recent.selectExpr(*identity(catalogue)).toArrow()))


def horizon(settings: Settings) -> float:
    """The time of receipt before which an event has expired from the index, in milliseconds since 1970."""
    return time.time() * 1000 - settings.dedup_days * DAY_MS


def entries(table: pa.Table) -> Entries:
    """The columns `IDENTITY` of a table as one array."""
    made = np.empty(table.num_rows, _ENTRY)
    for name in IDENTITY:
        made[name] = _numbers(table, name)
    return made


def with_duplicates(outcomes: pa.Table, index: DedupIndex) -> pa.Table:
    """Complete the column ``outcome``: of the events that are to land, some are `DUPLICATES` or a `CONFLICT`.

    Args:
        outcomes: a row for each event: ``outcome`` (text), ``partition``, ``offset``, ``position`` and `IDENTITY`
            (integers).
        index: the events that landed before.
    """
    landing = np.flatnonzero(pc.equal(outcomes["outcome"], LANDED).to_numpy(zero_copy_only=False))
    candidates = outcomes.take(pa.array(landing))
    here = entries(candidates)
    order = np.lexsort([*(_numbers(candidates, name) for name in ("position", "partition", "offset")), here["id"]])
    found = np.full(outcomes.num_rows, None, object)
    found[landing[order]] = _compared(here[order], index)
    outcome = pc.coalesce(pa.array(found, pa.string()), outcomes["outcome"])
    return outcomes.set_column(outcomes.schema.get_field_index("outcome"), "outcome", outcome)


def of_outcome(outcomes: pa.Table, wanted: Sequence[str]) -> pa.Table:
    """The records with one of these outcomes."""
    return outcomes.filter(pc.is_in(outcomes["outcome"], pa.array(wanted)))


def _compared(sorted_entries: Entries, index: DedupIndex) -> npt.NDArray[Any]:
    """For events in the order of their ids: None, `DUPLICATES` or `CONFLICT`, each against the first of its id."""
    ids = sorted_entries["id"]
    is_first = np.ones(ids.size, bool)
    is_first[1:] = ids[1:] != ids[:-1]
    first = sorted_entries[np.maximum.accumulate(np.where(is_first, np.arange(ids.size), 0))]
    landed, before = index.find(ids)
    first[landed] = before[landed]
    found = np.where(_same(first, sorted_entries), DUPLICATES, CONFLICT).astype(object)
    found[is_first & ~landed] = None
    return found


def _in_order(entries: Entries) -> Entries:
    """By id, of one id the newest last: of the others `find` would only see that they have expired."""
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

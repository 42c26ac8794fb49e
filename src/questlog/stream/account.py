"""The account of a micro-batch: what became of its records, by event type; as an Arrow table, counts, and parquet."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq

from questlog.events.schema import LEDGER_COLUMNS, PARTITION_TYPE
from questlog.stream.transforms import OUTCOMES

ARROW = {"varchar": pa.string(), "bigint": pa.int64()}

Counts = dict[str, dict[str, int]]
"""Rows by event type, and by outcome."""


def counted(account: pa.Table) -> Counts:
    """The counts of an account: columns ``event_type`` and ``outcome`` (text), a row for each record."""
    counts: Counts = {}
    for group in account.group_by([PARTITION_TYPE, "outcome"]).aggregate([([], "count_all")]).to_pylist():
        of = counts.setdefault(group[PARTITION_TYPE], dict.fromkeys(OUTCOMES, 0))
        of[group["outcome"]] = group["count_all"]
    return counts


def total(counts: Counts, outcome: str) -> int:
    """The rows of one outcome."""
    return sum(of[outcome] for of in counts.values())


def ledger(counts: Counts, stream: str, batch: int) -> bytes:
    """The batch's rows of table ``ledger``, as a parquet file."""
    rows = [{"stream": stream, "batch": batch, "event_type": name, **of} for name, of in sorted(counts.items())]
    buffer = io.BytesIO()
    pq.write_table(
        pa.Table.from_pylist(rows, pa.schema([(name, ARROW[kind]) for name, kind in LEDGER_COLUMNS])), buffer
    )
    return buffer.getvalue()


def read_ledger(parquet: bytes) -> Counts:
    """The counts that `ledger` wrote."""
    rows = pq.read_table(pa.BufferReader(parquet)).to_pylist()
    return {row["event_type"]: {outcome: row.get(outcome) or 0 for outcome in OUTCOMES} for row in rows}

"""The audit of a micro-batch: its events by event type and outcome, as counts and as rows of table ``batches``."""

from __future__ import annotations

import pyarrow as pa

from questlog.events.schema import BATCH_COLUMNS, EVENT_TYPE
from questlog.lake import parquet
from questlog.lake.types import arrow_schema
from questlog.settings import BATCHES_TABLE
from questlog.stream.transforms import OUTCOMES

Counts = dict[str, dict[str, int]]
"""Events by event type, and by outcome."""


def count(outcomes: pa.Table) -> Counts:
    """The counts of a table with the columns ``event_type`` and ``outcome`` (text) and a row for each event."""
    counts: Counts = {}
    for group in outcomes.group_by([EVENT_TYPE, "outcome"]).aggregate([([], "count_all")]).to_pylist():
        of = counts.setdefault(group[EVENT_TYPE], dict.fromkeys(OUTCOMES, 0))
        of[group["outcome"]] = group["count_all"]
    return counts


def total(counts: Counts, outcome: str) -> int:
    """The events of one outcome."""
    return sum(of[outcome] for of in counts.values())


def encode(counts: Counts, stream: str, batch: int) -> bytes:
    """The batch's rows of table ``batches``, as a parquet file."""
    rows = [{"stream": stream, "batch": batch, EVENT_TYPE: name, **of} for name, of in sorted(counts.items())]
    return parquet.encode(BATCHES_TABLE, pa.Table.from_pylist(rows, arrow_schema(BATCH_COLUMNS)))

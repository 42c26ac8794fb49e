"""Rows as parquet files: sorted, and cut into row groups that Presto can skip. No input or output.

Presto 0.287 skips a row group that cannot hold the query's value: it compares a number with the least and greatest one
of the group, and looks a text up in the column's dictionary; for a time it does neither. So files of table ``events``
are sorted by `ORDER`, and a new row group begins where the event type changes, unless the group would have fewer than
`SMALLEST_GROUP` rows: a footer of many tiny groups costs more than it saves.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from questlog.errors import LakeError
from questlog.events.schema import EVENT_TYPE
from questlog.settings import BATCHES_TABLE, DEAD_LETTERS_TABLE, EVENTS_TABLE, PROGRESS_TABLE

ORDER = {
    EVENTS_TABLE: (EVENT_TYPE, "event_time"),
    DEAD_LETTERS_TABLE: ("kafka_partition", "kafka_offset"),
    BATCHES_TABLE: ("stream", "batch"),
    PROGRESS_TABLE: ("stream", "batch"),
}
"""Columns by which the rows of a table are sorted within a file."""
LARGEST_GROUP, SMALLEST_GROUP = 20_000, 500
"""Rows in a row group."""


def encode(table: str, rows: pa.Table, compression: str = "snappy") -> bytes:
    """Rows of one of the `ORDER` tables as a parquet file, in the table's order."""
    order = [(column, "ascending") for column in ORDER[table]]
    ordered, out = rows.sort_by(order), io.BytesIO()
    sorting = pq.SortingColumn.from_ordering(ordered.schema, order)
    with pq.ParquetWriter(
        out, ordered.schema, compression=compression, store_schema=False, sorting_columns=sorting
    ) as writer:
        for group in _row_groups(ordered) if table == EVENTS_TABLE else [ordered]:
            writer.write_table(group, row_group_size=LARGEST_GROUP)
    return out.getvalue()


def merge(table: str, contents: Sequence[bytes]) -> bytes:
    """One parquet file with the rows of several files of the same table.

    A column that some of the files lack is null in their rows.

    Raises:
        LakeError: one is no parquet file, two keep a column in types that do not go together, or the merged file
            would not hold all rows.
    """
    try:
        parts = [pq.read_table(pa.BufferReader(content)).replace_schema_metadata() for content in contents]
        rows = pa.concat_tables(parts, promote_options="default")
    except pa.ArrowException as error:
        raise LakeError(f"files of {table} cannot be merged: {error}") from error
    merged = encode(table, rows, compression="zstd")
    if (after := row_count(merged)) != (before := sum(part.num_rows for part in parts)):
        raise LakeError(f"files of {table}: {before} rows became {after} when merged, so the old files stay.")
    return merged


def row_count(content: bytes) -> int:
    """Rows of a parquet file."""
    return int(pq.read_metadata(pa.BufferReader(content)).num_rows)


def _row_groups(ordered: pa.Table) -> Iterator[pa.Table]:
    """Slices that begin where the event type changes, each of at least `SMALLEST_GROUP` rows but the last."""
    runs = pc.run_end_encode(ordered[EVENT_TYPE].combine_chunks()) if ordered.num_rows else None
    begin = 0
    for end in runs.run_ends.to_pylist() if runs is not None else ():
        if end - begin >= SMALLEST_GROUP or end == ordered.num_rows:
            yield ordered.slice(begin, end - begin)
            begin = end
    if not ordered.num_rows:
        yield ordered

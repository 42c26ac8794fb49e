"""Merging: many parquet files become few. Which go together, and how the new ones are written; no input or output.

Rows are put in the order of `ORDER`, and each row group keeps the least and greatest value of its columns, so that a
query for one player reads the few row groups that can hold it. Presto 0.287 makes use of these for text and numbers,
but not for times: hence the player comes first, and what narrows a query to a time is the partition, a day.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from questlog.errors import CatalogError
from questlog.settings import DEAD_LETTERS_TABLE, EVENTS_TABLE, LEDGER_TABLE, PROGRESS_TABLE

if TYPE_CHECKING:
    from questlog.catalog.files import DataFile

ORDER = {
    EVENTS_TABLE: ("user_id", "event_time"),
    DEAD_LETTERS_TABLE: ("kafka_partition", "kafka_offset"),
    LEDGER_TABLE: ("stream", "batch"),
    PROGRESS_TABLE: ("stream", "batch"),
}
"""Columns by which the rows of a table are sorted within a file."""
ROW_GROUP_ROWS = 20_000
"""Rows in a row group: the least that a query reads."""


def groups(files: Iterable[DataFile], target_bytes: int) -> list[list[DataFile]]:
    """Files that become one each: neighbours of together about `target_bytes`.

    Those of half that size and more are left out, and so is one that has no neighbour.
    """
    made: list[list[DataFile]] = [[]]
    filled = 0
    for file in files:
        if 2 * file.bytes >= target_bytes:
            continue
        if filled + file.bytes > target_bytes:
            made.append([])
            filled = 0
        made[-1].append(file)
        filled += file.bytes
    return [group for group in made if len(group) > 1]


def merged(table: str, contents: Sequence[bytes]) -> bytes:
    """One parquet file with the rows of several, of the same table, in its order.

    A column that some of the files lack is null in their rows.

    Raises:
        CatalogError: when one is no parquet file, or two keep a column in types that do not go together.
    """
    try:
        parts = [pq.read_table(pa.BufferReader(content)).replace_schema_metadata() for content in contents]
        rows = pa.concat_tables(parts, promote_options="default")
    except pa.ArrowException as error:
        raise CatalogError(f"files of {table} cannot be merged: {error}") from error
    order = [(column, "ascending") for column in ORDER[table]]
    out = io.BytesIO()
    pq.write_table(
        rows.sort_by(order), out, row_group_size=ROW_GROUP_ROWS, compression="zstd", store_schema=False,
        sorting_columns=pq.SortingColumn.from_ordering(rows.schema, order),
    )  # fmt: skip
    return out.getvalue()


def rows(content: bytes) -> int:
    """Rows of a parquet file."""
    return int(pq.read_metadata(pa.BufferReader(content)).num_rows)

"""Rows of tables by event type, counted from their parquet files in HDFS: a count that does not need Presto.

A file's last bytes hold its footer, with the least and greatest event type of each row group. A group that has one type
is counted from these; only where types are mixed, the column is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from questlog.errors import LakeError
from questlog.events.catalogue import UNKNOWN_TYPE
from questlog.events.schema import EVENT_TYPE
from questlog.lake.hdfs import Entry, Hdfs
from questlog.lake.metastore import Metastore
from questlog.settings import DEAD_LETTERS_TABLE, EVENTS_TABLE, Settings

TAIL_BYTES = 64 * 1024
"""What is read of a larger file at first."""
TRAILER_BYTES = 8
"""A parquet file ends with its footer's length (4 bytes, little endian) and ``PAR1``."""


@dataclass(frozen=True)
class DataFile:
    """One file of a table: its partition, its path in HDFS, and its length in bytes."""

    partition: str
    path: str
    bytes: int


def listing(settings: Settings, table: str) -> list[DataFile]:
    """The files that Presto sees of a table, by partition and path.

    Raises:
        LakeError: HDFS or the metastore is not reachable.
    """
    hdfs, locations = Hdfs(settings), sorted(Metastore(settings).locations(table).items())
    found = hdfs.each(hdfs.files, [folder for _, folder in locations])
    return [
        DataFile(partition, entry.path, entry.bytes)
        for (partition, _), entries in zip(locations, found, strict=True)
        for entry in entries
    ]


def landed_rows(settings: Settings) -> dict[str, int]:
    """Rows of table ``events`` by event type.

    Raises:
        LakeError: a file is no parquet file, or HDFS or the metastore is not reachable.
    """
    return _rows_by_type(settings, EVENTS_TABLE)


def dead_letter_rows(settings: Settings) -> dict[str, int]:
    """Rows of table ``dead_letters`` by event type.

    Raises:
        LakeError: a file is no parquet file, or HDFS or the metastore is not reachable.
    """
    return _rows_by_type(settings, DEAD_LETTERS_TABLE)


def rows_by_type(hdfs: Hdfs, file: Entry | DataFile) -> Counter[str]:
    """Rows of one file by event type; null is counted as `UNKNOWN_TYPE`.

    Raises:
        LakeError: it is no parquet file, or HDFS is not reachable.
    """
    tail = hdfs.read(file.path, max(file.bytes - TAIL_BYTES, 0))
    if file.bytes > len(tail):
        footer = int.from_bytes(tail[-TRAILER_BYTES:-4], "little") + TRAILER_BYTES
        if footer > len(tail):
            tail = hdfs.read(file.path, file.bytes - min(footer, file.bytes))
    with _readable(file):
        counted = _from_footer(pq.read_metadata(pa.BufferReader(tail)))
        if counted is not None:
            return counted
        content = tail if len(tail) == file.bytes else hdfs.read(file.path)
        column = pq.read_table(pa.BufferReader(content), columns=[EVENT_TYPE])[EVENT_TYPE]
    return Counter({count["values"] or UNKNOWN_TYPE: count["counts"] for count in column.value_counts().to_pylist()})


def _rows_by_type(settings: Settings, table: str) -> dict[str, int]:
    hdfs = Hdfs(settings)
    return dict(sum(hdfs.each(lambda file: rows_by_type(hdfs, file), listing(settings, table)), Counter[str]()))


def _from_footer(footer: pq.FileMetaData) -> Counter[str] | None:
    """Rows by type, if each row group has one type and says so."""
    counted: Counter[str] = Counter()
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        column = next(
            (group.column(i) for i in range(group.num_columns) if group.column(i).path_in_schema == EVENT_TYPE), None
        )
        statistics = column.statistics if column is not None else None
        if (
            statistics is None
            or not statistics.has_min_max
            or statistics.min != statistics.max
            or statistics.null_count
        ):
            return None
        counted[statistics.min] += group.num_rows
    return counted


@contextmanager
def _readable(file: Entry | DataFile) -> Iterator[None]:
    try:
        yield
    except pa.ArrowException as error:
        why = str(error).rstrip(".")
        raise LakeError(
            f"{file.path} ({file.bytes} bytes) is not a parquet file: {why}. "
            "Only the writer puts files below a table: find out what put it there, and move it away."
        ) from error

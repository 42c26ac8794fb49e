"""A small batch's rows, written by the driver: of events one file for each type and day, all at once.

Spark's own write of a few rows is a job with a committer, which makes, lists, renames and deletes folders in HDFS; here
a file takes one creation. Names and content are as Spark's: nobody who reads them can tell.
"""

from __future__ import annotations

import io
import uuid

import pyarrow as pa
import pyarrow.parquet as pq

from questlog.events.schema import PARTITION_DATE, PARTITION_TYPE
from questlog.stream.files import Files

KEYS = [PARTITION_TYPE, PARTITION_DATE]


def write_events(files: Files, events: pa.Table, path: str) -> None:
    """Write the rows of table ``events`` below a folder that nobody reads yet.

    Raises:
        StreamError: HDFS refused; some files may be there, and some not.
    """
    folders = events.select(KEYS).group_by(KEYS).aggregate([]).sort_by([(key, "ascending") for key in KEYS]).to_pylist()
    files.each(lambda folder: _write_partition(files, events, folder, path), folders)


def write(files: Files, rows: pa.Table, folder: str) -> None:
    """Write rows as one file into a folder that nobody reads yet.

    Raises:
        StreamError: HDFS refused.
    """
    out = io.BytesIO()
    pq.write_table(rows, out, compression="snappy")
    files.write(f"{folder}/part-00000-{uuid.uuid4()}.c000.snappy.parquet", out.getvalue())


def _write_partition(files: Files, events: pa.Table, folder: dict[str, object], path: str) -> None:
    chosen = events.filter(_is_in(events, folder)).drop_columns(KEYS)
    write(files, chosen, f"{path}/{'/'.join(f'{key}={folder[key]}' for key in KEYS)}")


def _is_in(events: pa.Table, folder: dict[str, object]) -> pa.compute.Expression:
    one, other = (pa.compute.field(key) == pa.scalar(folder[key], events.schema.field(key).type) for key in KEYS)
    return one & other

"""Rows by event type, counted from the footers of parquet files, or from the column where a row group mixes types."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from questlog.catalog import counts
from questlog.catalog.counts import TAIL_BYTES, DataFile
from questlog.errors import LakeError
from questlog.events.catalogue import UNKNOWN_TYPE
from questlog.lake import parquet
from questlog.lake.hdfs import Hdfs
from questlog.lake.parquet import SMALLEST_GROUP
from questlog.settings import Settings

PATH = "/warehouse/shop/events/event_date=2026-01-05/v000000-000000/part-0.parquet"


class OneFile(Hdfs):
    """HDFS with one file; remembers how much of it was read."""

    def __init__(self, content: bytes) -> None:
        super().__init__(Settings.load())
        self.content, self.bytes_read = content, 0

    def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        assert path == PATH
        part = self.content[offset : None if length is None else offset + length]
        self.bytes_read += len(part)
        return part

    def counted(self) -> dict[str, int]:
        return counts.rows_by_type(self, DataFile("event_date=2026-01-05", PATH, len(self.content)))


def events(**numbers: int) -> pa.Table:
    """So many rows of each type, each with an id that does not compress."""
    types = [name for name, count in numbers.items() for _ in range(count)]
    ids = [f"{place * 7919 % 1_000_003:x}-{place:x}" for place in range(len(types))]
    return pa.table({"event_type": types, "event_time": range(len(types)), "event_id": ids})


def written(columns: dict[str, Any], **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **options)
    return out.getvalue()


def test_types_that_have_row_groups_of_their_own_are_counted_from_the_footer_alone() -> None:
    hdfs = OneFile(parquet.encode("events", events(page_view=20_000, join_guild=SMALLEST_GROUP)))
    assert len(hdfs.content) > TAIL_BYTES

    assert hdfs.counted() == {"page_view": 20_000, "join_guild": SMALLEST_GROUP}
    assert hdfs.bytes_read == TAIL_BYTES


def test_types_that_share_a_row_group_are_counted_from_their_column() -> None:
    hdfs = OneFile(parquet.encode("events", events(page_view=2, join_guild=1)))

    assert hdfs.counted() == {"page_view": 2, "join_guild": 1}


def test_a_footer_that_is_longer_than_the_tail_is_read_whole() -> None:
    columns = {f"column_{n}": [None] for n in range(2_000)}
    hdfs = OneFile(written({"event_type": ["page_view"], **columns}))
    assert int.from_bytes(hdfs.content[-8:-4], "little") > TAIL_BYTES

    assert hdfs.counted() == {"page_view": 1}


def test_rows_without_a_type_are_counted_as_unknown() -> None:
    assert OneFile(written({"event_type": [None, "a", None]})).counted() == {UNKNOWN_TYPE: 2, "a": 1}
    assert OneFile(written({"event_type": pa.array([None], pa.string())})).counted() == {UNKNOWN_TYPE: 1}


def test_a_file_without_statistics_is_counted_all_the_same() -> None:
    assert OneFile(written({"event_type": ["a", "a"]}, write_statistics=False)).counted() == {"a": 2}


def test_a_file_without_rows_has_no_types() -> None:
    assert OneFile(parquet.encode("events", events(page_view=1).slice(0, 0))).counted() == {}


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all", b"x" * (TAIL_BYTES + 1)])
def test_what_is_no_parquet_file_is_named_with_its_length_and_what_to_do(content: bytes) -> None:
    with pytest.raises(LakeError, match=rf"{PATH} \({len(content)} bytes\) is not a parquet file: .*move it away"):
        OneFile(content).counted()

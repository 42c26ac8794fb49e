"""Rows become sorted parquet files whose row groups Presto can skip, and small files become one."""

from __future__ import annotations

import io
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from questlog.errors import LakeError
from questlog.events import CATALOGUE
from questlog.events.schema import BATCH_COLUMNS, DEAD_LETTER_COLUMNS, PROGRESS_COLUMNS, events_columns
from questlog.lake import parquet
from questlog.lake.layout import TABLES
from questlog.lake.parquet import LARGEST_GROUP, SMALLEST_GROUP
from questlog.lake.types import ARROW_OF, SPARK_OF, arrow_schema, spark_ddl

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
COLUMNS = {
    "events": events_columns(CATALOGUE),
    "dead_letters": DEAD_LETTER_COLUMNS,
    "batches": BATCH_COLUMNS,
    "stream_progress": PROGRESS_COLUMNS,
}


def written(**columns: list[Any]) -> bytes:
    """A parquet file as another writer makes it."""
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def opened(content: bytes) -> pq.ParquetFile:
    return pq.ParquetFile(pa.BufferReader(content))


def rows(content: bytes) -> dict[str, list[Any]]:
    return opened(content).read().to_pydict()


def events(**counts: int) -> pa.Table:
    """So many rows of each type, the types in turn and the newest first."""
    types = [name for place in range(max(counts.values())) for name, count in counts.items() if place < count]
    times = [MONDAY - timedelta(seconds=place) for place in range(len(types))]
    schema = pa.schema([("event_type", pa.string()), ("event_time", pa.timestamp("us", tz="UTC"))])
    return pa.table({"event_type": types, "event_time": times}, schema)


def groups(content: bytes) -> list[tuple[str, str, int]]:
    """Of each row group the least and the greatest type, as its footer tells them, and its rows."""
    found = opened(content).metadata
    some = [found.row_group(place) for place in range(found.num_row_groups)]
    return [(one.column(0).statistics.min, one.column(0).statistics.max, one.num_rows) for one in some]


def test_every_table_with_files_has_an_order() -> None:
    assert set(parquet.ORDER) == set(TABLES) == set(COLUMNS)


@pytest.mark.parametrize("table", COLUMNS)
def test_a_table_is_sorted_by_columns_that_it_has_and_its_types_are_known_to_arrow_and_spark(table: str) -> None:
    columns = COLUMNS[table]

    assert set(parquet.ORDER[table]) <= {name for name, _ in columns}
    assert arrow_schema(columns).names == [name for name, _ in columns]
    assert all(f"`{name}` {SPARK_OF[kind]}" in spark_ddl(columns) for name, kind in columns)
    assert set(ARROW_OF) == set(SPARK_OF)


@pytest.mark.parametrize("table", COLUMNS)
def test_a_file_without_rows_has_every_column_of_its_table(table: str) -> None:
    schema = arrow_schema(COLUMNS[table])

    content = parquet.encode(table, schema.empty_table())

    assert parquet.row_count(content) == 0
    assert opened(content).schema_arrow.names == schema.names


def test_events_are_sorted_by_type_and_then_by_time() -> None:
    found = rows(parquet.encode("events", events(join_guild=2, page_view=3, create_player=1)))

    assert found["event_type"] == ["create_player", "join_guild", "join_guild", "page_view", "page_view", "page_view"]
    assert found["event_time"] == [MONDAY - timedelta(seconds=place) for place in (2, 3, 0, 5, 4, 1)]


def test_a_row_group_begins_where_the_event_type_changes() -> None:
    content = parquet.encode("events", events(page_view=SMALLEST_GROUP, join_guild=SMALLEST_GROUP + 1))

    assert groups(content) == [
        ("join_guild", "join_guild", SMALLEST_GROUP + 1),
        ("page_view", "page_view", SMALLEST_GROUP),
    ]


def test_types_with_few_rows_share_a_row_group_with_the_next() -> None:
    content = parquet.encode("events", events(a=1, b=SMALLEST_GROUP - 1, c=SMALLEST_GROUP, d=2))

    assert groups(content) == [("a", "b", SMALLEST_GROUP), ("c", "c", SMALLEST_GROUP), ("d", "d", 2)]


def test_many_rows_of_one_type_are_several_row_groups() -> None:
    content = parquet.encode("events", events(a=LARGEST_GROUP + 1, b=SMALLEST_GROUP))

    assert groups(content) == [("a", "a", LARGEST_GROUP), ("a", "a", 1), ("b", "b", SMALLEST_GROUP)]


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 3 * SMALLEST_GROUP), min_size=1))
def test_however_many_rows_of_each_type_there_are_the_row_groups_hold_them_all_in_order(counts: dict[str, int]) -> None:
    content = parquet.encode("events", events(**counts))
    found = groups(content)

    assert rows(content)["event_type"] == sorted(name for name, count in counts.items() for _ in range(count))
    assert sum(count for *_, count in found) == sum(counts.values()) == parquet.row_count(content)
    assert all(count >= SMALLEST_GROUP for *_, count in found[:-1])
    assert all(before[1] < after[0] for before, after in itertools.pairwise(found))


@pytest.mark.parametrize("table", ["dead_letters", "batches", "stream_progress"])
def test_a_table_that_is_not_of_events_has_one_row_group_in_its_order(table: str) -> None:
    first, second = parquet.ORDER[table]
    given = pa.table({first: ["b", "a", "a"], second: [1, 2, 1]})

    content = parquet.encode(table, given)

    assert rows(content) == {first: ["a", "a", "b"], second: [1, 2, 1]}
    assert opened(content).num_row_groups == 1


def test_a_file_says_by_which_columns_it_is_sorted() -> None:
    found = opened(parquet.encode("events", events(page_view=1))).metadata.row_group(0)

    assert [(one.column_index, one.descending) for one in found.sorting_columns] == [(0, False), (1, False)]


def test_files_are_merged_in_the_order_of_the_table() -> None:
    older, newer = (parquet.encode("events", events(page_view=600, join_guild=600)) for _ in range(2))

    merged = parquet.merge("events", [newer, older])

    assert rows(merged) == rows(parquet.encode("events", pa.concat_tables([events(page_view=600, join_guild=600)] * 2)))
    assert groups(merged) == [("join_guild", "join_guild", 1200), ("page_view", "page_view", 1200)]


def test_a_column_that_one_file_lacks_is_null_in_its_rows() -> None:
    old = written(stream=["a"], batch=[1])
    new = written(stream=["a", "a"], batch=[2, 0], landed=[7, 5])

    assert rows(parquet.merge("batches", [old, new])) == {
        "stream": ["a"] * 3,
        "batch": [0, 1, 2],
        "landed": [5, None, 7],
    }


def test_files_that_each_have_columns_of_their_own_keep_them_all() -> None:
    one = written(batch=[1], stream=["a"], filtered=[1])
    other = written(landed=[2], stream=["a"], batch=[0])

    found = rows(parquet.merge("batches", [one, other]))

    assert found == {"batch": [0, 1], "stream": ["a", "a"], "filtered": [None, 1], "landed": [2, None]}


def test_files_of_spark_and_of_the_driver_are_merged_though_their_metadata_differ() -> None:
    schema = pa.schema([("stream", pa.string()), ("batch", pa.int64())])
    out = io.BytesIO()
    pq.write_table(pa.table({"stream": ["a"], "batch": [1]}, schema.with_metadata({"made by": "Spark"})), out)
    driver = parquet.encode("batches", pa.table({"stream": ["a"], "batch": [0]}, schema))

    merged = parquet.merge("batches", [out.getvalue(), driver])

    assert rows(merged)["batch"] == [0, 1]
    assert b"made by" not in (opened(merged).metadata.metadata or {})


@pytest.mark.parametrize("other", [b"no parquet", written(stream=[1], batch=[["x"]])], ids=["bytes", "types"])
def test_what_cannot_be_merged_is_refused_with_the_table_named(other: bytes) -> None:
    with pytest.raises(LakeError, match="files of batches cannot be merged"):
        parquet.merge("batches", [written(stream=["a"], batch=[1]), other])


def test_a_merged_file_that_lacks_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    one = written(stream=["a"], batch=[1])
    monkeypatch.setattr(parquet, "encode", lambda *_, **__: one)

    with pytest.raises(LakeError, match="files of batches: 2 rows became 1 when merged, so the old files stay"):
        parquet.merge("batches", [one, one])

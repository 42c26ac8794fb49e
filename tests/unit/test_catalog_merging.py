import io
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from questlog.catalog import compaction, merging
from questlog.catalog.files import DataFile
from questlog.errors import CatalogError


def of_sizes(*sizes: int) -> list[DataFile]:
    return [DataFile(f"/{place}", size) for place, size in enumerate(sizes)]


def sizes(groups: list[list[DataFile]]) -> list[list[int]]:
    return [[file.bytes for file in group] for group in groups]


def parquet(**columns: list[object]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def test_neighbours_go_together_up_to_the_size_that_is_wanted() -> None:
    assert sizes(merging.groups(of_sizes(40, 40, 30, 40), 100)) == [[40, 40], [30, 40]]


def test_a_file_of_half_the_size_and_more_stays_as_it_is() -> None:
    assert sizes(merging.groups(of_sizes(10, 50, 500, 10), 100)) == [[10, 10]]


def test_a_small_file_without_a_neighbour_stays_as_it_is() -> None:
    assert merging.groups(of_sizes(10, 200), 100) == []
    assert merging.groups([], 100) == []


def test_rows_are_sorted_by_player_and_time_and_each_row_group_knows_its_bounds() -> None:
    times = [datetime(2026, 1, day, tzinfo=UTC) for day in (3, 2, 1)]
    content = merging.merged(
        "events",
        [parquet(user_id=["bob", "ada"], event_time=times[:2]), parquet(user_id=["ada"], event_time=times[2:])],
    )
    found = pq.ParquetFile(pa.BufferReader(content))
    assert found.read().to_pydict() == {"user_id": ["ada", "ada", "bob"], "event_time": times[::-1]}
    statistics = found.metadata.row_group(0).column(0).statistics
    assert (statistics.min, statistics.max) == ("ada", "bob")
    assert merging.rows(content) == 3


def test_a_column_that_one_file_lacks_is_null_in_its_rows() -> None:
    content = merging.merged("ledger", [parquet(stream=["a"], batch=[1]), parquet(stream=["a"], batch=[0], landed=[7])])
    assert pq.read_table(pa.BufferReader(content)).to_pydict()["landed"] == [7, None]


@pytest.mark.parametrize("other", [b"no parquet", parquet(stream=[1], batch=[["x"]])])
def test_what_cannot_be_merged_is_refused_with_the_table_named(other: bytes) -> None:
    with pytest.raises(CatalogError, match="files of ledger cannot be merged"):
        merging.merged("ledger", [parquet(stream=["a"], batch=[1]), other])


def test_of_the_ledger_each_streams_newest_batch_is_left_out_by_number() -> None:
    names = ["part-a-9.parquet", "part-a-10.parquet", "part-b-0.parquet", "merged-1-0.parquet"]
    assert compaction.settled(names) == {"part-a-9.parquet", "merged-1-0.parquet"}

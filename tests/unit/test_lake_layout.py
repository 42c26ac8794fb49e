"""Where things lie in HDFS, and what files are called: each name can be read back."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questlog.errors import LakeError
from questlog.lake import layout
from questlog.settings import Settings

SETTINGS = Settings.load(namespace="shop")
DAY, PARTITION = date(2026, 1, 5), "event_date=2026-01-05"
numbers = st.integers(0, 999_999)
streams = st.from_regex(r"[0-9a-f]{8}|replay-[0-9a-f]{12}", fullmatch=True)


def test_a_partition_lies_in_the_folder_of_its_version_below_its_table() -> None:
    assert layout.location(SETTINGS, "events", PARTITION) == f"/warehouse/shop/events/{PARTITION}/v000000-000000"
    assert layout.location(SETTINGS, "events", PARTITION, layout.version(3, 14)).endswith(f"{PARTITION}/v000003-000014")


@pytest.mark.parametrize("table", ["dead_letters", "batches", "stream_progress"])
def test_a_table_without_partitions_lies_in_the_folder_of_its_version(table: str) -> None:
    assert layout.location(SETTINGS, table) == f"/warehouse/shop/{table}/v000000-000000"


def test_files_that_are_being_written_lie_outside_every_table() -> None:
    for folder in (layout.attempts(SETTINGS), layout.prepared(SETTINGS, 7)):
        assert folder.startswith("/staging/shop/")


@given(st.dates())
def test_the_name_of_a_partition_tells_its_day(day: date) -> None:
    assert layout.partition_day(layout.partition_name(day)) == day


@pytest.mark.parametrize(
    "name",
    [
        "",
        "event_date",
        "event_date=",
        "event_date=yesterday",
        "event_date=2026-02-30",
        "event_date=2026-01-05/v000000-000000",
        "event_time=2026-01-05",
        "event_type=join_guild",
        "2026-01-05",
        "__HIVE_DEFAULT_PARTITION__",
    ],
)
def test_a_folder_that_is_no_partition_is_refused_with_its_name_and_what_to_do(name: str) -> None:
    with pytest.raises(LakeError, match=r"is not event_date=<YYYY-MM-DD>.*move it away") as refused:
        layout.partition_day(name)

    assert str(refused.value).startswith(repr(name))


@given(numbers, numbers)
def test_a_partition_location_tells_its_version(epoch: int, number: int) -> None:
    version = layout.version(epoch, number)

    for table, partition in (("events", PARTITION), ("batches", layout.WHOLE)):
        assert layout.version_of(layout.location(SETTINGS, table, partition, version)) == version


@given(st.tuples(numbers, numbers), st.tuples(numbers, numbers))
def test_versions_sort_by_the_writer_s_epoch_and_then_by_its_counter(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    assert (layout.version(*one) < layout.version(*other)) == (one < other)
    assert layout.version(0, 0) == layout.FIRST_VERSION <= layout.version(*one)


@given(st.integers(0, 10**8))
def test_the_folder_of_prepared_batches_tells_its_epoch(epoch: int) -> None:
    match = layout.PREPARED.fullmatch(layout.prepared(SETTINGS, epoch).rsplit("/", 1)[1])

    assert match
    assert int(match[1]) == epoch


@given(streams, st.integers(0, 10**12))
def test_the_name_of_an_audit_file_tells_its_stream_and_batch(stream: str, batch: int) -> None:
    match = layout.AUDIT_FILE.fullmatch(layout.audit_name(layout.batch_name(stream, batch)))

    assert match
    assert (match["stream"], int(match["batch"])) == (stream, batch)


@pytest.mark.parametrize(
    "name", ["merged-0123456789ab-0.parquet", "replay-0123456789ab.parquet", "part-a-1.parquet.tmp"]
)
def test_a_merged_or_replayed_file_of_table_batches_names_no_batch(name: str) -> None:
    assert not layout.AUDIT_FILE.fullmatch(name)


def test_a_published_file_is_named_by_its_batch_and_keeps_its_own_name_apart_from_that_of_others() -> None:
    batch = layout.batch_name("0a1b2c3d", 12)

    assert layout.published_name(batch, "part-0.parquet") == "part-0a1b2c3d-12-0.parquet"
    assert layout.published_name(batch, "part-00001-77.c000.parquet") == "part-0a1b2c3d-12-00001-77.c000.parquet"
    assert layout.published_name(batch, "part-0.parquet") != layout.published_name(batch, "part-1.parquet")

"""A file is added to a table beside the stream's batches: wherever the table's folder lies, and once."""

from collections.abc import Callable, Iterator

import landed
import pytest
from lake import Lake, filling

from questlog import pipeline
from questlog.catalog import compaction, files
from questlog.errors import CatalogError
from questlog.events.schema import PROGRESS_COLUMNS
from questlog.settings import PROGRESS_TABLE, Settings
from questlog.stream.adding import Adding
from questlog.stream.files import Files
from questlog.stream.guide import Guide
from questlog.stream.session import session
from questlog.stream.whereabouts import Whereabouts

Add = Callable[[int], None]


@pytest.fixture(scope="module")
def hdfs(settings: Settings) -> Iterator[Files]:
    found = Files(session(settings, pipeline.place(settings)), settings.hdfs_url)
    yield found
    found.close()


@pytest.fixture
def lake(fresh: Settings) -> Iterator[Lake]:
    with filling(fresh.in_namespace(fresh.namespace, compact_files=2)) as made:
        yield made


@pytest.fixture
def add(lake: Lake, hdfs: Files) -> Add:
    adding = Adding(
        hdfs, lake.settings, PROGRESS_TABLE, Guide(hdfs, lambda: Whereabouts(*compaction.whereabouts(lake.settings)))
    )
    return lambda batch: adding(name(batch), content(batch))


def name(batch: int) -> str:
    return f"part-abcd1234-{batch}.parquet"


def content(batch: int) -> bytes:
    return landed.parquet(PROGRESS_COLUMNS, [{"stream": "abcd1234", "batch": batch}])


def batches(lake: Lake) -> list[object]:
    return [batch for (batch,) in lake.rows("SELECT batch FROM stream_progress ORDER BY batch")]


def test_a_file_that_is_added_is_seen(lake: Lake, add: Add) -> None:
    add(0)
    add(1)
    assert batches(lake) == [0, 1]


def test_files_are_added_where_the_table_lies_after_its_files_were_merged(lake: Lake, add: Add) -> None:
    for batch in range(3):
        add(batch)
    (merged,) = compaction.compact(lake.settings)
    add(3)

    assert (merged.table, merged.files_before, merged.files_after) == (PROGRESS_TABLE, 3, 1)
    assert batches(lake) == [0, 1, 2, 3]
    assert len(files.listing(lake.settings, PROGRESS_TABLE)) == 2


def test_a_file_that_comes_while_folders_are_exchanged_is_there_afterwards(lake: Lake, add: Add) -> None:
    def add_meanwhile(point: str) -> None:
        if point in ("compact_merged", "compact_opened"):
            add(2 if point == "compact_merged" else 3)

    for batch in range(2):
        add(batch)
    compaction.compact(lake.settings, at=add_meanwhile)

    assert batches(lake) == [0, 1, 2, 3]


def test_what_a_killed_stream_had_sealed_is_added_by_the_next_and_what_it_had_half_written_is_not(
    lake: Lake, add: Add
) -> None:
    add(0)
    opened, _ = compaction.whereabouts(lake.settings)
    landed.put(lake.files, f"{opened}/{PROGRESS_TABLE}.{name(1)}", content(1))
    landed.put(lake.files, f"{lake.settings.staging}/attempts/{PROGRESS_TABLE}", content(7)[:20])

    add(2)

    assert batches(lake) == [0, 1, 2]


def test_a_file_that_cannot_be_sealed_is_not_taken(lake: Lake, hdfs: Files, add: Add) -> None:
    def away() -> Whereabouts:
        raise CatalogError("HDFS is away")

    with pytest.raises(CatalogError, match="HDFS is away"):
        Adding(hdfs, lake.settings, PROGRESS_TABLE, Guide(hdfs, away))(name(0), content(0))
    add(1)

    assert batches(lake) == [1]

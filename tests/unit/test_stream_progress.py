"""The stream's progress: a row of each micro-batch, published for Presto and shown to whoever follows."""

import itertools
import json
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from questlog.errors import LakeError, LeaseLost, QuestlogError
from questlog.events.schema import PROGRESS_COLUMNS
from questlog.lake import layout
from questlog.lake.hdfs import Hdfs
from questlog.lake.lease import WriterLease
from questlog.lake.types import arrow_schema
from questlog.lake.writer import Writer
from questlog.settings import Settings
from questlog.stream import progress
from questlog.stream.progress import Progress, follow, row
from questlog.stream.timings import SINK
from questlog.stream.transforms import OUTCOMES

NONE = dict.fromkeys(OUTCOMES, 0)
SPARK = {
    "batchId": 7,
    "timestamp": "2026-01-05T12:00:00.250Z",
    "durationMs": {
        "latestOffset": 10,
        "walCommit": 40,
        "queryPlanning": 20,
        "getBatch": 5,
        "addBatch": 700,
        "commitOffsets": 30,
        "triggerExecution": 810,
    },
    "sources": [
        {
            "startOffset": '{"game_events":{"0":10,"1":5}}',
            "endOffset": '{"game_events":{"0":12,"1":9}}',
            "latestOffset": '{"game_events":{"0":12,"1":12}}',
        }
    ],
}
SECONDS = dict.fromkeys(SINK, 0.1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(data_dir=tmp_path, progress_seconds=10)


def a_row(batch: int) -> dict[str, Any]:
    return row("abcd1234", {**NONE, "landed": batch}, SECONDS, {**SPARK, "batchId": batch})


class Clock:
    """Stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Tables(Writer):
    """Publishes to memory; fails first with each of `errors`."""

    def __init__(self, settings: Settings, *errors: QuestlogError) -> None:
        hdfs = Hdfs(settings)
        super().__init__(settings, hdfs, WriterLease(settings, hdfs, "stream"))
        self.errors, self.files = [*errors], dict[str, bytes]()
        self.published: list[list[int]] = []
        hdfs.write = self.files.__setitem__  # type: ignore[method-assign]

    def publish(self, attempt: str, batch: str, files: Collection[str], number: int | None = None) -> None:
        if self.errors:
            raise self.errors.pop(0)
        (file,) = files
        assert file.startswith("stream_progress/")
        assert attempt.startswith(layout.attempts(self.settings))
        assert number is None  # nobody who observes micro-batches is told
        self.published.append(pq.read_table(pa.BufferReader(self.files[f"{attempt}/{file}"]))["batch"].to_pylist())


def test_a_row_has_every_column_of_its_table() -> None:
    assert list(a_row(7)) == [name for name, _ in PROGRESS_COLUMNS]


def test_records_and_lag_are_told_by_the_topics_offsets() -> None:
    made = a_row(7)

    assert (made["batch"], made["records"], made["lag"]) == (7, 6, 3)
    assert made["started_at"] == datetime(2026, 1, 5, 12, 0, 0, 250_000, tzinfo=UTC)


def test_a_first_batch_begins_where_the_topic_begins() -> None:
    source = {**SPARK["sources"][0], "startOffset": None}

    assert row("s", NONE, SECONDS, {**SPARK, "sources": [source]})["records"] == 21


def test_rows_are_published_together_once_it_is_time(settings: Settings) -> None:
    clock, tables = Clock(), Tables(settings)
    taking = Progress(tables, clock)
    for batch in range(3):
        taking.add(a_row(batch))
        taking.flush_if_due()
    assert tables.published == []
    clock.now = 10
    taking.add(a_row(3))
    taking.flush()

    assert tables.published == [[0, 1, 2, 3]]


def test_rows_that_wait_are_published_though_no_row_comes_any_more(settings: Settings) -> None:
    clock, tables = Clock(), Tables(settings)
    taking = Progress(tables, clock)
    taking.add(a_row(0))
    clock.now = 10

    taking.flush_if_due()

    assert tables.published == [[0]]


def test_the_published_file_has_the_columns_of_the_table_with_their_types(settings: Settings) -> None:
    tables = Tables(settings)
    taking = Progress(tables, Clock())
    taking.add(a_row(7))
    taking.flush()

    (content,) = tables.files.values()
    found = pq.read_table(pa.BufferReader(content))
    assert found.schema.equals(arrow_schema(PROGRESS_COLUMNS))
    assert found.to_pylist() == [a_row(7)]


def test_rows_that_hdfs_does_not_take_are_published_with_the_next(settings: Settings) -> None:
    tables = Tables(settings, LakeError("no space"))
    clock = Clock()
    taking = Progress(tables, clock)
    for batch, seconds in enumerate((0, 10, 10)):
        clock.now += seconds
        taking.add(a_row(batch))

    assert tables.published == [[0, 1, 2]]


def test_a_stream_that_has_lost_its_writer_lease_is_told_so(settings: Settings) -> None:
    taking = Progress(Tables(settings, LeaseLost("another process took it")), Clock())
    taking.add(a_row(0))

    with pytest.raises(LeaseLost):
        taking.flush()


def test_of_too_many_rows_that_wait_the_oldest_are_dropped(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "MOST_ROWS", 2)
    tables = Tables(settings)
    taking = Progress(tables, Clock())
    for batch in range(3):
        taking.add(a_row(batch))
    taking.flush()

    assert tables.published == [[1, 2]]


def test_whoever_follows_sees_the_last_rows_and_each_new_one(settings: Settings) -> None:
    taking = Progress(Tables(settings), Clock())
    for batch in range(5):
        taking.add(a_row(batch))
    seen = follow(settings, most=2)

    assert [found["batch"] for found in itertools.takewhile(bool, seen)] == [3, 4]
    taking.add(a_row(5))
    assert list(itertools.takewhile(bool, seen)) == [a_row(5)]


def test_whoever_follows_goes_on_when_the_file_is_begun_anew(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    taking = Progress(Tables(settings), Clock())
    taking.add(a_row(0))
    seen = follow(settings)
    assert [found["batch"] for found in itertools.takewhile(bool, seen)] == [0]

    monkeypatch.setattr(progress, "MOST_BYTES", 10)
    taking.add(a_row(1))

    assert [found["batch"] for found in itertools.takewhile(bool, seen)] == [1]


def test_whoever_follows_before_there_is_a_stream_waits(settings: Settings) -> None:
    assert next(follow(settings)) is None


def test_half_a_line_is_not_shown_before_its_end_is_written(settings: Settings) -> None:
    path = progress.lines_path(settings)
    path.parent.mkdir(parents=True)
    whole = json.dumps({**a_row(0), "started_at": "2026-01-05T12:00:00+00:00"}) + "\n"
    path.write_text(whole[:20])
    seen = follow(settings)
    assert next(seen) is None

    path.write_text(whole)

    assert next(seen)["batch"] == 0

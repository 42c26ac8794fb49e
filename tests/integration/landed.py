"""Files of the tables, as the stream would have landed them: for tests that need rows, but no stream."""

import io
import itertools
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from questlog.events import CATALOGUE, Catalogue
from questlog.events.schema import (
    BATCH_COLUMNS,
    DEAD_LETTER_COLUMNS,
    EVENT_TYPE,
    PROGRESS_COLUMNS,
    Columns,
    events_columns,
)
from questlog.lake import layout
from questlog.lake import parquet as lake_parquet
from questlog.lake.hdfs import Hdfs
from questlog.lake.types import arrow_schema
from questlog.settings import BATCHES_TABLE, DEAD_LETTERS_TABLE, EVENTS_TABLE, PROGRESS_TABLE, Settings

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
OFFSETS = itertools.count()

Row = dict[str, Any]


def event(user: str = "ada", at: datetime = NOON, **own: Any) -> Row:
    """An event that lacks nothing but its type, at its own place in the topic."""
    offset = next(OFFSETS)
    return {
        "event_id": f"event-{offset}",
        "event_time": at,
        "user_id": user,
        "schema_version": 1,
        "received_at": at,
        "headers": {"host": "game"},
        "kafka_partition": 0,
        "kafka_offset": offset,
        "kafka_position": 0,
        **own,
    }


def land(hdfs: Hdfs, settings: Settings, event_type: str, *events: Row, catalogue: Catalogue = CATALOGUE) -> str:
    """Write one file with events of a type to the first version of the first one's day; its path."""
    return put(hdfs, day_file(settings, _day(events[0])), encode(event_type, *events, catalogue=catalogue))


def land_story(hdfs: Hdfs, settings: Settings, story: Mapping[str, list[Row]]) -> None:
    """Land the events by their types, each day's in a file of its own."""
    for event_type, events in story.items():
        for _, of_a_day in itertools.groupby(sorted(events, key=_day), _day):
            land(hdfs, settings, event_type, *of_a_day)


def land_dead_letters(hdfs: Hdfs, settings: Settings, *rows: Row) -> str:
    return _land_rows(hdfs, settings, DEAD_LETTERS_TABLE, DEAD_LETTER_COLUMNS, rows)


def land_batches(hdfs: Hdfs, settings: Settings, *rows: Row) -> str:
    return _land_rows(hdfs, settings, BATCHES_TABLE, BATCH_COLUMNS, rows)


def land_progress(hdfs: Hdfs, settings: Settings, *rows: Row) -> str:
    return _land_rows(hdfs, settings, PROGRESS_TABLE, PROGRESS_COLUMNS, rows)


def day_file(settings: Settings, day: date) -> str:
    """A path for a new file of table ``events``, in the first version of a day's partition."""
    return f"{layout.location(settings, EVENTS_TABLE, layout.partition_name(day))}/part-{next(OFFSETS)}.parquet"


def encode(event_type: str, *events: Row, catalogue: Catalogue = CATALOGUE) -> bytes:
    """Events of one type as a file of table ``events``, sorted as the stream sorts it."""
    rows = [{**event, EVENT_TYPE: event_type} for event in events]
    return lake_parquet.encode(EVENTS_TABLE, pa.Table.from_pylist(rows, arrow_schema(events_columns(catalogue))))


def parquet(columns: Columns, rows: Iterable[Row], **options: Any) -> bytes:
    """Rows as a parquet file, written with any of PyArrow's options."""
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), arrow_schema(columns)), out, **options)
    return out.getvalue()


def put(hdfs: Hdfs, path: str, content: bytes) -> str:
    hdfs.write(path, content)
    return path


def _land_rows(hdfs: Hdfs, settings: Settings, table: str, columns: Columns, rows: Iterable[Row]) -> str:
    content = lake_parquet.encode(table, pa.Table.from_pylist(list(rows), arrow_schema(columns)))
    return put(hdfs, f"{layout.location(settings, table)}/part-{next(OFFSETS)}.parquet", content)


def _day(event: Row) -> date:
    day: date = event["event_time"].date()
    return day

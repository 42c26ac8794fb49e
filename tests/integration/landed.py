"""Files below the tables, as the stream would have landed them: for tests that need rows, but no stream."""

import io
import itertools
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.webhdfs import WebHDFS

from questlog.catalog import definitions
from questlog.events import CATALOGUE, Catalogue
from questlog.events.schema import DEAD_LETTER_COLUMNS, LEDGER_COLUMNS, PROGRESS_COLUMNS, Columns, table_columns
from questlog.settings import Settings

ARROW = {
    "varchar": pa.string(),
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "varbinary": pa.binary(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "map(varchar, varchar)": pa.map_(pa.string(), pa.string()),
}
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
OFFSETS = itertools.count()


def event(user: str = "ada", at: datetime = NOON, **own: Any) -> dict[str, Any]:
    """An event that lacks nothing, at its own place in the topic."""
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


def land(
    files: WebHDFS, settings: Settings, event_type: str, *events: dict[str, Any], catalogue: Catalogue = CATALOGUE
) -> str:
    """One file with the events, in the folder of the first one's day; its path."""
    day = events[0]["event_time"].date()
    path = f"{definitions.type_path(settings, event_type)}/event_date={day}/part-{next(OFFSETS)}.parquet"
    return put(files, path, parquet(table_columns(catalogue[event_type]), events))


def land_story(files: WebHDFS, settings: Settings, story: Mapping[str, list[dict[str, Any]]]) -> None:
    """The events by their types, each day's in a file of its own."""
    for event_type, events in story.items():
        for _, of_a_day in itertools.groupby(sorted(events, key=_day), _day):
            land(files, settings, event_type, *of_a_day)


def _day(event: dict[str, Any]) -> date:
    return event["event_time"].date()


def land_dead_letters(files: WebHDFS, settings: Settings, *letters: dict[str, Any]) -> str:
    path = f"{settings.table_path('dead_letters')}/part-{next(OFFSETS)}.parquet"
    return put(files, path, parquet(DEAD_LETTER_COLUMNS, letters))


def land_account(files: WebHDFS, settings: Settings, *lines: dict[str, Any]) -> str:
    path = f"{settings.table_path('ledger')}/part-{next(OFFSETS)}.parquet"
    return put(files, path, parquet(LEDGER_COLUMNS, lines))


def land_progress(files: WebHDFS, settings: Settings, *lines: dict[str, Any]) -> str:
    path = f"{settings.table_path('stream_progress')}/part-{next(OFFSETS)}.parquet"
    return put(files, path, parquet(PROGRESS_COLUMNS, lines))


def parquet(columns: Columns, rows: Iterable[dict[str, Any]], **options: Any) -> bytes:
    schema = pa.schema([(name, ARROW[kind]) for name, kind in columns])
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema), out, **options)
    return out.getvalue()


def put(files: WebHDFS, path: str, content: bytes) -> str:
    files.pipe_file(path, content)
    return path

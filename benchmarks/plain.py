"""The reference for a backlog: a plain kafka-python consumer that lands the same files by pyarrow.

It reads JSON, sorts events by day, and writes a parquet file of each day for every `PIECE` records, to staging, and
renames it into table ``events``. It validates nothing, knows no duplicates, and keeps its offsets nowhere.
"""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from kafka import KafkaConsumer, TopicPartition

from questlog.events import CATALOGUE
from questlog.events.catalogue import COMMON, STAMPED
from questlog.events.fields import Kind
from questlog.events.schema import events_columns
from questlog.lake import layout
from questlog.lake.hdfs import Hdfs
from questlog.lake.types import arrow_schema
from questlog.settings import EVENTS_TABLE, Settings

PIECE = 250_000
SCHEMA = arrow_schema(events_columns(CATALOGUE))
TIMES = [field.name for field in (*COMMON, *STAMPED, *CATALOGUE.fields) if field.kind is Kind.TIMESTAMP]


def land(settings: Settings) -> int:
    """Land all that the topic holds; the number of events."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka_bootstrap, enable_auto_commit=False)
    places = [TopicPartition(settings.topic, number) for number in consumer.partitions_for_topic(settings.topic)]
    consumer.assign(places)
    consumer.seek_to_beginning()
    ends = consumer.end_offsets(places)
    hdfs, count, piece = Hdfs(settings), 0, list[dict[str, Any]]()
    hdfs.make_folder(settings.staging)
    while any(consumer.position(place) < end for place, end in ends.items()):
        for records in consumer.poll(1000, max_records=10_000).values():
            piece += [_event(record) for record in records]
        if len(piece) >= PIECE:
            _write(hdfs, settings, piece, count)
            count, piece = count + len(piece), []
    _write(hdfs, settings, piece, count)
    consumer.close()
    return count + len(piece)


def _event(record: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(record.value)
    for name in TIMES:
        if name in event:
            event[name] = datetime.fromisoformat(event[name])
    event["headers"] = list(event.get("headers", {}).items())
    return event | {"kafka_partition": record.partition, "kafka_offset": record.offset, "kafka_position": 0}


def _write(hdfs: Hdfs, settings: Settings, events: Sequence[Mapping[str, Any]], number: int) -> None:
    """Write one file for each day."""
    days: dict[date, list[Mapping[str, Any]]] = defaultdict(list)
    for event in events:
        days[event["event_time"].date()].append(event)
    for day, rows in days.items():
        out = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA), out, compression="snappy")
        staged = f"{settings.staging}/{day}-{number}.parquet"
        folder = layout.location(settings, EVENTS_TABLE, layout.partition_name(day))
        hdfs.write(staged, out.getvalue())
        hdfs.make_folder(folder)
        hdfs.rename(staged, f"{folder}/part-{number}.parquet")

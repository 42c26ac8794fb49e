"""The reference for a backlog: a plain kafka-python consumer that lands the same files by pyarrow.

It reads JSON, sorts events by type and day, and writes a parquet file of each for every `PIECE` records, aside, and
renames it into the tables. It judges nothing, knows no repeats, and keeps its offsets nowhere.
"""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.webhdfs import WebHDFS
from kafka import KafkaConsumer, TopicPartition

from questlog.catalog import files
from questlog.events import CATALOGUE
from questlog.events.catalogue import COMMON, STAMPED
from questlog.events.fields import Kind
from questlog.events.schema import PARTITION_DATE, PARTITION_TYPE
from questlog.settings import EVENTS_TABLE, Settings

PIECE = 250_000
ARROW = {
    Kind.STRING: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.TIMESTAMP: pa.timestamp("us", tz="UTC"),
}
FIELDS = [field for field in (*COMMON, *STAMPED, *CATALOGUE.fields) if field.name != PARTITION_TYPE]
SCHEMA = pa.schema(
    [
        *((field.name, ARROW[field.kind]) for field in FIELDS),
        ("headers", pa.map_(pa.string(), pa.string())),
        ("kafka_partition", pa.int32()),
        ("kafka_offset", pa.int64()),
    ]
)
TIMES = [field.name for field in FIELDS if field.kind is Kind.TIMESTAMP]

Folder = tuple[str, str]


def land(settings: Settings) -> tuple[int, set[Folder]]:
    """Land all that the topic holds; the number of events, and the partitions that have files now."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka_bootstrap, enable_auto_commit=False)
    places = [TopicPartition(settings.topic, number) for number in consumer.partitions_for_topic(settings.topic)]
    consumer.assign(places)
    consumer.seek_to_beginning()
    ends = consumer.end_offsets(places)
    hdfs, known, count, piece = files.filesystem(settings), set[Folder](), 0, list[dict[str, Any]]()
    while any(consumer.position(place) < end for place, end in ends.items()):
        for records in consumer.poll(1000, max_records=10_000).values():
            piece += [_event(record) for record in records]
        if len(piece) >= PIECE:
            known |= _write(hdfs, settings, piece, count)
            count, piece = count + len(piece), []
    known |= _write(hdfs, settings, piece, count)
    consumer.close()
    return count + len(piece), known


def _event(record: Any) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(record.value)
    for name in TIMES:
        event[name] = datetime.fromisoformat(event[name])
    event["headers"] = list(event.get("headers", {}).items())
    return event | {"kafka_partition": record.partition, "kafka_offset": record.offset}


def _write(hdfs: WebHDFS, settings: Settings, events: Sequence[Mapping[str, Any]], number: int) -> set[Folder]:
    """One file for each type and day."""
    groups: dict[Folder, list[Mapping[str, Any]]] = defaultdict(list)
    for event in events:
        groups[event[PARTITION_TYPE], event["event_time"].date().isoformat()].append(event)
    for (name, day), rows in groups.items():
        out = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA), out, compression="snappy")
        folder, file = f"{PARTITION_TYPE}={name}/{PARTITION_DATE}={day}", f"part-{number}.parquet"
        aside, target = f"{settings.staging}/{folder}", f"{settings.table_path(EVENTS_TABLE)}/{folder}"
        hdfs.makedirs(aside, exist_ok=True)
        hdfs.makedirs(target, exist_ok=True)
        hdfs.pipe_file(f"{aside}/{file}", out.getvalue())
        hdfs.mv(f"{aside}/{file}", f"{target}/{file}")
    return set(groups)

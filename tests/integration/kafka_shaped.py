"""Records as Spark's Kafka source gives them, without Kafka."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from questlog.events import CATALOGUE, EventType, validation
from questlog.events.wire import TYPE_HEADER, Record, encode

RECEIVED = datetime(2026, 1, 5, 10, tzinfo=UTC)
PARTITIONS = 4
COLUMNS = (
    "key BINARY, value BINARY, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP, timestampType INT, "
    "headers ARRAY<STRUCT<key STRING, value BINARY>>"
)


def frame(spark: SparkSession, records: Iterable[Record]) -> DataFrame:
    """The records, in order: the n-th has offset n // 4 in partition n % 4."""
    rows = [
        (record.key, record.value, "topic", place % PARTITIONS, place // PARTITIONS, RECEIVED, 0, list(record.headers))
        for place, record in enumerate(records)
    ]
    return spark.createDataFrame(rows, COLUMNS)


def accepted(
    event_type: EventType, given: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """An event as the API makes it; with every field's example, unless given."""
    examples = {field.name: field.example for field in event_type.fields}
    return validation.parse(event_type, examples if given is None else given, headers or {"Host": "game"}, RECEIVED)


def page_view(**changed: Any) -> Record:
    """A record of type page_view in which some fields are not as the API would write them; None leaves one out."""
    event = {**accepted(CATALOGUE["page_view"]), **changed}
    return record(json.dumps({name: value for name, value in event.items() if value is not None}).encode())


def purchase(event_id: str, **given: Any) -> Record:
    """A purchase of a sword as the API writes it now, with an id of the client's."""
    fields = {"user_id": "ada", "item": "iron", "price": 120, "event_id": event_id, **given}
    return encode(validation.parse(CATALOGUE["purchase_sword"], fields, {}, datetime.now(UTC)))


def record(value: bytes | None, event_type: str | bytes | None = "page_view", key: bytes = b"ada") -> Record:
    """A record with this value, whose header names the type."""
    named = event_type.encode() if isinstance(event_type, str) else event_type
    return Record(key, value, ((TYPE_HEADER, named),))  # type: ignore[arg-type]


def examples() -> list[Record]:
    """One record of every type."""
    return [encode(accepted(event_type)) for event_type in CATALOGUE]

"""The catalogue's fields as columns of Spark (DDL), and of Hive as Presto spells their types.

Columns of table ``events``: ``event_type``, `COMMON_COLUMNS` and the own fields of every type, partitioned by
``event_date`` (date). Columns of a type's view: `COMMON_COLUMNS`, the type's own fields, and ``event_date``.
"""

from __future__ import annotations

import functools
from dataclasses import replace

from questlog.events.catalogue import COMMON, STAMPED, VERSION, Catalogue
from questlog.events.fields import EventType, Field, Kind

SPARK_TYPES = {
    Kind.STRING: "STRING",
    Kind.INTEGER: "BIGINT",
    Kind.NUMBER: "DOUBLE",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.TIMESTAMP: "TIMESTAMP",
}
PRESTO_TYPES = {
    Kind.STRING: "varchar",
    Kind.INTEGER: "bigint",
    Kind.NUMBER: "double",
    Kind.BOOLEAN: "boolean",
    Kind.TIMESTAMP: "timestamp",
}
HEADERS_SPARK, HEADERS_PRESTO = "MAP<STRING, STRING>", "map(varchar, varchar)"

EVENT_TYPE, PARTITION_DATE = "event_type", "event_date"

Columns = tuple[tuple[str, str], ...]

_SHARED = tuple(field for field in (*COMMON, *STAMPED) if field.name != EVENT_TYPE)
COMMON_COLUMNS: Columns = (
    *((field.name, PRESTO_TYPES[field.kind]) for field in _SHARED),
    ("headers", HEADERS_PRESTO),
    ("kafka_partition", "integer"),
    ("kafka_offset", "bigint"),
    ("kafka_position", "integer"),
)
DEAD_LETTER_COLUMNS: Columns = (
    ("event_type", "varchar"),
    ("reason", "varchar"),
    ("key", "varbinary"),
    ("value", "varbinary"),
    ("kafka_topic", "varchar"),
    ("kafka_partition", "integer"),
    ("kafka_offset", "bigint"),
    ("kafka_position", "integer"),
    ("kafka_time", "timestamp"),
)
BATCH_COLUMNS: Columns = (
    ("stream", "varchar"),
    ("batch", "bigint"),
    ("event_type", "varchar"),
    ("landed", "bigint"),
    ("filtered", "bigint"),
    ("rejected", "bigint"),
    ("duplicates", "bigint"),
)
PHASES = ("offset_log", "plan", "validate", "write", "prepare", "publish", "commit", "checkpoint")
"""What a micro-batch passes through, in order; the stream times each."""
PROGRESS_COLUMNS: Columns = (
    ("stream", "varchar"),
    ("batch", "bigint"),
    ("started_at", "timestamp"),
    ("records", "bigint"),
    ("landed", "bigint"),
    ("filtered", "bigint"),
    ("rejected", "bigint"),
    ("duplicates", "bigint"),
    ("lag", "bigint"),
    ("seconds", "double"),
    *((f"{phase}_seconds", "double") for phase in PHASES),
)


def wire_ddl(catalogue: Catalogue) -> str:
    """Spark's DDL of a record's JSON value: every field of every type, and the headers."""
    fields = (*STAMPED, *COMMON, *catalogue.fields)
    return ", ".join([*(f"{field.name} {SPARK_TYPES[field.kind]}" for field in fields), f"headers {HEADERS_SPARK}"])


def own_columns(event_type: EventType) -> Columns:
    """The type's own columns, as Presto spells them."""
    return tuple((field.name, PRESTO_TYPES[field.kind]) for field in event_type.fields)


def view_columns(event_type: EventType) -> Columns:
    """All columns of the type's view but ``event_date``, which comes last."""
    return (*COMMON_COLUMNS, *own_columns(event_type))


def events_columns(catalogue: Catalogue) -> Columns:
    """All columns of table ``events`` but its partition column; a field is null in rows of types that lack it."""
    own = tuple((field.name, PRESTO_TYPES[field.kind]) for field in catalogue.fields)
    return ((EVENT_TYPE, "varchar"), *COMMON_COLUMNS, *own)


@functools.cache
def version_field(event_type: EventType) -> Field:
    """The version that a client may give with an event of this type: from 1 to the newest, which is the default."""
    stamped = next(field for field in STAMPED if field.name == VERSION)
    newest = event_type.version
    return replace(stamped, required=False, default=newest, example=newest, maximum=newest)


@functools.cache
def input_fields(event_type: EventType, version: int | None = None) -> tuple[Field, ...]:
    """The fields that a client may give with an event of this type, in a version of it; the newest unless given."""
    known = event_type.version if version is None else version
    return (*COMMON, version_field(event_type), *(field for field in event_type.fields if field.since <= known))

"""The tables of a catalogue, and their columns with what these mean.

Two kinds lie over the same files: ``events`` on the root, with the columns that every event has, partitioned by
``event_type`` and ``event_date``; and one named as each event type on its folder, with the type's own columns too,
partitioned by ``event_date``. Beside them are ``dead_letters``, ``ledger`` and ``stream_progress``, without partitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from questlog.errors import CatalogError
from questlog.events import CATALOGUE, Catalogue, EventType, Field
from questlog.events.catalogue import COMMON, STAMPED
from questlog.events.schema import (
    COMMON_COLUMNS,
    DEAD_LETTER_COLUMNS,
    LEDGER_COLUMNS,
    PARTITION_DATE,
    PARTITION_TYPE,
    PROGRESS_COLUMNS,
    Columns,
    table_columns,
)
from questlog.settings import DEAD_LETTERS_TABLE, EVENTS_TABLE, LEDGER_TABLE, PROGRESS_TABLE, Settings

PURCHASES_VIEW = "purchases"
RESERVED = (EVENTS_TABLE, DEAD_LETTERS_TABLE, LEDGER_TABLE, PROGRESS_TABLE, PURCHASES_VIEW)
PARTITION_TYPES = {PARTITION_TYPE: "varchar", PARTITION_DATE: "date"}

DESCRIPTIONS = {
    EVENTS_TABLE: "Every event, with the columns that all types share.",
    DEAD_LETTERS_TABLE: "Records of the topic that are no valid event, with their raw bytes.",
    LEDGER_TABLE: "What the stream did with the records of each micro-batch.",
    PROGRESS_TABLE: "How fast the stream was: a row for each micro-batch.",
    PARTITION_DATE: "The day on which it happened, UTC.",
    "headers": "Request headers of the allow-list.",
    "kafka_topic": "Topic of the record.",
    "kafka_partition": "Partition of the topic that holds the record.",
    "kafka_offset": "The record's offset in its partition.",
    "kafka_position": "The event's place among those of its record, from 0.",
    "kafka_time": "The record's timestamp. (UTC)",
    "key": "The record's key.",
    "value": "The record's value, as it was sent.",
    "stream": "Names the stream that wrote the line.",
    "batch": "Number of the micro-batch.",
    "landed": "Events in a parquet file. (rows)",
    "filtered": "Events of a type that this stream was told not to land. (rows)",
    "rejected": "Records that went to the dead letters. (rows)",
    "repeated": "Records of an event that has landed already, told by its event_id. (rows)",
    "started_at": "When Spark began the micro-batch. (UTC)",
    "records": "Records that the micro-batch took from the topic. (rows)",
    "lag": "Records of the topic that waited behind the micro-batch when Spark last looked. (rows)",
    "seconds": "From the micro-batch's start until Spark had committed it. (s)",
    "offset_log_seconds": "Asking Kafka for its newest offsets, and writing those of the batch to the checkpoint. (s)",
    "plan_seconds": "Spark's planning. (s)",
    "judge_seconds": "Reading the records, parsing and judging them, and looking for repeats. (s)",
    "write_seconds": "Writing the rows, the dead letters and the account aside. (s)",
    "seal_seconds": "Renaming the folder with all of it. (s)",
    "rename_seconds": "Moving the files into the tables. (s)",
    "announce_seconds": "Announcing partitions that are new. (s)",
    "close_seconds": "Moving the account, and cleaning up. (s)",
    "commit_seconds": "Writing the commit to the checkpoint. (s)",
}


@dataclass(frozen=True, kw_only=True)
class TableDefinition:
    """One table: `columns` without the partition columns, `path` in HDFS, `descriptions` by column."""

    name: str
    description: str
    path: str
    columns: Columns
    partitioned_by: tuple[str, ...] = ()
    descriptions: Mapping[str, str]


def definitions(settings: Settings, catalogue: Catalogue = CATALOGUE) -> list[TableDefinition]:
    """Every table of the database: ``events``, one for each type, ``dead_letters``, ``ledger``, ``stream_progress``.

    Raises:
        CatalogError: when an event type has the name of one of the other tables, or a field that of another column.
    """
    _refuse_taken_names(catalogue)
    return [
        TableDefinition(
            name=EVENTS_TABLE,
            description=DESCRIPTIONS[EVENTS_TABLE],
            path=settings.table_path(EVENTS_TABLE),
            columns=COMMON_COLUMNS,
            partitioned_by=(PARTITION_TYPE, PARTITION_DATE),
            descriptions=_described(*COMMON, *STAMPED),
        ),
        *(_of_type(settings, event_type) for event_type in catalogue),
        _plain(settings, DEAD_LETTERS_TABLE, DEAD_LETTER_COLUMNS, reason="Why it was rejected."),
        _plain(settings, LEDGER_TABLE, LEDGER_COLUMNS),
        _plain(settings, PROGRESS_TABLE, PROGRESS_COLUMNS),
    ]


def type_path(settings: Settings, event_type: str) -> str:
    """Path in HDFS of one event type's files: its folder in the table ``events``."""
    return f"{settings.table_path(EVENTS_TABLE)}/{PARTITION_TYPE}={event_type}"


def _of_type(settings: Settings, event_type: EventType) -> TableDefinition:
    return TableDefinition(
        name=event_type.name,
        description=event_type.description,
        path=type_path(settings, event_type.name),
        columns=table_columns(event_type),
        partitioned_by=(PARTITION_DATE,),
        descriptions=_described(*COMMON, *STAMPED, *event_type.fields),
    )


def _plain(settings: Settings, name: str, its_columns: Columns, **descriptions: str) -> TableDefinition:
    return TableDefinition(
        name=name,
        description=DESCRIPTIONS[name],
        path=settings.table_path(name),
        columns=its_columns,
        descriptions={**_described(*STAMPED), **descriptions},
    )


def _described(*fields: Field) -> dict[str, str]:
    return {**DESCRIPTIONS, **{field.name: field.meaning for field in fields}}


def _refuse_taken_names(catalogue: Catalogue) -> None:
    if taken := sorted({*RESERVED} & {*catalogue.names}):
        raise CatalogError(f"event type {taken[0]!r} has the name of a table; taken are {', '.join(RESERVED)}")
    for event_type in catalogue:
        names = [name for name, _ in table_columns(event_type)]
        if twice := sorted({name for name in names if names.count(name) > 1} | {*PARTITION_TYPES} & {*names}):
            raise CatalogError(f"field {event_type.name}.{twice[0]} has the name of a column that every event has")

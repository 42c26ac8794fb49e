"""The tables and views of a catalogue, and their columns with what these mean.

One table, ``events``, holds every event: the columns that all types share and the own fields of every type, null in
rows of other types. It is partitioned by ``event_date``. Each event type is a view on it, with the type's own fields
alone. Beside it are ``dead_letters``, ``batches`` and ``stream_progress``, without partitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from questlog.errors import CatalogError
from questlog.events import CATALOGUE, Catalogue, EventType, Field
from questlog.events.catalogue import COMMON, STAMPED
from questlog.events.schema import (
    BATCH_COLUMNS,
    COMMON_COLUMNS,
    DEAD_LETTER_COLUMNS,
    EVENT_TYPE,
    PARTITION_DATE,
    PROGRESS_COLUMNS,
    Columns,
    events_columns,
    view_columns,
)
from questlog.settings import BATCHES_TABLE, DEAD_LETTERS_TABLE, EVENTS_TABLE, PROGRESS_TABLE

PURCHASES_VIEW = "purchases"
RESERVED = (EVENTS_TABLE, DEAD_LETTERS_TABLE, BATCHES_TABLE, PROGRESS_TABLE, PURCHASES_VIEW)
PARTITION_COLUMN = (PARTITION_DATE, "date")

DESCRIPTIONS = {
    EVENTS_TABLE: "Every event, with the fields of every type: null in rows of types that lack a field.",
    DEAD_LETTERS_TABLE: "Records of the topic that are no valid event, with their raw bytes.",
    BATCHES_TABLE: "The audit of each micro-batch: its events by outcome.",
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
    "landed": "Events in table events. (rows)",
    "filtered": "Events of a type that this stream was told not to land. (rows)",
    "rejected": "Records that went to the dead letters. (rows)",
    "duplicates": "Records of an event that has landed already, told by its event_id. (rows)",
    "started_at": "When Spark began the micro-batch. (UTC)",
    "records": "Records that the micro-batch took from the topic. (rows)",
    "lag": "Records of the topic that waited behind the micro-batch when Spark last looked. (rows)",
    "seconds": "From the micro-batch's start until Spark had committed it. (s)",
    "offset_log_seconds": "Asking Kafka for its newest offsets, and writing those of the batch to the checkpoint. (s)",
    "plan_seconds": "Spark's planning. (s)",
    "validate_seconds": "Reading, parsing and validating the records, and looking up duplicates. (s)",
    "write_seconds": "Writing the rows, the dead letters and the audit to staging. (s)",
    "prepare_seconds": "Renaming the staged folder: its content is final. (s)",
    "publish_seconds": "Renaming the files into the tables, and adding new partitions. (s)",
    "commit_seconds": "Renaming the audit file into its table. (s)",
    "checkpoint_seconds": "Writing the commit to Spark's checkpoint. (s)",
}


@dataclass(frozen=True, kw_only=True)
class TableDefinition:
    """One table, or the view of an event type: `columns` without the partition column, `descriptions` by column."""

    name: str
    description: str
    columns: Columns
    is_partitioned: bool = False
    is_view: bool = False
    descriptions: Mapping[str, str]


def definitions(catalogue: Catalogue = CATALOGUE) -> list[TableDefinition]:
    """``events``, a view for each type, ``dead_letters``, ``batches``, ``stream_progress``.

    Raises:
        CatalogError: when an event type has the name of one of the other tables, or a field that of another column.
    """
    _refuse_taken_names(catalogue)
    return [
        TableDefinition(
            name=EVENTS_TABLE,
            description=DESCRIPTIONS[EVENTS_TABLE],
            columns=events_columns(catalogue),
            is_partitioned=True,
            descriptions={**_described(*COMMON, *STAMPED), **_meanings(catalogue)},
        ),
        *(_view(event_type) for event_type in catalogue),
        _plain(DEAD_LETTERS_TABLE, DEAD_LETTER_COLUMNS, reason="Why it was rejected."),
        _plain(BATCHES_TABLE, BATCH_COLUMNS),
        _plain(PROGRESS_TABLE, PROGRESS_COLUMNS),
    ]


def _view(event_type: EventType) -> TableDefinition:
    return TableDefinition(
        name=event_type.name,
        description=event_type.description,
        columns=view_columns(event_type),
        is_partitioned=True,
        is_view=True,
        descriptions=_described(*COMMON, *STAMPED, *event_type.fields),
    )


def _plain(name: str, its_columns: Columns, **descriptions: str) -> TableDefinition:
    return TableDefinition(
        name=name,
        description=DESCRIPTIONS[name],
        columns=its_columns,
        descriptions={**_described(*STAMPED), **descriptions},
    )


def _described(*fields: Field) -> dict[str, str]:
    return {**DESCRIPTIONS, **{field.name: field.meaning for field in fields}}


def _meanings(catalogue: Catalogue) -> dict[str, str]:
    """What each field means, in all types that have it."""
    found: dict[str, dict[str, None]] = {}
    for event_type in catalogue:
        for field in event_type.fields:
            found.setdefault(field.name, {})[field.meaning] = None
    return {name: " ".join(meanings) for name, meanings in found.items()}


def _refuse_taken_names(catalogue: Catalogue) -> None:
    if taken := sorted({*RESERVED} & {*catalogue.names}):
        raise CatalogError(f"event type {taken[0]!r} has the name of a table; taken are {', '.join(RESERVED)}")
    shared = {name for name, _ in (*COMMON_COLUMNS, PARTITION_COLUMN)} | {EVENT_TYPE}
    for event_type in catalogue:
        if twice := sorted(shared & {field.name for field in event_type.fields}):
            raise CatalogError(f"field {event_type.name}.{twice[0]} has the name of a column that every event has")

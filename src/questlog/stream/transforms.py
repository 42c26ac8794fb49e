"""From Kafka's records to the rows of the tables: pure functions, DataFrame -> DataFrame, chained.

::

    records
      one_row_per_event   adds position
      with_event_type     adds event_type
      with_filter         adds outcome: filtered, or null
      with_event          adds event, the parsed fields
      with_outcome        completes outcome (landed, filtered, rejected), adds reason
    event_columns (of those landed), dead_letter_columns (of those rejected)

The reader is tolerant in one thing: a field that the event's type does not have is left out, because an API server may
know a newer catalogue than the stream.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pyspark.sql import DataFrame
from pyspark.sql import functions as sf

from questlog.events import CATALOGUE, Catalogue, Kind
from questlog.events.catalogue import COMMON, KEPT_HEADERS, MOST_HEADER_CHARACTERS, STAMPED, UNKNOWN_TYPE
from questlog.events.schema import (
    COMMON_COLUMNS,
    DEAD_LETTER_COLUMNS,
    EVENT_TYPE,
    PARTITION_DATE,
    SPARK_TYPES,
    wire_ddl,
)
from questlog.events.wire import TYPE_HEADER, TYPES_HEADER
from questlog.stream import validity
from questlog.stream.validity import JSON, literal

LANDED, FILTERED, REJECTED, DUPLICATES = "landed", "filtered", "rejected", "duplicates"
OUTCOMES = (LANDED, FILTERED, REJECTED, DUPLICATES)
"""What becomes of an event; which are duplicates is found by `questlog.stream.dedup`."""

POSITION = "position"


def _header(name: str) -> str:
    """The text of the last header of a name, null if there is none."""
    # A higher-order function would be shorter, but Spark does not compile a plan that has one.
    place = f"array_position(reverse(headers.key), {literal(name)})"
    return f"CASE WHEN {place} > 0 THEN CAST(try_element_at(headers, -INT({place})).value AS STRING) END"


_TYPE, _TYPES = _header(TYPE_HEADER), _header(TYPES_HEADER)
_IS_TORN = f"coalesce(array_contains(headers.key, {literal(TYPES_HEADER)}), false)"  # once all others are unpacked


def one_row_per_event(records: DataFrame) -> DataFrame:
    """Each event as a record of its own, with its ``position`` (INT) in the record that it came in.

    The rule is that of `questlog.events.wire.unpack`. `records` has the columns of Spark's Kafka source, with headers.
    """
    lines, names = f"split({JSON}, '\\n')", f"split({_TYPES}, ',')"
    is_whole = f"{_TYPES} IS NOT NULL AND is_valid_utf8({JSON}) AND size({lines}) = size({names})"
    name = "CAST(element_at(names, 1 + place) AS BINARY)"
    headers = f"array(named_struct('key', {literal(TYPE_HEADER)}, 'value', {name}))"
    split = records.selectExpr("*", f"CASE WHEN {is_whole} THEN {names} END AS names").selectExpr(
        "*", f"posexplode(CASE WHEN names IS NULL THEN array(NULL) ELSE {lines} END) AS (place, line)"
    )
    return split.selectExpr(
        "* EXCEPT (value, headers, names, place, line)",
        "CASE WHEN names IS NULL THEN value ELSE CAST(line AS BINARY) END AS value",
        f"CASE WHEN names IS NULL THEN headers ELSE {headers} END AS headers",
        f"place AS {POSITION}",
    )


def with_event_type(records: DataFrame, catalogue: Catalogue = CATALOGUE) -> DataFrame:
    """Add ``event_type`` (STRING): the type that the record's last header of that name gives, or `UNKNOWN_TYPE`.

    The rule is that of `questlog.events.wire.type_of`. `records` has the columns of Spark's Kafka source, with headers.
    """
    known = f"NOT {_IS_TORN} AND {_TYPE} IN {_list(catalogue.names)}"
    name = f"CASE WHEN {known} THEN {_TYPE} ELSE {literal(UNKNOWN_TYPE)} END"
    return records.withColumn(EVENT_TYPE, sf.expr(name))


def with_filter(records: DataFrame, event_types: Collection[str]) -> DataFrame:
    """Add ``outcome`` (STRING): ``filtered`` for known types that are not among `event_types`, else null."""
    unwanted = f"{EVENT_TYPE} NOT IN {_list((UNKNOWN_TYPE, *event_types))}"
    return records.withColumn("outcome", sf.expr(f"CASE WHEN {unwanted} THEN '{FILTERED}' END"))


def with_event(records: DataFrame, catalogue: Catalogue = CATALOGUE) -> DataFrame:
    """Add ``event`` (STRUCT): the fields of `questlog.events.schema.wire_ddl`, and the text if a part did not parse.

    Null for records that are filtered or of no known type: they are not parsed.
    """
    # Spark would take times without a zone, or with a date alone: they are read as text, and then strictly.
    text = wire_ddl(catalogue).replace(SPARK_TYPES[Kind.TIMESTAMP], SPARK_TYPES[Kind.STRING])
    schema = literal(f"{text}, {validity.CORRUPT} STRING")
    needed = f"outcome IS NULL AND {EVENT_TYPE} != {literal(UNKNOWN_TYPE)}"
    event = sf.col("event")
    for field in (*STAMPED, *COMMON, *catalogue.fields):
        if field.kind is Kind.TIMESTAMP:
            event = event.withField(field.name, sf.expr(validity.time(f"event.`{field.name}`")))
    wire = sf.expr(f"CASE WHEN {needed} THEN from_json({JSON}, {schema}) END")
    return records.withColumn("event", wire).withColumn("event", event)


def with_outcome(records: DataFrame, catalogue: Catalogue = CATALOGUE) -> DataFrame:
    """Complete ``outcome``: ``landed``, ``filtered`` or ``rejected``, and add ``reason`` (STRING) to those rejected.

    The outcome is found without the reason, which costs more: Spark leaves out the one if only the other is read.
    """
    is_unknown, is_broken = f"{EVENT_TYPE} = {literal(UNKNOWN_TYPE)}", validity.is_broken()
    is_valid = f"NOT {is_unknown} AND NOT {is_broken} AND {validity.is_valid(catalogue)}"
    outcome = f"coalesce(outcome, CASE WHEN {is_valid} THEN '{LANDED}' ELSE '{REJECTED}' END)"
    reason = f"""CASE
        WHEN outcome != '{REJECTED}' THEN NULL
        WHEN {_IS_TORN} THEN {validity.quoted(TYPES_HEADER, _TYPES, "one type for each line of the value, in UTF-8")}
        WHEN {is_unknown} THEN {validity.quoted(TYPE_HEADER, _TYPE, f"one of {', '.join(catalogue.names)}")}
        WHEN {is_broken} THEN {validity.quoted("value", JSON, "one JSON object in UTF-8")}
        ELSE {validity.problems(catalogue)} END"""
    return records.withColumn("outcome", sf.expr(outcome)).withColumn("reason", sf.expr(reason))


def validated(
    records: DataFrame, event_types: Collection[str] | None = None, catalogue: Catalogue = CATALOGUE
) -> DataFrame:
    """All five steps: what becomes of each event, and why; `event_types` are the types to land, all unless given.

    What is unpacked already stays as it is.
    """
    chosen = catalogue.select(event_types)
    events = records if POSITION in records.columns else one_row_per_event(records)
    return with_outcome(with_event(with_filter(with_event_type(events, catalogue), chosen), catalogue), catalogue)


def rejected(records: DataFrame, field: str, allowed: str, catalogue: Catalogue = CATALOGUE) -> DataFrame:
    """Records that are rejected for a reason found outside of them: `field` of each is not as `allowed` says."""
    value = validity.quoted(field, f"get_json_object({JSON}, {literal(f'$.{field}')})", allowed)
    return with_event_type(records, catalogue).selectExpr("*", f"'{REJECTED}' AS outcome", f"{value} AS reason")


def event_names(catalogue: Catalogue = CATALOGUE) -> tuple[str, ...]:
    """The names of `event_columns`, in their order."""
    return tuple(_row(catalogue))


def event_columns(records: DataFrame, catalogue: Catalogue = CATALOGUE) -> DataFrame:
    """The rows of table ``events``: those landed.

    Columns: those of `events_columns`, and ``event_date`` (DATE, in UTC).
    """
    columns = [f"{column} AS `{name}`" for name, column in _row(catalogue).items()]
    return records.where(f"outcome = '{LANDED}'").selectExpr(*columns)


def dead_letter_columns(records: DataFrame) -> DataFrame:
    """The rows of table ``dead_letters``: those rejected, with the bytes as Kafka has them (`DEAD_LETTER_COLUMNS`)."""
    kafka = {
        "kafka_topic": "topic",
        "kafka_partition": "partition",
        "kafka_offset": "offset",
        "kafka_position": POSITION,
        "kafka_time": "timestamp",
    }
    columns = [f"`{kafka.get(name, name)}` AS `{name}`" for name, _ in DEAD_LETTER_COLUMNS]
    return records.where(f"outcome = '{REJECTED}'").selectExpr(*columns)


def landing_columns(records: DataFrame, catalogue: Catalogue = CATALOGUE) -> DataFrame:
    """What landing needs of `validated` records, and no more, because it is held in memory.

    Columns: ``event_type``, ``outcome``, ``row`` (STRUCT of `event_columns`; null unless landed), and Kafka's own, of
    which ``key``, ``value`` and ``headers`` are null unless rejected.
    """
    fields = ", ".join(f"{literal(name)}, {column}" for name, column in _row(catalogue).items())
    row = f"CASE WHEN outcome = '{LANDED}' THEN named_struct({fields}) END AS row"
    raw = [f"CASE WHEN outcome = '{REJECTED}' THEN {name} END AS {name}" for name in ("key", "value", "headers")]
    kafka = ("topic", "partition", "offset", POSITION, "timestamp")
    return records.selectExpr(EVENT_TYPE, "outcome", row, *raw, *kafka)


def _list(names: Iterable[str]) -> str:
    return f"({', '.join(literal(name) for name in names)})"


def _row(catalogue: Catalogue) -> dict[str, str]:
    """The columns of table ``events`` by name, as SQL."""
    place = {"kafka_partition": "partition", "kafka_offset": "offset", "kafka_position": POSITION}
    made = {"headers": _kept_headers(), **place}
    row = {name: made.get(name, f"event.`{name}`") for name, _ in COMMON_COLUMNS}
    own = {field.name: _own(field.name, catalogue) for field in catalogue.fields}
    return {EVENT_TYPE: EVENT_TYPE, **row, **own, PARTITION_DATE: "to_date(event.event_time)"}


def _own(field: str, catalogue: Catalogue) -> str:
    """A field's value in events of the types that have it."""
    types = [known.name for known in catalogue if any(own.name == field for own in known.fields)]
    return f"CASE WHEN {EVENT_TYPE} IN {_list(types)} THEN event.`{field}` END"


def _kept_headers() -> str:
    """The request's headers that may be stored: looked up by name, so that nothing else gets through."""
    return f"map_from_entries(concat({', '.join(_kept_header(name) for name in KEPT_HEADERS)}))"


def _kept_header(name: str) -> str:
    text = f"left(try_element_at(event.headers, {literal(name)}), {MOST_HEADER_CHARACTERS})"
    entry = f"array(struct({literal(name)}, {text}))"
    return f"CASE WHEN {text} IS NOT NULL THEN {entry} ELSE slice({entry}, 1, 0) END"

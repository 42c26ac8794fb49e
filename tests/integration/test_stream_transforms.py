"""What becomes of a record: the transforms, on records of Kafka's shape."""

import json
import random
from datetime import UTC, date, datetime
from typing import Any

import kafka_shaped as shaped
import pytest
from pyspark.sql import Row, SparkSession

from questlog import pipeline
from questlog.events import CATALOGUE, Catalogue, EventType, Field, Kind, schema, validation, wire
from questlog.events.catalogue import KEPT_HEADERS, UNKNOWN_TYPE
from questlog.events.wire import TYPE_HEADER, Record
from questlog.settings import Settings
from questlog.stream import transforms
from questlog.stream.session import session

PAGE_VIEW = CATALOGUE["page_view"]
VALID = wire.encode(shaped.accepted(PAGE_VIEW)).value

ID = "text matching [A-Za-z0-9][A-Za-z0-9._:-]{0,63}, of at most 64 characters"
REJECTED = {
    "no JSON": (shaped.record(b"garbage"), "value='garbage': must be one JSON object"),
    "no bytes": (shaped.record(b""), "value=''"),
    "a tombstone": (shaped.record(None), "value=''"),
    "a list": (shaped.record(b"[" + VALID + b"]"), "one JSON object"),
    "a number": (shaped.record(b"12"), "value='12'"),
    "null": (shaped.record(b"null"), "value='null'"),
    "half an object": (shaped.record(VALID[:60]), "one JSON object"),
    "two objects": (shaped.record(VALID + VALID), "one JSON object"),
    "two objects with a comma": (shaped.record(VALID + b"," + VALID), "one JSON object"),
    "words behind it": (shaped.record(VALID + b" and more"), "one JSON object"),
    "bytes that are no UTF-8": (shaped.record(VALID.replace(b"/shop", b"/\xff\xfe")), "one JSON object in UTF-8"),
    "no type": (Record(b"ada", VALID, ()), "event_type='': must be one of page_view, create_player"),
    "a type that nobody knows": (shaped.record(VALID, "../../etc"), "event_type='../../etc': must be one of"),
    "a type that is no UTF-8": (shaped.record(VALID, b"\xff"), "event_type='\ufffd': must be one of"),
    "another type than its header's": (shaped.record(VALID, "join_guild"), "event_type='page_view': must be that of"),
    "no user": (shaped.page_view(user_id=None), f"user_id: required, but missing; must be {ID}"),
    "no event id": (shaped.page_view(event_id=None), "event_id: required, but missing"),
    "no time": (shaped.page_view(event_time=None), "event_time: required, but missing"),
    "a user with a blank": (shaped.page_view(user_id="a b"), f"user_id='a b': must be {ID}"),
    "a user that is a number": (shaped.page_view(user_id=12), "user_id='12': must be text"),
    "a page that is an object": (shaped.page_view(page={"a": 1}), """page='{"a":1}': must be text"""),
    "a page that is true": (shaped.page_view(page=True), "page='true': must be text"),
    "an empty page": (shaped.page_view(page=""), "page='': must be text of 1 to 256"),
    "a page of two lines": (shaped.page_view(page="a\nb"), "page='a\nb': must be text"),
    "a line at its end": (shaped.page_view(page="a\n"), "page='a\n': must be text"),
    "a page too long": (shaped.page_view(page="x" * 257), f"page='{'x' * 100}': must be text of 1 to 256"),
    "a time without a zone": (shaped.page_view(event_time="2026-01-05T10:00:00"), "must be a time with its zone"),
    "a time of day": (shaped.page_view(event_time="T10:00:00Z"), "event_time='T10:00:00Z'"),
    "a time as a number": (shaped.page_view(event_time=1767607200), "event_time='1767607200'"),
    "a month too many": (shaped.page_view(event_time="2026-13-05T10:00:00Z"), "event_time='2026-13-05T10:00:00Z'"),
    "a time too early": (shaped.page_view(event_time="2019-12-31T23:59:59.999Z"), "in the years 2020 to 2099"),
    "a time too late": (shaped.page_view(event_time="2100-01-01T00:00:00Z"), "in the years 2020 to 2099"),
    "a version as text": (shaped.page_view(schema_version="1"), "schema_version='1': must be an integer"),
    "a version of half": (shaped.page_view(schema_version=1.5), "schema_version='1.5': must be an integer"),
    "version 0": (shaped.page_view(schema_version=0), "schema_version='0': must be an integer from 1"),
}
LANDED = {
    "as the API wrote it": shaped.record(VALID),
    "white space around it": shaped.record(b" \n" + VALID + b"\n "),
    "the longest page": shaped.page_view(page="\U0001d11e" * 256),
    "a page with braces": shaped.page_view(page='/a} {"b":1}'),
    "a page of digits": shaped.page_view(page="12"),
    "no page": shaped.page_view(page=None),
    "a field that no type has": shaped.page_view(colour="red"),
    "another type's field": shaped.page_view(price="dear"),
    "headers that are none": shaped.page_view(headers="none"),
    "the first moment": shaped.page_view(event_time="2020-01-01T00:00:00Z"),
    "the last moment": shaped.page_view(event_time="2099-12-31T23:59:59.999999Z"),
    "a time elsewhere": shaped.page_view(event_time="2026-01-05T23:30:00-05:00"),
}


@pytest.fixture(scope="module")
def spark(settings: Settings) -> SparkSession:
    return session(settings, pipeline.place(settings))


@pytest.fixture(scope="module")
def validated(spark: SparkSession) -> dict[str, Row]:
    """What became of each of `REJECTED` and `LANDED`, by name."""
    records = [record for record, _ in REJECTED.values()] + list(LANDED.values())
    rows = transforms.validated(shaped.frame(spark, records)).orderBy("offset", "partition").collect()
    return dict(zip((*REJECTED, *LANDED), rows, strict=True))


def landed(spark: SparkSession, *records: Record, catalogue: Catalogue = CATALOGUE) -> list[dict[str, Any]]:
    """The rows of table ``events``, in the records' order."""
    validated = transforms.validated(shaped.frame(spark, records), catalogue=catalogue)
    rows = transforms.event_columns(validated, catalogue).orderBy("kafka_offset", "kafka_partition").collect()
    return [row.asDict() for row in rows]


def as_sent(event: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """The row's values of the event's fields, with times as the API writes them."""
    return {
        name: validation.timestamp(row[name]) if isinstance(row[name], datetime) else row[name]
        for name in {**event, **row}
        if name in event
    }


def fields_of(catalogue: Catalogue) -> list[str]:
    return [field.name for field in catalogue.fields]


@pytest.mark.parametrize("what", REJECTED)
def test_a_record_is_rejected_for_a_reason(validated: dict[str, Row], what: str) -> None:
    assert validated[what].outcome == "rejected"
    assert REJECTED[what][1] in validated[what].reason


@pytest.mark.parametrize("what", LANDED)
def test_a_record_that_is_as_it_must_be_is_landed(validated: dict[str, Row], what: str) -> None:
    assert (validated[what].outcome, validated[what].reason) == ("landed", None)


def test_a_reason_names_every_wrong_field(spark: SparkSession) -> None:
    record = shaped.page_view(user_id="a b", page="", event_id=None)
    [row] = transforms.validated(shaped.frame(spark, [record])).collect()
    assert all(wrong in row.reason for wrong in ("event_id: required", "user_id='a b'", "page=''"))


def test_every_field_of_every_type_lands_as_the_api_accepted_it(spark: SparkSession) -> None:
    headers = {name: f"the {name}" for name in KEPT_HEADERS}
    events = [shaped.accepted(event_type, headers=headers) for event_type in CATALOGUE]
    rows = landed(spark, *map(wire.encode, events))
    assert [as_sent(event, row) for event, row in zip(events, rows, strict=True)] == events


def test_columns_are_those_of_the_contract(spark: SparkSession) -> None:
    frame = transforms.event_columns(transforms.validated(shaped.frame(spark, [])))
    assert frame.columns == [*(name for name, _ in schema.events_columns(CATALOGUE)), schema.PARTITION_DATE]
    letters = transforms.dead_letter_columns(transforms.validated(shaped.frame(spark, [])))
    assert letters.columns == [name for name, _ in schema.DEAD_LETTER_COLUMNS]
    kinds = dict(frame.dtypes)
    assert (kinds["kafka_partition"], kinds["kafka_offset"], kinds["event_time"]) == ("int", "bigint", "timestamp")
    assert (kinds["headers"], kinds["event_date"]) == ("map<string,string>", "date")


@pytest.mark.parametrize("event_type", CATALOGUE.types, ids=lambda event_type: event_type.name)
def test_whatever_the_api_accepts_is_landed(spark: SparkSession, event_type: EventType) -> None:
    rng = random.Random(event_type.name)
    events = [shaped.accepted(event_type, strange(event_type, rng)) for _ in range(100)]
    rows = landed(spark, *map(wire.encode, events))
    assert [as_sent(event, row) for event, row in zip(events, rows, strict=True)] == events
    missing = [name for name in fields_of(CATALOGUE) if name not in events[0]]
    assert all(rows[0][name] is None for name in missing)


def strange(event_type: EventType, rng: random.Random) -> dict[str, Any]:
    """Values at the edge of what is allowed; optional fields are there or not."""
    return {field.name: edge(field, rng) for field in event_type.fields if field.required or rng.random() < 0.7}


def edge(field: Field, rng: random.Random) -> Any:
    if field.choices:
        return rng.choice(field.choices)
    if field.kind is Kind.INTEGER:
        return rng.choice([field.minimum, field.maximum, rng.randint(field.minimum or 0, field.maximum or 9)])
    if field.name == "country":
        return "NL"
    characters = "a'\"\\/{}[]:,; \u00e9\u200b\u2028\ufeff\uffff\U0001d11e%_$"
    length = rng.choice([1, 2, field.max_length])
    return "".join(rng.choices(characters, k=length))


def test_a_type_that_is_not_wanted_is_filtered_and_not_parsed(spark: SparkSession) -> None:
    records = [shaped.record(b"garbage", "join_guild"), *shaped.examples()]
    rows = transforms.validated(shaped.frame(spark, records), ["page_view"]).collect()
    outcomes = {(row.event_type, row.outcome) for row in rows}
    assert outcomes == {(name, "landed" if name == "page_view" else "filtered") for name in CATALOGUE.names}
    assert all(row.event is None for row in rows if row.outcome == "filtered")


def test_a_record_of_no_known_type_is_rejected_whatever_is_wanted(spark: SparkSession) -> None:
    [row] = transforms.validated(shaped.frame(spark, [shaped.record(VALID, "nobody")]), ["page_view"]).collect()
    assert (row.event_type, row.outcome) == (UNKNOWN_TYPE, "rejected")


HEADERS: list[tuple[tuple[str, Any], ...]] = [
    (),
    ((TYPE_HEADER, b"page_view"),),
    ((TYPE_HEADER, b"join_guild"), (TYPE_HEADER, b"page_view")),
    ((TYPE_HEADER, b"page_view"), (TYPE_HEADER, b"nobody")),
    ((TYPE_HEADER, b"page_view"), (TYPE_HEADER, None)),
    ((TYPE_HEADER, None), (TYPE_HEADER, b"page_view"), ("other", b"join_guild")),
    ((TYPE_HEADER, b""),),
    ((TYPE_HEADER, b"PAGE_VIEW"),),
    ((TYPE_HEADER, b" page_view"),),
    ((TYPE_HEADER, b"page_view\xff"),),
    (("Event_Type", b"page_view"),),
]


def test_the_type_is_what_every_other_reader_of_the_topic_sees(spark: SparkSession) -> None:
    frame = shaped.frame(spark, [Record(None, VALID, headers) for headers in HEADERS])
    names = [row.event_type for row in transforms.with_event_type(frame).orderBy("offset", "partition").collect()]
    assert names == [wire.type_of(headers, CATALOGUE) for headers in HEADERS]


def test_a_record_without_headers_has_no_known_type(spark: SparkSession) -> None:
    frame = shaped.frame(spark, [shaped.record(VALID)]).selectExpr("* EXCEPT (headers)", "NULL AS headers")
    typed = frame.withColumn("headers", frame["headers"].cast("array<struct<key:string,value:binary>>"))
    assert [row.event_type for row in transforms.with_event_type(typed).collect()] == [UNKNOWN_TYPE]


def test_no_header_is_stored_that_is_not_on_the_list(spark: SparkSession) -> None:
    sent = {"host": "game", "authorization": "secret", "cookie": "secret", "user-agent": "x" * 1000}
    [row] = landed(spark, shaped.page_view(headers=sent))
    assert row["headers"] == {"host": "game", "user-agent": "x" * 256}


def test_a_header_that_is_there_twice_is_stored_once(spark: SparkSession) -> None:
    twice = VALID.replace(b'"headers":{', b'"headers":{"host":"first",')
    [row] = landed(spark, shaped.record(twice))
    assert list(row["headers"]) == ["host"]


def test_another_types_field_is_left_out(spark: SparkSession) -> None:
    [row] = landed(spark, shaped.page_view(price=5, guild="Night Watch"))
    assert (row["page"], row["price"], row["guild"]) == ("/shop", None, None)


def test_the_day_is_the_utc_day_on_which_it_happened(spark: SparkSession) -> None:
    [row] = landed(spark, shaped.page_view(event_time="2026-01-05T23:30:00-05:00"))
    assert row["event_date"] == date(2026, 1, 6)
    assert row["event_time"].astimezone(UTC) == datetime(2026, 1, 6, 4, 30, tzinfo=UTC)


def test_a_dead_letter_holds_the_records_bytes_and_its_place(spark: SparkSession) -> None:
    value, key = b"\x00\xff garbage", b"\xfe key"
    validated = transforms.validated(shaped.frame(spark, [shaped.record(VALID), shaped.record(value, key=key)]))
    [letter] = transforms.dead_letter_columns(validated).collect()
    assert (bytes(letter.key), bytes(letter.value), letter.event_type) == (key, value, "page_view")
    assert (letter.kafka_topic, letter.kafka_partition, letter.kafka_offset) == ("topic", 1, 0)
    assert letter.kafka_time.astimezone(UTC) == shaped.RECEIVED


def batched(*values: bytes, types: bytes | None) -> Record:
    return Record(b"ada", b"\n".join(values), (("event_types", types), ("producer", b"questlog-api")))  # type: ignore[arg-type]


BATCHED: dict[str, Record] = {
    "alone": shaped.record(VALID),
    "without any header": Record(None, VALID),
    "two": batched(VALID, '{"page": "Nœud 😀\r"}'.encode(), types=b"page_view,join_guild"),
    "one": batched(VALID, types=b"page_view"),
    "an empty line": batched(VALID, b"", types=b"page_view,nobody"),
    "an unknown type": batched(VALID, VALID, VALID, types=b"page_view,nobody,"),
    "a line too many": batched(VALID, VALID, types=b"page_view"),
    "a type too many": batched(VALID, types=b"page_view,page_view"),
    "a line that is no UTF-8": batched(VALID, b"\xff", types=b"page_view,page_view"),
    "no types": batched(VALID, types=None),
    "no value": Record(b"ada", None, (("event_types", b"page_view"),)),  # type: ignore[arg-type]
    "both headers": Record(b"ada", VALID, (("event_type", b"x"), ("event_types", b"page_view"))),
    "two lists": Record(b"ada", VALID, (("event_types", b"a,b"), ("event_types", b"page_view"))),
}


def test_a_batched_record_becomes_the_events_that_every_other_reader_of_the_topic_sees(spark: SparkSession) -> None:
    rows = transforms.with_event_type(transforms.one_row_per_event(shaped.frame(spark, BATCHED.values())))
    found = [
        (row.offset * shaped.PARTITIONS + row.partition, row.position, row.value and bytes(row.value), row.event_type)
        for row in rows.orderBy("offset", "partition", "position").collect()
    ]
    assert found == [
        (number, position, value, wire.type_of(headers, CATALOGUE))
        for number, record in enumerate(BATCHED.values())
        for position, (value, headers) in enumerate(wire.unpack(record.value, record.headers))
    ]


def test_events_of_one_record_are_validated_each_alone_and_keep_their_place(spark: SparkSession) -> None:
    events = batched(VALID, b"garbage", VALID, types=b"page_view,page_view,join_guild")
    validated = transforms.validated(shaped.frame(spark, [shaped.record(VALID), events]))
    [alone, first] = transforms.event_columns(validated).orderBy("kafka_partition").collect()
    again = transforms.validated(transforms.landing_columns(validated).where("outcome = 'rejected'"))
    [garbage, guild] = transforms.dead_letter_columns(again).orderBy("kafka_position").collect()

    places = [(row.kafka_partition, row.kafka_position) for row in (alone, first, garbage, guild)]
    assert places == [(0, 0), (1, 0), (1, 1), (1, 2)]
    assert (bytes(garbage.value), garbage.event_type) == (b"garbage", "page_view")
    assert garbage.reason.startswith("value='garbage'")
    assert (bytes(guild.value), guild.event_type) == (VALID, "join_guild")
    assert guild.reason.startswith("event_type='page_view': must be that of the header")


def test_a_batched_record_that_lacks_a_type_is_one_dead_letter_that_says_so(spark: SparkSession) -> None:
    incomplete = batched(VALID, VALID, types=b"page_view")
    rows = transforms.landing_columns(transforms.validated(shaped.frame(spark, [incomplete])))
    [letter] = transforms.dead_letter_columns(transforms.validated(rows)).collect()
    assert (letter.event_type, letter.kafka_position, bytes(letter.value)) == (UNKNOWN_TYPE, 0, incomplete.value)
    assert letter.reason == "event_types='page_view': must be one type for each line of the value, in UTF-8"


def test_a_new_type_needs_its_entry_in_the_catalogue_and_nothing_else(spark: SparkSession) -> None:
    catalogue = Catalogue((*CATALOGUE, NEW_TYPE))
    event = shaped.accepted(NEW_TYPE)
    [row] = landed(spark, wire.encode(event), catalogue=catalogue)
    assert as_sent(event, row) == event


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"select": float("inf")}, "select='Infinity': must be a number from 0 to 1"),
        ({"select": 1.5}, "select='1.5': must be a number from 0 to 1"),
        ({"select": "0.5"}, "select='0.5': must be a number from 0 to 1"),
        ({"is_new": "true"}, "is_new='true': must be a boolean"),
        ({"is_new": 1}, "is_new='1': must be a boolean"),
        ({"until": "tomorrow"}, "until='tomorrow': must be a time with its zone"),
        ({"clan": "O'Neil"}, "clan='O'Neil': must be one of O'Brien, back\\slash"),
        ({"code": "a.c"}, "code='a.c': must be text"),
    ],
)
def test_a_new_types_fields_are_validated_by_what_the_catalogue_says(
    spark: SparkSession, changed: dict[str, Any], reason: str
) -> None:
    event = {**shaped.accepted(NEW_TYPE), **changed}
    record = shaped.record(json.dumps(event).encode(), NEW_TYPE.name)
    [row] = transforms.validated(shaped.frame(spark, [record]), catalogue=Catalogue((*CATALOGUE, NEW_TYPE))).collect()
    assert row.outcome == "rejected"
    assert reason in row.reason


NEW_TYPE = EventType(
    name="sign_treaty",
    title="Sign treaty",
    description="Fields of every kind, with names that are words of SQL.",
    fields=(
        Field(name="select", kind=Kind.NUMBER, description="", minimum=0, maximum=1, example=0.25, required=True),
        Field(name="is_new", kind=Kind.BOOLEAN, description="", example=True),
        Field(name="until", kind=Kind.TIMESTAMP, description="", example="2026-02-01T00:00:00.000Z"),
        Field(name="clan", description="", choices=("O'Brien", "back\\slash"), example="back\\slash"),
        Field(name="code", description="", pattern=r"a\.c'\d", example="a.c'7"),
    ),
)

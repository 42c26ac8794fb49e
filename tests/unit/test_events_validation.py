import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from questlog.errors import EventError
from questlog.events import CATALOGUE, EventType, Field, Kind
from questlog.events.catalogue import KEPT_HEADERS, MOST_HEADER_CHARACTERS
from questlog.events.models import LARGEST_BIGINT, SMALLEST_BIGINT
from questlog.events.validation import from_text, kept_headers, parse, timestamp

NOW = datetime(2026, 1, 5, 10, 0, 0, 250_999, tzinfo=UTC)
SWORD = {"item": "iron", "price": 120}
MANY_KINDS = EventType(
    name="many_kinds",
    title="Many kinds",
    description="Fields of the kinds that the game does not use.",
    fields=(
        Field(name="ratio", kind=Kind.NUMBER, description="x", minimum=0, maximum=1, example=0.5),
        Field(name="flag", kind=Kind.BOOLEAN, description="x", example=True),
        Field(name="moment", kind=Kind.TIMESTAMP, description="x", example="2026-01-05T10:00:00Z"),
        Field(name="count", kind=Kind.INTEGER, description="x", example=7),
    ),
)
GROWN = EventType(
    name="grown",
    title="Grown",
    description="A type of three versions.",
    fields=(
        Field(name="first", description="x", required=True, example="a"),
        Field(name="second", description="x", default="none", since=2, example="b"),
        Field(name="third", description="x", since=3, example="c"),
    ),
)


def parsed(name: str, /, **given: object) -> dict[str, Any]:
    return parse(CATALOGUE[name], given, {}, NOW)


def problems(event_type: EventType, /, **given: object) -> dict[object, dict[str, object]]:
    with pytest.raises(EventError) as caught:
        parse(event_type, given, {}, NOW)
    return {problem["field"]: problem for problem in caught.value.problems}


def test_an_event_is_complete_with_what_the_server_stamps() -> None:
    event = parsed("purchase_sword", **SWORD, event_id="order-17", user_id="player-1")

    assert event == {
        "event_type": "purchase_sword",
        "schema_version": 1,
        "received_at": "2026-01-05T10:00:00.250Z",
        "event_id": "order-17",
        "event_time": "2026-01-05T10:00:00.250Z",
        "user_id": "player-1",
        "item": "iron",
        "price": 120,
        "headers": {},
    }


def test_what_is_not_given_has_its_default_or_is_absent() -> None:
    event = parsed("create_player", character="mage", country=None)

    assert event["user_id"] == "anonymous"
    assert "country" not in event
    assert parsed("page_view")["page"] == "/"


def test_every_event_gets_an_id_of_its_own() -> None:
    assert parsed("page_view")["event_id"] != parsed("page_view")["event_id"]


def test_null_counts_as_not_given() -> None:
    assert parsed("page_view", user_id=None, event_id=None)["user_id"] == "anonymous"
    assert "missing" in str(problems(CATALOGUE["purchase_sword"], item=None, price=1)["item"]["problem"])


def test_every_wrong_field_is_a_problem_of_its_own() -> None:
    found = problems(CATALOGUE["purchase_potion"], item="beer", quantity=100, colour="red")

    assert set(found) == {"item", "price", "quantity", "colour"}
    assert found["item"]["value"] == "beer"
    assert found["quantity"]["allowed"] == "an integer from 1 to 99"
    assert found["colour"]["problem"] == "unknown field"


@pytest.mark.parametrize("stamped", ["event_type", "received_at", "headers", "kafka_offset"])
def test_a_client_may_not_write_what_the_server_stamps(stamped: str) -> None:
    assert stamped in problems(CATALOGUE["purchase_sword"], **SWORD, **{stamped: "x"})


@pytest.mark.parametrize("price", [0, 1_000_000, 7.0, 1e3])
def test_an_integer_may_be_written_with_a_point(price: float) -> None:
    assert repr(parsed("purchase_sword", item="iron", price=price)["price"]) == str(int(price))


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("120", 120), ("7.0", 7), ("1e3", 1000), ("-0", 0)])
def test_text_of_a_query_is_read_as_json_writes_numbers(text: str, number: int) -> None:
    given = from_text(CATALOGUE["purchase_sword"], {"item": "iron", "price": text})

    assert parsed("purchase_sword", **given)["price"] == number


@pytest.mark.parametrize(
    "text",
    ["", " ", "iron", "+5", "01", "1_0", " 1", "1\n", "1.5", "1e99", "-1", "NaN", "Infinity", "true", "٣", "9" * 5000],
)
def test_text_of_a_query_that_is_no_integer_in_range_is_refused(text: str) -> None:
    given = from_text(CATALOGUE["purchase_sword"], {"item": "iron", "price": text})

    assert set(problems(CATALOGUE["purchase_sword"], **given)) == {"price"}


@pytest.mark.parametrize(
    "price", [-1, 1_000_001, 1.5, "120", "", "iron", "NaN", True, False, [], {}, 10**400, float("nan"), float("inf")]
)
def test_what_is_no_integer_in_range_is_refused(price: object) -> None:
    found = problems(CATALOGUE["purchase_sword"], item="iron", price=price)

    assert found["price"]["allowed"] == "an integer from 0 to 1000000"
    json.dumps(found["price"]["value"], allow_nan=False)


@pytest.mark.parametrize("country", ["NL", "DE"])
def test_text_matches_its_pattern_as_a_whole(country: str) -> None:
    assert parsed("create_player", character="mage", country=country)["country"] == country


@pytest.mark.parametrize("country", ["nl", "NLD", "N", "", "NL\n", " NL", 7, ["NL"], True])
def test_text_that_does_not_match_is_refused(country: object) -> None:
    assert set(problems(CATALOGUE["create_player"], character="mage", country=country)) == {"country"}


@pytest.mark.parametrize("user_id", ["a", "player-0001", "A.b_c:d", "x" * 64])
def test_an_identifier_may_be(user_id: str) -> None:
    assert parsed("page_view", user_id=user_id)["user_id"] == user_id


@pytest.mark.parametrize(
    "user_id", ["", "-a", "x" * 65, "../../etc", "a/b", "a b", "a\n", "é", "'; DROP TABLE", "\ud800"]
)
def test_an_identifier_may_not_be(user_id: str) -> None:
    assert set(problems(CATALOGUE["page_view"], user_id=user_id)) == {"user_id"}


def test_text_is_as_long_as_allowed_in_characters_not_bytes() -> None:
    assert parsed("page_view", page="é" * 256)
    assert problems(CATALOGUE["page_view"], page="é" * 257)
    assert problems(CATALOGUE["page_view"], page="line\nline")


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("2026-01-05T10:00:00Z", "2026-01-05T10:00:00.000Z"),
        ("2026-01-05T10:00:00.123999Z", "2026-01-05T10:00:00.123Z"),
        ("2026-01-05T01:00:00+02:00", "2026-01-04T23:00:00.000Z"),
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00.000Z"),
        ("2099-12-31T23:59:59.999Z", "2099-12-31T23:59:59.999Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
        ("2026-01-05T10:00:00.123456789+23:59", "2026-01-04T10:01:00.123Z"),
    ],
)
def test_a_time_is_stored_in_utc_to_the_millisecond(written: str, stored: str) -> None:
    assert parsed("page_view", event_time=written)["event_time"] == stored


@pytest.mark.parametrize(
    "written",
    [
        "2026-01-05T10:00:00",
        "2026-01-05",
        "yesterday",
        "2019-12-31T23:59:59Z",
        "2100-01-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2020-01-01T12:00:00+02:00",
        "2099-12-31T12:00:00-02:00",
        "2026-01-05 10:00:00Z",
        "2026-01-05T10:00:00+0200",
        "2026-01-05T10:00:00Z\n",
        "1767607200",
        "-1767607200",
        1767607200,
        1767607200.5,
        True,
        "",
    ],
)
def test_a_time_without_zone_out_of_range_or_not_written_out_is_refused(written: object) -> None:
    found = problems(CATALOGUE["page_view"], event_time=written)

    assert "2020 to 2099" in str(found["event_time"]["allowed"])


def test_numbers_truth_values_and_times_are_read_from_text() -> None:
    texts = {"ratio": "0.25", "flag": "true", "moment": "2026-01-05T10:00:00Z", "count": "-12"}
    event = parse(MANY_KINDS, from_text(MANY_KINDS, texts), {}, NOW)

    assert (event["ratio"], event["flag"], event["count"]) == (0.25, True, -12)
    assert parse(MANY_KINDS, from_text(MANY_KINDS, {"flag": "false"}), {}, NOW)["flag"] is False


@pytest.mark.parametrize("text", ["True", "FALSE", "yes", "1", "0", "", "null"])
def test_a_truth_value_is_true_or_false_and_nothing_else(text: str) -> None:
    assert problems(MANY_KINDS, **from_text(MANY_KINDS, {"flag": text}))["flag"]["allowed"] == "a boolean"


@pytest.mark.parametrize("count", [SMALLEST_BIGINT, LARGEST_BIGINT])
def test_an_integer_without_bounds_of_its_own_is_held_to_64_bits(count: int) -> None:
    beyond = count + (1 if count > 0 else -1)

    for given in ({"count": count}, from_text(MANY_KINDS, {"count": str(count)})):
        assert parse(MANY_KINDS, given, {}, NOW)["count"] == count
    for given in ({"count": beyond}, from_text(MANY_KINDS, {"count": str(beyond)})):
        assert problems(MANY_KINDS, **given)["count"]["value"] == beyond


@pytest.mark.parametrize(
    "given",
    [
        {"ratio": "0.5"},
        {"ratio": 1.01},
        {"ratio": True},
        {"ratio": 10**400},
        {"ratio": float("inf")},
        {"ratio": float("nan")},
        {"flag": "true"},
        {"flag": 1},
        {"moment": 7},
    ],
)
def test_numbers_truth_values_and_times_out_of_bounds_are_refused(given: dict[str, object]) -> None:
    assert set(problems(MANY_KINDS, **given)) == set(given)


def test_a_long_value_is_cut_in_the_error() -> None:
    assert len(str(problems(CATALOGUE["page_view"], page="x" * 10_000)["page"]["value"])) == 100


def test_headers_are_kept_from_the_allow_list_whatever_their_case_and_cut() -> None:
    kept = kept_headers({"Authorization": "secret", "COOKIE": "secret", "User-Agent": "x" * 300, "Host": "game"})

    assert kept == {"host": "game", "user-agent": "x" * MOST_HEADER_CHARACTERS}
    assert not {"authorization", "cookie"} & set(KEPT_HEADERS)


def test_a_moment_of_any_zone_is_written_in_utc() -> None:
    assert timestamp(NOW.astimezone(timezone(timedelta(hours=9)))) == "2026-01-05T10:00:00.250Z"


def test_a_version_may_be_given_and_is_the_newest_otherwise() -> None:
    given = {"first": "a"}

    assert parse(GROWN, given, {}, NOW)["schema_version"] == 3
    assert [parse(GROWN, {**given, "schema_version": v}, {}, NOW)["schema_version"] for v in (1, 2, 3, None)] == [
        1,
        2,
        3,
        3,
    ]


@pytest.mark.parametrize("version", [0, 4, -1, 1.5, "1", "two", True, [], 2**70])
def test_a_version_that_the_type_does_not_have_is_refused(version: object) -> None:
    found = problems(GROWN, first="a", schema_version=version)

    assert set(found) == {"schema_version"}
    assert found["schema_version"]["allowed"] == "an integer from 1 to 3"


def test_a_field_that_came_later_than_the_events_version_is_refused_and_told_so() -> None:
    found = problems(GROWN, first="a", second="b", third="c", schema_version=2)

    assert set(found) == {"third"}
    assert found["third"] == {
        "field": "third",
        "value": "c",
        "problem": "came with schema_version 3, which is later than this event's",
        "allowed": "leave it out, or give schema_version 3 or later",
    }


def test_an_event_of_an_older_version_has_no_default_of_a_later_field() -> None:
    old = parse(GROWN, {"first": "a", "second": None, "schema_version": 1}, {}, NOW)

    assert "second" not in old
    assert parse(GROWN, {"first": "a", "schema_version": 2}, {}, NOW)["second"] == "none"


def test_null_for_a_field_that_no_version_has_is_an_unknown_field() -> None:
    assert problems(GROWN, first="a", colour=None)["colour"]["problem"] == "unknown field"

import json
import string
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questlog.errors import EventError
from questlog.events import CATALOGUE, EventType, Field, Kind
from questlog.events.catalogue import KEPT_HEADERS, MOST_HEADER_CHARACTERS
from questlog.events.schema import input_fields
from questlog.events.validation import EARLIEST, LATEST, kept_headers, parse, timestamp
from questlog.events.wire import encode

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


@pytest.mark.parametrize("stamped", ["event_type", "schema_version", "received_at", "headers", "kafka_offset"])
def test_a_client_may_not_write_what_the_server_stamps(stamped: str) -> None:
    assert stamped in problems(CATALOGUE["purchase_sword"], **SWORD, **{stamped: "x"})


@pytest.mark.parametrize("price", [0, 1_000_000, "0", "120", "+5", 7.0])
def test_an_integer_may_be_text_that_reads_as_one(price: object) -> None:
    assert isinstance(parsed("purchase_sword", item="iron", price=price)["price"], int)


@pytest.mark.parametrize(
    "price", [-1, 1_000_001, 1.5, "1.5", "", "iron", "NaN", True, False, [], {}, 10**400, float("nan"), float("inf")]
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
    event = parse(MANY_KINDS, {"ratio": "0.25", "flag": "true", "moment": "2026-01-05T10:00:00Z"}, {}, NOW)

    assert (event["ratio"], event["flag"]) == (0.25, True)


@pytest.mark.parametrize(
    "given", [{"ratio": "nan"}, {"ratio": 1.01}, {"ratio": float("inf")}, {"flag": "yes"}, {"flag": 1}, {"moment": 7}]
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


def text_of(field: Field) -> st.SearchStrategy[str]:
    if field.choices:
        return st.sampled_from(field.choices)
    if field.pattern == "[A-Z]{2}":
        return st.text(string.ascii_uppercase, min_size=2, max_size=2)
    if "A-Za-z0-9" in field.pattern:
        return st.from_regex(rf"\A{field.pattern}\Z")
    return st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=field.max_length)


def value_of(field: Field) -> st.SearchStrategy[object]:
    if field.kind is Kind.INTEGER:
        return st.integers(field.minimum, field.maximum)
    if field.kind is Kind.TIMESTAMP:
        naive = st.datetimes(EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None) - timedelta(milliseconds=1))
        return naive.map(lambda moment: timestamp(moment.replace(tzinfo=UTC)))
    return text_of(field)


@st.composite
def given_events(draw: st.DrawFn) -> tuple[EventType, dict[str, object]]:
    event_type = draw(st.sampled_from(tuple(CATALOGUE)))
    fields = [field for field in input_fields(event_type) if field.required or draw(st.booleans())]
    return event_type, {field.name: draw(value_of(field)) for field in fields}


@given(given_events())
def test_whatever_the_catalogue_allows_comes_through_parse_encode_and_json_unchanged(
    made: tuple[EventType, dict[str, object]],
) -> None:
    event_type, values = made

    record = encode(parse(event_type, values, {"Host": "game"}, NOW))

    event = json.loads(record.value.decode("utf-8"))
    assert event | values == event
    assert event["event_type"] == event_type.name
    assert record.key == str(event["user_id"]).encode()

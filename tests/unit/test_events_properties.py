"""Whatever the catalogue allows, over the whole of its range."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import assume, event, given
from pydantic import ValidationError

from event_strategies import WIDE, Event, changed_events, events
from questlog.errors import EventError
from questlog.events import EventType, Kind
from questlog.events.models import model, quick_model
from questlog.events.schema import input_fields
from questlog.events.validation import from_text, parse, timestamp
from questlog.events.wire import encode

NOW = datetime(2026, 1, 5, 10, 0, 0, 250_999, tzinfo=UTC)


def as_stored(event_type: EventType, name: str, value: object) -> object:
    """A value as the event holds it: times in UTC, to the millisecond."""
    kinds = {field.name: field.kind for field in input_fields(event_type)}
    return timestamp(datetime.fromisoformat(str(value))) if kinds[name] is Kind.TIMESTAMP else value


def as_text(value: object) -> str:
    """A value as a query or a form has it."""
    return value if isinstance(value, str) else json.dumps(value)


@given(events(WIDE))
def test_an_event_that_the_catalogue_allows_is_read_from_its_record_as_it_was_given(made: Event) -> None:
    event_type, values = made

    event = parse(event_type, values, {"Host": "game"}, NOW)
    read = json.loads(encode(event).value.decode("utf-8"))

    assert read == event
    for name, value in values.items():
        if value is not None:
            assert read[name] == as_stored(event_type, name, value)
    assert {read["event_type"], read["schema_version"]} == {
        event_type.name,
        values.get("schema_version", event_type.version),
    }


@given(events(WIDE))
def test_an_event_has_the_defaults_of_its_version_and_no_field_of_a_later_one(made: Event) -> None:
    event_type, values = made
    event = parse(event_type, values, {}, NOW)
    own = input_fields(event_type, event["schema_version"])

    assert set(event) <= {"event_type", "received_at", "headers", *(field.name for field in own)}
    for field in own:
        if field.default is not None and values.get(field.name) is None:
            assert event[field.name] == field.default


@given(events(WIDE))
def test_text_means_the_same_as_the_value_it_stands_for(made: Event) -> None:
    event_type, values = made
    given_values = {name: value for name, value in values.items() if value is not None}

    assert from_text(event_type, {name: as_text(value) for name, value in given_values.items()}) == given_values


def outcome(made: Event) -> dict[str, object] | list[dict[str, object]]:
    """The event, or what is wrong with it."""
    event_type, values = made
    try:
        return parse(event_type, values, {}, NOW)
    except EventError as error:
        return error.problems


@given(changed_events(WIDE) | events(WIDE))
def test_the_quick_model_takes_nothing_else_than_the_model_and_gives_the_same(made: Event) -> None:
    event_type, values = made
    version = values.get("schema_version", event_type.version)
    assume(type(version) is int and 1 <= version <= event_type.version)
    try:
        quick = quick_model(event_type, version).validate_python(values)
    except ValidationError:
        event("refused by the quick one")
        return

    not_given = {field.name: field.default for field in input_fields(event_type, version)}
    assert repr({**not_given, **quick}) == repr(vars(model(event_type, version).model_validate(values)))


@given(events(WIDE))
def test_the_quick_model_takes_an_event_whose_numbers_are_of_their_kind(made: Event) -> None:
    event_type, values = made
    values = {name: value for name, value in values.items() if value is not None}
    kinds = {field.name: field.kind for field in input_fields(event_type)}
    assume(all(type(value) is int for name, value in values.items() if kinds[name] is Kind.INTEGER))

    version = values.get("schema_version", event_type.version)
    assert quick_model(event_type, version).validate_python(values).keys() == values.keys()


@given(changed_events(WIDE))
def test_whatever_is_given_becomes_an_event_or_problems_that_json_can_say(made: Event) -> None:
    found = outcome(made)

    assert found
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    if isinstance(found, list):
        assert all(problem["problem"] and problem["allowed"] for problem in found)


@pytest.mark.parametrize("event_type", tuple(WIDE), ids=lambda event_type: event_type.name)
def test_a_version_that_is_not_named_is_the_newest(event_type: EventType) -> None:
    examples = {field.name: field.example for field in event_type.fields}

    assert parse(event_type, examples, {}, NOW)["schema_version"] == event_type.version

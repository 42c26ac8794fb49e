"""Bad events: each is refused or rejected for the reason that it names."""

import json
from collections import Counter
from datetime import UTC, datetime

import pytest

from questlog.errors import EventError
from questlog.events import CATALOGUE
from questlog.events.catalogue import UNKNOWN_TYPE
from questlog.events.validation import parse
from questlog.events.wire import is_from_api, type_of
from questlog.generate.bad import REQUEST_WAYS, BadRequest
from questlog.generate.model import simulate
from questlog.generate.stray import STRAY_WAYS, StrayRecord
from questlog.generate.world import World

WORLD = World(events=2_000, bad_share=0.5)
EVENTS = list(simulate(WORLD))
REQUESTS = [event for event in EVENTS if isinstance(event, BadRequest)]
STRAYS = [event for event in EVENTS if isinstance(event, StrayRecord)]
RECEIVED = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("world", [WORLD, World(events=999, bad_share=0.033), World(events=2, bad_share=0.5)], ids=str)
def test_half_of_the_bad_events_are_requests_and_half_are_stray_records(world: World) -> None:
    kinds = Counter(type(event) for event in simulate(world))

    assert kinds[BadRequest] + kinds[StrayRecord] == world.bad
    assert kinds[StrayRecord] == world.strays


def test_a_world_is_without_bad_events_unless_told_otherwise() -> None:
    assert all(isinstance(event, dict) for event in simulate(World(events=500)))


def test_bad_events_are_the_same_for_the_same_world() -> None:
    assert list(simulate(WORLD)) == EVENTS


def test_every_way_of_being_bad_is_met() -> None:
    assert {request.way for request in REQUESTS} == set(REQUEST_WAYS)
    assert {record.way for record in STRAYS} == set(STRAY_WAYS)


@pytest.mark.parametrize("way", REQUEST_WAYS)
def test_a_bad_request_is_refused_for_the_one_thing_that_is_wrong(way: str) -> None:
    for request in (request for request in REQUESTS if request.way == way):
        with pytest.raises(EventError) as refused:
            parse(CATALOGUE[request.event_type], request.parameters, {}, RECEIVED)
        assert len(refused.value.problems) == 1


@pytest.mark.parametrize("way", REQUEST_WAYS)
def test_a_bad_request_is_also_refused_as_query_parameters(way: str) -> None:
    for request in (request for request in REQUESTS if request.way == way):
        as_text = {name: str(value) for name, value in request.parameters.items()}
        with pytest.raises(EventError):
            parse(CATALOGUE[request.event_type], as_text, {}, RECEIVED)


def test_no_stray_record_claims_to_come_from_the_api() -> None:
    assert not any(is_from_api(stray.record.headers) for stray in STRAYS)


@pytest.mark.parametrize("way", ["empty value", "not JSON", "truncated JSON", "JSON, but no object"])
def test_a_stray_value_is_no_json_object(way: str) -> None:
    for stray in (stray for stray in STRAYS if stray.way == way):
        try:
            value = json.loads(stray.record.value)
        except ValueError:
            continue
        assert not isinstance(value, dict)


@pytest.mark.parametrize("way", ["no event_type header", "unknown event_type"])
def test_a_stray_record_has_no_known_type(way: str) -> None:
    strays = [stray for stray in STRAYS if stray.way == way]

    assert {type_of(stray.record.headers, CATALOGUE) for stray in strays} == {UNKNOWN_TYPE}


@pytest.mark.parametrize("way", ["required field missing", "text for a number"])
def test_a_stray_value_breaks_the_contract_in_one_field(way: str) -> None:
    for stray in (stray for stray in STRAYS if stray.way == way):
        value = json.loads(stray.record.value)
        event_type = CATALOGUE[type_of(stray.record.headers, CATALOGUE)]
        required = {field.name for field in event_type.fields if field.required}
        whole = {"event_id", "event_time", "user_id", "event_type", "schema_version", "received_at"} | required
        missing = whole - set(value)
        numbers = [name for name in ("price", "schema_version") if value.get(name) == "one"]
        assert len(missing) + len(numbers) == 1

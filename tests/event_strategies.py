"""Hypothesis strategies derived from a catalogue: events that it allows, and events with something changed.

An event is what a client sends as JSON: its fields' values by name, without the event type.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from questlog.events import CATALOGUE, Catalogue, EventType, Field, Kind
from questlog.events.fields import NO_CONTROL_CHARACTERS
from questlog.events.models import LARGEST_BIGINT, SMALLEST_BIGINT
from questlog.events.schema import input_fields
from questlog.events.times import EARLIEST, LATEST

Given = dict[str, Any]
Event = tuple[EventType, Given]

ALL_KINDS = EventType(
    name="all_kinds",
    title="All kinds",
    description="Fields of every kind and of three versions, which the game does not use.",
    fields=(
        Field(name="ratio", kind=Kind.NUMBER, description="x", minimum=0, maximum=1, required=True, example=0.5),
        Field(name="measure", kind=Kind.NUMBER, description="x", example=2.5),
        Field(name="count", kind=Kind.INTEGER, description="x", example=7),
        Field(name="flag", kind=Kind.BOOLEAN, description="x", default=False, example=True),
        Field(name="moment", kind=Kind.TIMESTAMP, description="x", example="2026-01-05T10:00:00Z"),
        Field(name="note", description="x", default="none", since=2, example="seen"),
        Field(name="colour", description="x", choices=("red", "green"), since=3, example="red"),
    ),
)
WIDE = Catalogue((*CATALOGUE, ALL_KINDS))
"""The game's types, and one with fields of every kind."""

ZONES = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
A_DAY = timedelta(days=1)
EDGES_OF_TIME = (
    "2020-01-01T00:00:00Z",
    "2020-01-01T00:00:00-00:00",
    "2099-12-31T23:59:59.999999Z",
    "2024-02-29T23:59:59.999999999+23:59",
    "2020-01-02T00:00:00+23:59",
    "2099-12-30T23:59:59.9-23:59",
)
NOT_QUITE_TIMES = (
    "2019-12-31T23:59:59.999Z",
    "2100-01-01T00:00:00Z",
    "2020-01-01T00:00:00+00:01",
    "2099-12-31T23:59:59-00:01",
    "2026-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-05T24:00:00Z",
    "2026-01-05T10:00:60Z",
    "2026-01-05T10:00:00",
    "2026-01-05T10:00Z",
    "2026-01-05 10:00:00Z",
    "2026-01-05t10:00:00z",
    "2026-01-05T10:00:00.Z",
    "2026-01-05T10:00:00+0200",
    "2026-01-05T10:00:00+24:00",
    "2026-01-05T10:00:00Z\n",
    "٢٠٢٦-01-05T10:00:00Z",
)


def values(field: Field) -> st.SearchStrategy[Any]:
    """What the field allows, null apart; among it the smallest, the largest and the longest."""
    if field.choices:
        return st.sampled_from(field.choices)
    made = {
        Kind.STRING: texts,
        Kind.TIMESTAMP: lambda _: times(),
        Kind.BOOLEAN: lambda _: st.booleans(),
        Kind.INTEGER: integers,
        Kind.NUMBER: numbers,
    }
    return made[field.kind](field)


def texts(field: Field) -> st.SearchStrategy[str]:
    """Text of any script, if the pattern leaves it open."""
    if field.pattern != NO_CONTROL_CHARACTERS:
        return st.from_regex(field.pattern, fullmatch=True).filter(lambda text: len(text) <= field.max_length)
    characters = st.characters(exclude_categories=("Cc", "Cs"))
    longest = characters.map(lambda character: character * field.max_length)
    return st.text(characters, min_size=1, max_size=field.max_length) | longest


def integers(field: Field) -> st.SearchStrategy[int]:
    """Integers within the field's bounds, or the 64 bits of a column."""
    least = SMALLEST_BIGINT if field.minimum is None else field.minimum
    most = LARGEST_BIGINT if field.maximum is None else field.maximum
    return st.integers(least, most) | st.sampled_from((least, most))


def numbers(field: Field) -> st.SearchStrategy[float]:
    """Finite numbers within the field's bounds, integers among them."""
    least, most = field.minimum, field.maximum
    return st.floats(least, most, allow_nan=False, allow_infinity=False) | st.integers(
        -(2**53) if least is None else least, 2**53 if most is None else most
    )


def times() -> st.SearchStrategy[str]:
    """Times to the microsecond, with zones, and the edges of what is allowed."""
    first, last = (moment.replace(tzinfo=None) for moment in (EARLIEST, LATEST))
    with_zones = st.datetimes(first + A_DAY, datetime.combine(last - 2 * A_DAY, time.max), timezones=ZONES)
    in_utc = st.datetimes(first, datetime.combine(last - A_DAY, time.max), timezones=st.just(UTC))
    written = (with_zones | in_utc).map(lambda moment: moment.isoformat())
    return written | written.map(lambda text: text.replace("+00:00", "Z")) | st.sampled_from(EDGES_OF_TIME)


@st.composite
def events(draw: st.DrawFn, catalogue: Catalogue = CATALOGUE) -> Event:
    """An event that the catalogue allows, of any version of its type; nulls stand for fields that are not given."""
    event_type = draw(st.sampled_from(tuple(catalogue)))
    version = draw(st.integers(1, event_type.version))
    needed = [field for field in input_fields(event_type, version) if field.name != "schema_version"]
    given: Given = {} if version == event_type.version and draw(st.booleans()) else {"schema_version": version}
    for field in needed:
        if field.required or draw(st.booleans()):
            given[field.name] = draw(values(field) if field.required else values(field) | st.none())
    return event_type, given


def anything() -> st.SearchStrategy[Any]:
    """Any JSON value that is not large, and some that look like a time, a number or a truth value."""
    plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    odd = st.sampled_from(
        (*NOT_QUITE_TIMES, "", " ", "1", "-0", "1e3", "01", "+1", "1_0", "true", "null", "a\n", "\x00", 2**63, -1, 7.0)
    )
    return plain | odd | st.lists(plain, max_size=2) | st.dictionaries(st.text(max_size=3), plain, max_size=2)


def _without(draw: st.DrawFn, event_type: EventType, given: Given) -> None:
    if given:
        del given[draw(st.sampled_from(sorted(given)))]


def _with_another_value(draw: st.DrawFn, event_type: EventType, given: Given) -> None:
    field = draw(st.sampled_from(input_fields(event_type)))
    given[field.name] = draw(anything())


def _with_another_fields_value(draw: st.DrawFn, event_type: EventType, given: Given) -> None:
    field, other = (draw(st.sampled_from(input_fields(event_type))) for _ in range(2))
    given[field.name] = draw(values(other))


def _just_out_of_bounds(draw: st.DrawFn, event_type: EventType, given: Given) -> None:
    field = draw(st.sampled_from(input_fields(event_type)))
    least, most = (field.minimum or 0) - 1, (field.maximum or 0) + 1
    too_long = "x" * (field.max_length + 1)
    given[field.name] = draw(st.sampled_from((least, most, too_long, "é" * field.max_length, "a\n")))


def _with_an_unknown_field(draw: st.DrawFn, event_type: EventType, given: Given) -> None:
    given[draw(st.text() | st.sampled_from(("event_date", "received_at", "headers", "Item", "event_id ")))] = draw(
        anything()
    )


def _of_another_version(draw: st.DrawFn, event_type: EventType, given: Given) -> None:
    given["schema_version"] = draw(st.integers(0, event_type.version + 1) | st.sampled_from((1.0, 1.5, "1", None)))


CHANGES: tuple[Callable[[st.DrawFn, EventType, Given], None], ...] = (
    _without,
    _with_another_value,
    _with_another_fields_value,
    _just_out_of_bounds,
    _with_an_unknown_field,
    _of_another_version,
)


@st.composite
def changed_events(draw: st.DrawFn, catalogue: Catalogue = CATALOGUE) -> Event:
    """An event of which one or two things were changed: mostly one that is not allowed, but not always."""
    event_type, given = draw(events(catalogue))
    for change in draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=2)):
        change(draw, event_type, given)
    return event_type, given

"""A request's parameters become an event, or an error that names every wrong field.

The checks are pydantic's, on models built from the catalogue. Text is taken for a number where it reads as one, because
a query string has nothing but text.
"""

from __future__ import annotations

import functools
import math
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StrictBool,
    StringConstraints,
    ValidationError,
    create_model,
)
from pydantic import Field as Constraint

from questlog.errors import EventError
from questlog.events.catalogue import KEPT_HEADERS, MOST_HEADER_CHARACTERS
from questlog.events.fields import EventType, Field, Kind
from questlog.events.schema import input_fields

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
SMALLEST_BIGINT, LARGEST_BIGINT = -(2**63), 2**63 - 1
"""What the tables' integer columns can hold."""


def parse(
    event_type: EventType, given: Mapping[str, Any], headers: Mapping[str, str], received_at: datetime
) -> dict[str, Any]:
    """The event, complete and ready for `wire.encode`: values are text, numbers, booleans and the map ``headers``.

    A field given as null counts as not given.

    Raises:
        EventError: holds every wrong, missing or unknown field, not only the first.
    """
    try:
        checked = _model(event_type).model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise EventError([_problem(event_type, dict(detail)) for detail in error.errors()]) from None
    given_fields = checked.model_dump(exclude_none=True)
    fields = {name: timestamp(value) if isinstance(value, datetime) else value for name, value in given_fields.items()}
    fields.setdefault("event_id", str(uuid.uuid4()))
    fields.setdefault("event_time", timestamp(received_at))
    stamped = {
        "event_type": event_type.name,
        "schema_version": event_type.version,
        "received_at": timestamp(received_at),
    }
    return {**stamped, **fields, "headers": kept_headers(headers)}


def timestamp(moment: datetime) -> str:
    """UTC to the millisecond, as in ``2026-01-05T10:00:00.000Z``: RFC 3339."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that are stored, by lower-case name."""
    lower = {name.lower(): text for name, text in headers.items()}
    return {name: lower[name][:MOST_HEADER_CHARACTERS] for name in KEPT_HEADERS if name in lower}


def _written_out(given: object) -> object:
    """Refuse a bare number: it might mean seconds, milliseconds or a year."""
    if not isinstance(given, datetime) and (not isinstance(given, str) or "-" not in given[1:]):
        raise ValueError("time is not written out")
    return given


def _truth(given: object) -> object:
    return {"true": True, "false": False}.get(given, given) if isinstance(given, str) else given


def _no_truth(given: object) -> object:
    if isinstance(given, bool):
        raise ValueError("a truth value is no number")
    return given


def _in_range(moment: datetime) -> datetime:
    if not EARLIEST <= moment < LATEST:
        raise ValueError("time out of range")
    return moment


def _constraint(field: Field) -> Any:
    if field.choices:
        return Literal[field.choices]
    if field.kind is Kind.STRING:
        return Annotated[str, StringConstraints(max_length=field.max_length, pattern=rf"\A(?:{field.pattern})\z")]
    if field.kind is Kind.TIMESTAMP:
        return Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_range)]
    if field.kind is Kind.BOOLEAN:
        return Annotated[StrictBool, BeforeValidator(_truth)]
    if field.kind is Kind.NUMBER:
        bounds = Constraint(ge=field.minimum, le=field.maximum, allow_inf_nan=False)
        return Annotated[float, BeforeValidator(_no_truth), bounds]
    least = SMALLEST_BIGINT if field.minimum is None else field.minimum
    most = LARGEST_BIGINT if field.maximum is None else field.maximum
    return Annotated[int, BeforeValidator(_no_truth), Constraint(ge=least, le=most)]


@functools.cache
def _model(event_type: EventType) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for field in input_fields(event_type):
        kind = _constraint(field)
        fields[field.name] = (kind, ...) if field.required else (kind | None, field.default)
    return cast(
        type[BaseModel],
        create_model(event_type.name, __config__=ConfigDict(extra="forbid", frozen=True), **fields),
    )


def _problem(event_type: EventType, detail: dict[str, Any]) -> dict[str, object]:
    name = str(detail["loc"][0]) if detail["loc"] else ""
    known = {field.name: field for field in input_fields(event_type)}
    if name not in known:
        return {
            "field": name,
            "value": _shown(detail["input"]),
            "problem": "unknown field",
            "allowed": ", ".join(known),
        }
    missing = detail["type"] == "missing"
    problem = "required, but missing" if missing else detail["msg"]
    value = None if missing else _shown(detail["input"])
    return {"field": name, "value": value, "problem": problem, "allowed": known[name].allowed}


def _shown(value: object) -> object:
    is_json = value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return value if is_json else str(value)[:100]

"""A request's parameters become an event, or an error that names every wrong field.

The checks are pydantic's, on models built from the catalogue; the models' JSON schemas describe the same checks. A
value is of its field's kind, as JSON has it; `from_text` makes such values of a query's or a form's text.
"""

from __future__ import annotations

import functools
import math
import re
import sys
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StrictBool,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    create_model,
)
from pydantic import Field as Constraint

from questlog.errors import EventError
from questlog.events import times
from questlog.events.catalogue import KEPT_HEADERS, MOST_HEADER_CHARACTERS, VERSION
from questlog.events.fields import EventType, Field, Kind
from questlog.events.schema import input_fields, version_field
from questlog.events.times import EARLIEST, LATEST, timestamp

__all__ = ["EARLIEST", "LATEST", "from_text", "kept_headers", "model", "parse", "timestamp"]

SMALLEST_BIGINT, LARGEST_BIGINT = -(2**63), 2**63 - 1
"""What the tables' integer columns can hold."""
SHOWN = 100  # characters of a client's text that a problem repeats

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_TRUTH = {"true": True, "false": False}


def parse(
    event_type: EventType, given: Mapping[str, Any], headers: Mapping[str, str], received_at: datetime
) -> dict[str, Any]:
    """The event, complete and ready for `wire.encode`: values are text, numbers, booleans and the map ``headers``.

    A field given as null counts as not given. An event of an older version has no default of a field that came later.

    Raises:
        EventError: holds every wrong, missing or unknown field, not only the first.
    """
    kinds = _kinds(event_type)
    present = {name: value for name, value in given.items() if value is not None or name not in kinds}
    try:
        checked = model(event_type, _version(event_type, present)).model_validate(present)
    except ValidationError as error:
        raise EventError([_problem(event_type, dict(detail)) for detail in error.errors()]) from None
    given_fields = checked.model_dump(exclude_none=True)
    fields = {name: timestamp(value) if isinstance(value, datetime) else value for name, value in given_fields.items()}
    fields.setdefault("event_id", str(uuid.uuid4()))
    fields.setdefault("event_time", timestamp(received_at))
    stamped = {
        "event_type": event_type.name,
        VERSION: fields[VERSION],
        "received_at": timestamp(received_at),
    }
    return {**stamped, **fields, "headers": kept_headers(headers)}


def from_text(event_type: EventType, given: Mapping[str, str]) -> dict[str, Any]:
    """The values that a query's or a form's texts mean: numbers and truth values are written as in JSON.

    A text that reads as no value of its field stays as it is, for `parse` to refuse.
    """
    kinds = _kinds(event_type)
    return {name: _value(kinds.get(name, Kind.STRING), text) for name, text in given.items()}


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that are stored, by lower-case name."""
    lower = {name.lower(): text for name, text in headers.items()}
    return {name: lower[name][:MOST_HEADER_CHARACTERS] for name in KEPT_HEADERS if name in lower}


@functools.cache
def model(event_type: EventType, version: int) -> type[BaseModel]:
    """What `parse` holds an event of this version to, null apart."""
    fields: dict[str, Any] = {}
    for field in input_fields(event_type, version):
        said = Constraint(... if field.required else field.default, description=field.meaning, examples=[field.example])
        fields[field.name] = (_constraint(field), said)
    return cast(
        type[BaseModel],
        create_model(event_type.name, __config__=ConfigDict(extra="forbid", frozen=True), **fields),
    )


@functools.cache
def _kinds(event_type: EventType) -> Mapping[str, Kind]:
    return {field.name: field.kind for field in input_fields(event_type)}


def _value(kind: Kind, text: str) -> object:
    if kind is Kind.BOOLEAN:
        return _TRUTH.get(text, text)
    if kind not in (Kind.INTEGER, Kind.NUMBER) or not _NUMBER.fullmatch(text):
        return text
    is_whole = text.lstrip("-").isdigit()
    return int(text) if is_whole and len(text) < sys.int_info.str_digits_check_threshold else float(text)


def _version(event_type: EventType, given: Mapping[str, Any]) -> int:
    """The version that the client names, if it is one; the newest otherwise."""
    if VERSION not in given:
        return event_type.version
    try:
        return _versions(event_type).validate_python(given[VERSION])
    except ValidationError:
        return event_type.version


@functools.cache
def _versions(event_type: EventType) -> TypeAdapter[int]:
    return TypeAdapter(_constraint(version_field(event_type)))


def _number(given: object) -> object:
    """JSON's numbers and no text; 7.0 is the integer 7, and true is none."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ValueError("not a number")
    if isinstance(given, float) and not math.isfinite(given):
        raise ValueError("not a finite number")
    return int(given) if isinstance(given, float) and given.is_integer() else given


def _moment(given: object) -> datetime:
    if not isinstance(given, str):
        raise ValueError("not a text: a bare number might mean seconds, milliseconds or a year")
    return times.read(given)


def _constraint(field: Field) -> Any:
    if field.choices:
        return Literal[field.choices]
    if field.kind is Kind.STRING:
        return Annotated[str, StringConstraints(max_length=field.max_length, pattern=f"^(?:{field.pattern})$")]
    if field.kind is Kind.TIMESTAMP:
        written = {"type": "string", "format": "date-time", "pattern": times.PATTERN}
        return Annotated[datetime, BeforeValidator(_moment), WithJsonSchema(written)]
    if field.kind is Kind.BOOLEAN:
        return StrictBool
    return _number_constraint(field)


def _number_constraint(field: Field) -> Any:
    is_integer = field.kind is Kind.INTEGER
    least, most = (SMALLEST_BIGINT, LARGEST_BIGINT) if is_integer else (-sys.float_info.max, sys.float_info.max)
    least = least if field.minimum is None else field.minimum
    most = most if field.maximum is None else field.maximum
    return Annotated[int if is_integer else float, Constraint(ge=least, le=most), BeforeValidator(_number)]


def _problem(event_type: EventType, detail: dict[str, Any]) -> dict[str, object]:
    name = str(detail["loc"][0])[:SHOWN] if detail["loc"] else ""
    known = {field.name: field for field in input_fields(event_type)}
    value = None if detail["type"] == "missing" else _shown(detail["input"])
    problem, allowed = _sentence(known.get(name), detail["type"], detail["msg"])
    return {"field": name, "value": value, "problem": problem, "allowed": allowed or ", ".join(known)}


def _sentence(field: Field | None, kind: str, message: str) -> tuple[str, str]:
    """What is wrong with a field, and what is allowed; nothing for a field that no version knows."""
    if field is None:
        return "unknown field", ""
    if kind == "missing":
        return "required, but missing", field.allowed
    if kind == "extra_forbidden":
        came = f"came with {VERSION} {field.since}, which is later than this event's"
        return came, f"leave it out, or give {VERSION} {field.since} or later"
    return message.removeprefix("Value error, "), field.allowed


def _shown(value: object) -> object:
    is_json = value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return value if is_json else str(value)[:SHOWN]

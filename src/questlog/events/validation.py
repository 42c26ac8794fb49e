"""A request's parameters become an event, or an error that names every wrong field.

The checks are pydantic's, on models built from the catalogue; the models' JSON schemas describe the same checks. A
value is of its field's kind, as JSON has it; `from_text` makes such values of a query's or a form's text.
"""

from __future__ import annotations

import functools
import math
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from questlog.errors import EventError
from questlog.events.catalogue import KEPT_HEADERS, MOST_HEADER_CHARACTERS, VERSION
from questlog.events.fields import EventType, Field, Kind
from questlog.events.models import constraint, model, quick_model
from questlog.events.schema import input_fields, version_field
from questlog.events.times import EARLIEST, LATEST, timestamp
from questlog.ids import new_id

__all__ = ["EARLIEST", "LATEST", "Receipt", "from_text", "kept_headers", "parse", "received", "timestamp"]

Fields = Mapping[str, Any]

SHOWN = 100  # characters of a client's text that a problem repeats

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the server adds to each event of a request: the time of its receipt, and its headers that are stored."""

    time: str
    headers: Mapping[str, str]


def parse(
    event_type: EventType, given: Mapping[str, Any], headers: Mapping[str, str], received_at: datetime
) -> dict[str, Any]:
    """The event, complete and ready for `wire.encode`: values are text, numbers, booleans and the map ``headers``.

    A field given as null counts as not given. An event of an older version has no default of a field that came later.

    Raises:
        EventError: holds every wrong, missing or unknown field, not only the first.
    """
    return received(event_type, given, Receipt(timestamp(received_at), kept_headers(headers)))


def received(event_type: EventType, given: Mapping[str, Any], receipt: Receipt) -> dict[str, Any]:
    """The same, for one of many events of a request.

    Raises:
        EventError: as `parse`.
    """
    event = {**_checked(event_type, given), "headers": receipt.headers}
    event["received_at"] = receipt.time
    if event["event_id"] is None:
        event["event_id"] = new_id()
    if event["event_time"] is None:
        event["event_time"] = receipt.time
    if None in event.values():
        return {name: value for name, value in event.items() if value is not None}
    return event


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
def _kinds(event_type: EventType) -> Mapping[str, Kind]:
    return {field.name: field.kind for field in input_fields(event_type)}


def _value(kind: Kind, text: str) -> object:
    if kind is Kind.BOOLEAN:
        return _TRUTH.get(text, text)
    if kind not in (Kind.INTEGER, Kind.NUMBER) or not _NUMBER.fullmatch(text):
        return text
    is_whole = text.lstrip("-").isdigit()
    return int(text) if is_whole and len(text) < sys.int_info.str_digits_check_threshold else float(text)


def _checked(event_type: EventType, given: Mapping[str, Any]) -> dict[str, Any]:
    """The event's type and every field of its version, null where it is not given and has no default."""
    version = given.get(VERSION, event_type.version)
    if type(version) is int and 1 <= version <= event_type.version:
        validated, not_given = _quickly(event_type, version)
        try:
            return {**not_given, **validated(given)}
        except ValidationError:
            pass  # the other model may take it, and says what is wrong if it does not
    kinds = _kinds(event_type)
    present = {name: value for name, value in given.items() if value is not None or name not in kinds}
    try:
        validated_as = model(event_type, _version(event_type, present)).model_validate(present)
        return {"event_type": event_type.name, "received_at": None, **vars(validated_as)}
    except ValidationError as error:
        raise EventError([_problem(event_type, dict(detail)) for detail in error.errors()]) from None


@functools.cache
def _quickly(event_type: EventType, version: int) -> tuple[Callable[[Mapping[str, Any]], dict[str, Any]], Fields]:
    """What validates the fields that are given, and what an event has for those that are not."""
    defaults = {field.name: field.default for field in input_fields(event_type, version)}
    validated = quick_model(event_type, version).validator.validate_python
    return validated, {"event_type": event_type.name, "received_at": None, **defaults}


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
    return TypeAdapter(constraint(version_field(event_type)))


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

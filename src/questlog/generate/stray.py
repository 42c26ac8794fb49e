"""Stray records: what something other than the API wrote straight into the topic, without the API's producer header."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from questlog.events.fields import EventType, Kind, Value
from questlog.events.validation import parse
from questlog.events.wire import TYPE_HEADER, Record, encode

UNKNOWN_TYPE_NAME = b"no_such_type"
NO_NUMBER = "one"
VERSION_FIELD, ID_FIELD, TYPE_FIELD = "schema_version", "event_id", "event_type"


@dataclass(frozen=True, slots=True)
class StrayRecord:
    """A record for the topic that the stream must reject; `way` names what is wrong with it."""

    way: str
    record: Record


def stray(way: str, event_type: EventType, parameters: Mapping[str, Value]) -> StrayRecord:
    """The record of a good event, spoilt in a way of `STRAY_WAYS`."""
    received_at = datetime.fromisoformat(str(parameters["event_time"]))
    written = encode(parse(event_type, parameters, {}, received_at))
    record = dataclasses.replace(written, headers=((TYPE_HEADER, event_type.name.encode()),))
    return StrayRecord(way, STRAY_WAYS[way](event_type, record))


def _with_value(record: Record, value: bytes) -> Record:
    return dataclasses.replace(record, value=value)


def _change(record: Record, change: Callable[[dict[str, Any]], object]) -> Record:
    event = json.loads(record.value)
    change(event)
    return _with_value(record, json.dumps(event).encode())


def _without_required(event_type: EventType, record: Record) -> Record:
    own = (field.name for field in event_type.fields if field.required)
    return _change(record, lambda event: event.pop(next(own, ID_FIELD)))


def _text_for_number(event_type: EventType, record: Record) -> Record:
    own = (field.name for field in event_type.fields if field.required and field.kind in (Kind.INTEGER, Kind.NUMBER))
    return _change(record, lambda event: event.update({next(own, VERSION_FIELD): NO_NUMBER}))


def _unknown_type(event_type: EventType, record: Record) -> Record:
    renamed = _change(record, lambda event: event.update({TYPE_FIELD: UNKNOWN_TYPE_NAME.decode()}))
    return dataclasses.replace(renamed, headers=((TYPE_HEADER, UNKNOWN_TYPE_NAME),))


STRAY_WAYS: Mapping[str, Callable[[EventType, Record], Record]] = {
    "empty value": lambda event_type, record: _with_value(record, b""),
    "not JSON": lambda event_type, record: _with_value(record, b"\x00\xff\xfe" + record.value[1:]),
    "truncated JSON": lambda event_type, record: _with_value(record, record.value[: len(record.value) // 2]),
    "JSON, but no object": lambda event_type, record: _with_value(record, b"42"),
    "required field missing": _without_required,
    "text for a number": _text_for_number,
    "no event_type header": lambda event_type, record: dataclasses.replace(record, headers=()),
    "unknown event_type": _unknown_type,
}
"""Ways in which a record can be stray: what is wrong, and the record so."""

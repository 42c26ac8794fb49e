"""Bad events: requests that the API must refuse with 400, and records that the stream must reject.

Each is a good event with one thing wrong, and each way of being wrong has a name. The ways are derived from the
catalogue: one that a type cannot be wrong in is not used for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from questlog.events.catalogue import Catalogue
from questlog.events.fields import EventType, Field, Kind, Value
from questlog.events.validation import EARLIEST, timestamp
from questlog.generate.dice import Dice
from questlog.generate.stray import STRAY_WAYS, StrayRecord, stray

Parameters = Mapping[str, Value]
Spoilt = dict[str, Value]
RequestWay = Callable[[EventType, Parameters], Spoilt | None]

UNKNOWN_NAME = "no_such_thing"
NO_NUMBER = "cheap"
NO_IDENTIFIER = "two words"
NO_TIME = "yesterday"


@dataclass(frozen=True, slots=True)
class BadRequest:
    """A request to the endpoint `event_type` that the API must refuse with 400; `way` names what is wrong with it.

    `user_id` is the player of the good event that it was made from.
    """

    way: str
    event_type: str
    user_id: str
    parameters: Parameters


class Spoiler:
    """Makes bad events out of good ones, bad requests and stray records by turns."""

    def __init__(self, catalogue: Catalogue, dice: Dice) -> None:
        self._catalogue, self._dice = catalogue, dice
        self._spoilt = 0

    def spoil(self, event: Parameters) -> BadRequest | StrayRecord:
        """The good event with one thing wrong."""
        self._spoilt += 1
        event_type = self._catalogue[str(event["event_type"])]
        parameters = {name: value for name, value in event.items() if name != "event_type"}
        if self._spoilt % 2 == 0:
            return stray(self._dice.of(tuple(STRAY_WAYS)), event_type, parameters)
        wrong = {way: spoilt for way, spoil in REQUEST_WAYS.items() if (spoilt := spoil(event_type, parameters))}
        way = self._dice.of(tuple(wrong))
        return BadRequest(way, event_type.name, str(event["user_id"]), wrong[way])


def _replacing(applies: Callable[[Field], bool], value: Callable[[Field], Value]) -> RequestWay:
    def spoil(event_type: EventType, parameters: Parameters) -> Spoilt | None:
        field = next(filter(applies, event_type.fields), None)
        return {**parameters, field.name: value(field)} if field else None

    return spoil


def _with(name: str, value: Callable[[Parameters], Value]) -> RequestWay:
    return lambda event_type, parameters: {**parameters, name: value(parameters)}


def _without_required(event_type: EventType, parameters: Parameters) -> Spoilt | None:
    field = next((field for field in event_type.fields if field.required), None)
    return {name: value for name, value in parameters.items() if name != field.name} if field else None


def _is_number(field: Field) -> bool:
    return field.kind in (Kind.INTEGER, Kind.NUMBER)


def _is_free_text(field: Field) -> bool:
    return field.kind is Kind.STRING and not field.choices


REQUEST_WAYS: Mapping[str, RequestWay] = {
    "required field missing": _without_required,
    "unknown choice": _replacing(lambda field: bool(field.choices), lambda field: UNKNOWN_NAME),
    "number below its minimum": _replacing(
        lambda field: _is_number(field) and field.minimum is not None, lambda field: (field.minimum or 0) - 1
    ),
    "number above its maximum": _replacing(
        lambda field: _is_number(field) and field.maximum is not None, lambda field: (field.maximum or 0) + 1
    ),
    "text for a number": _replacing(_is_number, lambda field: NO_NUMBER),
    "text too long": _replacing(_is_free_text, lambda field: "x" * (field.max_length + 1)),
    "unknown field": _with(UNKNOWN_NAME, lambda given: 1),
    "identifier with a space": _with("user_id", lambda given: NO_IDENTIFIER),
    "time without a zone": _with("event_time", lambda given: str(given["event_time"]).removesuffix("Z")),
    "time that is none": _with("event_time", lambda given: NO_TIME),
    "time too early": _with("event_time", lambda given: timestamp(EARLIEST - timedelta(days=1))),
}
"""Ways in which a request can be bad: what is wrong, and the parameters so, or None where a type cannot be."""

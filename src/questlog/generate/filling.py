"""An event's own fields: what the model wants where the catalogue allows it, and a draw where it says nothing.

So a field or a type that the catalogue gains is generated without a change here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from questlog.events.fields import EventType, Field, Kind, Value
from questlog.events.validation import timestamp
from questlog.generate.dice import Dice

Wanted = Mapping[str, Value | None]
"""What the model says of an event's fields; None leaves an optional field out."""

OPTIONAL_SHARE = 0.7
"""How often an optional field that the model does not know is given."""
SPREAD = 2
"""A drawn number lies between the field's example divided by this and multiplied by it."""


def complete(event_type: EventType, wanted: Wanted, moment: datetime, dice: Dice) -> dict[str, Value]:
    """The type's fields: each wanted value that is allowed, and draws for those of which the model says nothing."""
    filled: dict[str, Value] = {}
    for field in event_type.fields:
        value = wanted.get(field.name)
        if value is not None and _allowed(field, value):
            filled[field.name] = value
        elif field.required or (field.name not in wanted and field.default is None and dice.chance(OPTIONAL_SHARE)):
            filled[field.name] = draw(field, moment, dice)
    return filled


def draw(field: Field, moment: datetime, dice: Dice) -> Value:
    """A value that the field allows: any of its choices, a number around its example, or the example itself."""
    if field.choices:
        return dice.of(field.choices)
    if field.kind is Kind.BOOLEAN:
        return dice.chance(0.5)
    if field.kind is Kind.TIMESTAMP:
        return timestamp(moment)
    if field.kind is Kind.STRING:
        return field.example
    least, most = _range(field)
    if field.kind is Kind.INTEGER:
        return int(least) + dice.below(int(most) - int(least) + 1)
    return least + dice.unit() * (most - least)


def options(event_type: EventType, name: str) -> tuple[str, ...]:
    """The choices of the type's field of this name; none if it has no such field, or a field without choices."""
    return next((field.choices for field in event_type.fields if field.name == name), ())


def _allowed(field: Field, value: Value) -> bool:
    if field.choices:
        return value in field.choices
    if field.kind is Kind.STRING:
        return isinstance(value, str) and 0 < len(value) <= field.max_length
    if isinstance(value, int | float):
        return (field.minimum is None or value >= field.minimum) and (field.maximum is None or value <= field.maximum)
    return True


def _range(field: Field) -> tuple[float, float]:
    example = float(field.example)
    least, most = sorted((example / SPREAD, example * SPREAD))
    least = least if field.minimum is None else max(least, field.minimum)
    most = most if field.maximum is None else min(most, field.maximum)
    return least, most

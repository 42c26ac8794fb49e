"""The catalogue's fields as pydantic models: what an event is held to.

Each version of a type has two. `model` is the rule: it takes whatever the API takes, says what is wrong, and has the
JSON schema. `quick_model` takes nothing that `model` does not and gives the same for what is given, without calling
Python for a number and without making an object; what it refuses may be right all the same.
"""

from __future__ import annotations

import functools
import math
import sys
from typing import Annotated, Any, Literal, NotRequired, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Strict,
    StrictBool,
    StringConstraints,
    TypeAdapter,
    WithJsonSchema,
    create_model,
    with_config,
)
from pydantic import Field as Constraint
from typing_extensions import TypedDict  # pydantic refuses that of Python 3.11

from questlog.events import times
from questlog.events.fields import EventType, Field, Kind
from questlog.events.schema import input_fields

SMALLEST_BIGINT, LARGEST_BIGINT = -(2**63), 2**63 - 1
"""What the tables' integer columns can hold."""


@functools.cache
def model(event_type: EventType, version: int) -> type[BaseModel]:
    """What an event of this version must keep to, null apart; times come out as they are stored."""
    fields: dict[str, Any] = {}
    for field in input_fields(event_type, version):
        said = Constraint(... if field.required else field.default, description=field.meaning, examples=[field.example])
        fields[field.name] = (constraint(field), said)
    return cast(
        type[BaseModel],
        create_model(event_type.name, __config__=ConfigDict(extra="forbid", frozen=True), **fields),
    )


@functools.cache
def quick_model(event_type: EventType, version: int) -> TypeAdapter[dict[str, Any]]:
    """The same for numbers that are of their field's kind already; it has no null, and no field that is not given."""
    known = {field.name: (field.required, _constraint(field, Strict())) for field in input_fields(event_type, version)}
    fields = {name: kept_to if required else NotRequired[kept_to] for name, (required, kept_to) in known.items()}
    given = TypedDict(event_type.name, fields)  # type: ignore[misc]
    return cast(TypeAdapter[dict[str, Any]], TypeAdapter(with_config(ConfigDict(extra="forbid"))(given)))


def constraint(field: Field) -> Any:
    """The type that a field's values have, annotated with what they keep to."""
    return _constraint(field, BeforeValidator(_number))


def _number(given: object) -> object:
    """JSON's numbers and no text; 7.0 is the integer 7, and true is none."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise ValueError("not a number")
    if isinstance(given, float) and not math.isfinite(given):
        raise ValueError("not a finite number")
    return int(given) if isinstance(given, float) and given.is_integer() else given


def _moment(given: object) -> str:
    if not isinstance(given, str):
        raise ValueError("not a text: a bare number might mean seconds, milliseconds or a year")
    return times.stored(given)


def _constraint(field: Field, number: BeforeValidator | Strict) -> Any:
    if field.choices:
        return Literal[field.choices]
    if field.kind is Kind.STRING:
        return Annotated[str, StringConstraints(max_length=field.max_length, pattern=f"^(?:{field.pattern})$")]
    if field.kind is Kind.TIMESTAMP:
        written = {"type": "string", "format": "date-time", "pattern": times.PATTERN}
        return Annotated[str, BeforeValidator(_moment), WithJsonSchema(written)]
    if field.kind is Kind.BOOLEAN:
        return StrictBool
    return _number_constraint(field, number)


def _number_constraint(field: Field, number: BeforeValidator | Strict) -> Any:
    is_integer = field.kind is Kind.INTEGER
    least, most = (SMALLEST_BIGINT, LARGEST_BIGINT) if is_integer else (-sys.float_info.max, sys.float_info.max)
    least = least if field.minimum is None else field.minimum
    most = most if field.maximum is None else field.maximum
    return Annotated[int if is_integer else float, Constraint(ge=least, le=most), number]

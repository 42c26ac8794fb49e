"""The values given for a run of the book, checked against what the chapters declare."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping

from questlog.book.chapters import Parameter
from questlog.errors import BookError

Value = str | int | float | bool
Declared = Mapping[str, Mapping[str, Parameter]]

BOOLEANS = {"true": True, "false": False}


def share_out(given: Mapping[str, Value], declared: Declared) -> dict[str, dict[str, Value]]:
    """For each chapter of `declared` the given values that it declares, each of its declared type.

    Raises:
        BookError: when no chapter declares a name, or a value cannot be of its type.
    """
    _refuse_unknown(given, declared)
    return {
        chapter: {name: convert(given[name], known[name]) for name in known if name in given}
        for chapter, known in declared.items()
    }


def in_force(given: Mapping[str, Value], declared: Mapping[str, Parameter]) -> dict[str, Value]:
    """The values that one chapter runs with: those given, else the defaults that it declares."""
    return {name: given.get(name, ast.literal_eval(parameter.default)) for name, parameter in declared.items()}


def convert(value: Value, parameter: Parameter) -> Value:
    """The value as the parameter's type: ``"50"`` for an ``int`` is 50.

    Raises:
        BookError: when it cannot be.
    """
    try:
        return CONVERSIONS[parameter.type](value)
    except (KeyError, ValueError) as error:
        raise BookError(
            f"parameter {parameter.name} is {value!r}: it takes {NEEDED.get(parameter.type, parameter.type)}, "
            f"as in {parameter.name}={parameter.default}"
        ) from error


def _refuse_unknown(given: Mapping[str, Value], declared: Declared) -> None:
    known = {name: parameter for chapter in declared.values() for name, parameter in chapter.items()}
    if unknown := sorted(set(given) - set(known)):
        listed = "".join(f"\n  {parameter}" for parameter in known.values()) or " none"
        raise BookError(f"no chapter that runs has a parameter {', '.join(map(repr, unknown))}; they have:{listed}")


def _integer(value: Value) -> int:
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(value)
    return int(value)


def _finite(value: Value) -> float:
    if not math.isfinite(number := float(value)):
        raise ValueError(value)
    return number


CONVERSIONS: dict[str, Callable[[Value], Value]] = {
    "int": _integer,
    "float": _finite,
    "str": str,
    "bool": lambda value: BOOLEANS[str(value).lower()],
}
NEEDED = {"int": "an integer", "float": "a number", "str": "text", "bool": "true or false"}

"""Presto's values as Python's, and its columns as pandas'.

==========================  =========================  ==========================================
Presto                      Python                     pandas
==========================  =========================  ==========================================
boolean                     bool                       bool; boolean when a value is null
tinyint to bigint           int                        int64; Int64 when a value is null
real, double                float                      float64
decimal                     decimal.Decimal            object
varchar, char               str                        object
varbinary                   bytes                      object
date                        datetime.date              datetime64[s], at midnight
timestamp                   datetime.datetime, naive   datetime64[ms], naive; all times are UTC
timestamp with time zone    datetime.datetime, aware   datetime64[ms, UTC]
array, map, row             list, dict, list (*)       object
==========================  =========================  ==========================================

Presto's timestamps have milliseconds; a date differs from a timestamp by its unit.
(*) What they hold is as JSON has it: a date in an array is text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

INTEGERS = frozenset({"tinyint", "smallint", "integer", "bigint"})
FLOATS = frozenset({"real", "double"})
DATE = "datetime64[s]"
OFFSET = re.compile(r"[+-]\d\d:\d\d")


@dataclass(frozen=True)
class Column:
    """A column of an answer: its name, and its type as Presto spells it, such as ``decimal(10,2)``."""

    name: str
    type: str

    @property
    def base(self) -> str:
        """The type without its parameters: ``decimal``; ``timestamp(3) with time zone`` is its plain form."""
        return re.sub(r"\(.*?\)", "", self.type) if self.type.startswith("time") else self.type.split("(")[0]


def python(value: Any, base: str) -> Any:
    """One value as PyHive hands it over, as Python's own type."""
    convert = _PYTHON.get(base)
    return value if value is None or convert is None else convert(value)


def rows(columns: Sequence[Column], raw: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Rows of Python values."""
    bases = [column.base for column in columns]
    return [tuple(python(value, base) for value, base in zip(row, bases, strict=True)) for row in raw]


def frame(columns: Sequence[Column], raw: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """A frame with the columns' own types, also when it has no rows."""
    by_column = list(zip(*raw, strict=True)) if raw else [()] * len(columns)
    made = [_series(column.base, values) for column, values in zip(columns, by_column, strict=True)]
    joined = pd.concat(made, axis=1) if made else pd.DataFrame()
    return joined.set_axis([column.name for column in columns], axis=1)


def _series(base: str, values: Sequence[Any]) -> pd.Series[Any]:
    has_null = None in values
    if base in INTEGERS:
        return pd.Series(values, dtype="Int64" if has_null else "int64")
    if base == "boolean":
        return pd.Series(values, dtype="boolean" if has_null else "bool")
    if base in FLOATS:
        return pd.Series([None if value is None else float(value) for value in values], dtype="float64")
    if base in _DATETIMES:
        moments: pd.Series[Any] = pd.Series([python(value, base) for value in values], dtype="object")
        return moments.astype(_DATETIMES[base])
    return pd.Series([python(value, base) for value in values], dtype="object")


def _instant(text: str) -> datetime:
    moment, zone = text.rsplit(" ", 1)
    if OFFSET.fullmatch(zone):
        return datetime.fromisoformat(moment + zone)
    return datetime.fromisoformat(moment).replace(tzinfo=UTC if zone == "UTC" else ZoneInfo(zone))


def _nested(value: Any) -> Any:
    """Presto sends nested values as a text of JSON, unless its ``nested-data-serialization-enabled`` is off."""
    return json.loads(value) if isinstance(value, str) else value


_PYTHON: dict[str, Callable[[Any], Any]] = {
    "real": float,  # NaN and Infinity come as text
    "double": float,
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "timestamp with time zone": _instant,
    "array": _nested,
    "map": _nested,
    "row": _nested,
}
_DATETIMES: dict[str, Any] = {
    "date": DATE,
    "timestamp": "datetime64[ms]",
    "timestamp with time zone": "datetime64[ms, UTC]",
}

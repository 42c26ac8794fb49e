"""What a field and an event type may say of themselves."""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass

Value = str | int | float | bool

NO_CONTROL_CHARACTERS = r"[^\x00-\x1f\x7f-\x9f]+"


class Kind(enum.Enum):
    """A field's type; `schema` gives its name in Spark and in Hive."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of an event.

    `minimum` and `maximum` bound a number; a string has at most `max_length` characters, is one of `choices` if there
    are any, and matches `pattern` as a whole: without anchors, in what the syntaxes of Rust, Java, Python and
    ECMAScript have in common. `since` is the version of the event type that brought the field.
    """

    name: str
    description: str
    kind: Kind = Kind.STRING
    example: Value
    required: bool = False
    default: Value | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    max_length: int = 64
    pattern: str = NO_CONTROL_CHARACTERS
    since: int = 1

    @property
    def meaning(self) -> str:
        """The description with the unit: ``What one piece cost. (gold)``."""
        return f"{self.description} ({self.unit})" if self.unit else self.description

    @property
    def allowed(self) -> str:
        """What may be put in, for a person: ``one of wooden, iron``, ``an integer from 1 to 99``."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.kind is Kind.STRING:
            return self._allowed_text
        if self.kind is Kind.TIMESTAMP:
            return "a time with its zone, as in 2026-01-05T10:00:00.000Z, in the years 2020 to 2099"
        article = "an" if self.kind is Kind.INTEGER else "a"
        if self.minimum is not None and self.minimum == self.maximum:
            return f"the {self.kind.value} {self.minimum}"
        if self.minimum is not None and self.maximum is not None:
            return f"{article} {self.kind.value} from {self.minimum} to {self.maximum}"
        return f"{article} {self.kind.value}"

    @property
    def _allowed_text(self) -> str:
        if self.pattern == NO_CONTROL_CHARACTERS:
            return f"text of 1 to {self.max_length} characters without control characters"
        return f"text matching {self.pattern}, of at most {self.max_length} characters"


@dataclass(frozen=True, kw_only=True)
class EventType:
    """One kind of event: its `name` is also its endpoint, its partition and its table."""

    name: str
    title: str
    description: str
    fields: tuple[Field, ...]

    def __hash__(self) -> int:
        return hash(self.name)  # enough for a table, and asked for with every event: that of all fields takes its time

    @functools.cached_property
    def version(self) -> int:
        """The newest version: that of the field that came last."""
        return max((field.since for field in self.fields), default=1)

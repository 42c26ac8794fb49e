"""Names and text as Presto's SQL spells them.

Names come from the catalogue, whose pattern they have passed, and from the settings; they are quoted all the same.
Source: https://prestodb.io/docs/0.287/language/reserved.html
"""

from __future__ import annotations

from collections.abc import Iterable

from questlog.settings import Settings


def identifier(name: str) -> str:
    """A name in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Text in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def schema(settings: Settings) -> str:
    """The database, with its catalog: ``"hive"."questlog"``."""
    return f"{identifier(settings.presto_catalog)}.{identifier(settings.database)}"


def table(settings: Settings, name: str) -> str:
    """A table, with its database and catalog: ``"hive"."questlog"."events"``."""
    return f"{schema(settings)}.{identifier(name)}"


def array(names: Iterable[str]) -> str:
    """An array of text: ``ARRAY['event_type', 'event_date']``."""
    return f"ARRAY[{', '.join(literal(name) for name in names)}]"

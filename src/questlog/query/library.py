"""The named questions: one file of SQL each, in the folder ``sql`` beside this module.

A file begins with comments that people and this module read: the question; each column with its unit; each parameter
with its default, as a JSON value::

    -- Who spent the most gold?
    -- user_id: the player
    -- gold: spent on items, gold
    -- parameter most = 10: players shown, from the top

Answers are ordered by what makes a row unique, so the same events always give the same frame.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import pandas as pd

from questlog.errors import QueryError
from questlog.lake import presto
from questlog.settings import Settings

PARAMETER = re.compile(r"-- parameter (?P<name>\w+) = (?P<default>.+?): (?P<meaning>.+)")
COLUMN = re.compile(r"-- (?P<name>\w+): (?P<meaning>.+)")


@dataclass(frozen=True)
class Parameter:
    """A parameter: what is taken when nothing is given, and what it means."""

    default: Any
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Query:
    """A named question: its `columns` map names to meanings with units, `sql` is the whole file."""

    name: str
    question: str
    columns: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    sql: str


def names() -> tuple[str, ...]:
    """Names of all questions, in alphabetical order."""
    return tuple(sorted(file.name.removesuffix(".sql") for file in _folder().iterdir() if file.name.endswith(".sql")))


def text(name: str) -> str:
    """The SQL of a question, with its comments.

    Raises:
        QueryError: there is no such question.
    """
    if name not in names():
        raise QueryError(f"query {name!r} is not in the library; it has {', '.join(names())}")
    return (_folder() / f"{name}.sql").read_text("utf-8")


def describe(name: str) -> Query:
    """What a question asks, answers and takes.

    Raises:
        QueryError: there is no such question.
    """
    sql = text(name)
    question, *comments = [line for line in sql.splitlines() if line.startswith("-- ")]
    parameters = [found for line in comments if (found := PARAMETER.fullmatch(line))]
    columns = [found for line in comments if (found := COLUMN.fullmatch(line))]
    return Query(
        name=name,
        question=question.removeprefix("-- "),
        columns={found["name"]: found["meaning"] for found in columns},
        parameters={found["name"]: Parameter(json.loads(found["default"]), found["meaning"]) for found in parameters},
        sql=sql,
    )


def run(settings: Settings, name: str, **parameters: Any) -> pd.DataFrame:
    """Presto's answer to a question, in the file's order; columns are those that `describe` lists.

    Raises:
        QueryError: there is no such question, it takes no such parameter, or Presto refuses or is not reachable.
    """
    query = describe(name)
    if unknown := sorted({*parameters} - {*query.parameters}):
        known = ", ".join(query.parameters) or "none"
        raise QueryError(f"query {name!r} takes no parameter {unknown[0]!r}; it takes {known}")
    defaults = {key: parameter.default for key, parameter in query.parameters.items()}
    return presto.frame(settings, query.sql, {**defaults, **parameters})


def _folder() -> Traversable:
    return resources.files("questlog.query") / "sql"

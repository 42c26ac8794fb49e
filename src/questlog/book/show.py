"""What chapters lay before the reader: settings, configuration, the catalogue, records and files, as tables and text.

Nothing in here depends on when or where a chapter runs, so that the same parameters show the same.
"""

from __future__ import annotations

import json
import re
import shlex
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import requests

from questlog.errors import BookError
from questlog.events import CATALOGUE, Catalogue, EventType, Field
from questlog.events.fields import Value
from questlog.events.schema import PHASES, input_fields
from questlog.query import library
from questlog.report.tables import Table, table
from questlog.settings import PREFIX, Settings
from questlog.stack import configure, local
from questlog.transport.reader import Delivered

PROPERTY = re.compile(r"^([\w.-]+)=(.*)$", re.MULTILINE)
LIFE = ["event_time", "event_type", "item", "price", "quest", "outcome", "gold", "guild"]
MINUTE = len("2026-01-05T10:00")


def status(chosen: Settings) -> Table:
    """The local servers: server, state, where each listens; nothing that another run would show otherwise."""
    rows = [(one.name, one.state, _addresses(chosen, one.ports)) for one in local.status(chosen)]
    return _table(rows, "server", "state", "listens on")


def settings(chosen: Settings, *names: str) -> Table:
    """Settings by name: the variable that sets each, its value, its meaning."""
    meanings = {name: field.description for name, field in type(chosen).model_fields.items()}
    rows = [(f"{PREFIX}{name.upper()}", str(getattr(chosen, name)), meanings[name]) for name in names]
    return _table(rows, "variable", "value", "meaning")


def config(chosen: Settings, template: str, *names: str) -> Table:
    """Properties of a server's configuration file, as rendered for these settings: property, value.

    Raises:
        BookError: the file, named by its path in conf/, has no such property.
    """
    known = dict(_properties(configure.rendered(chosen, template)))
    if missing := [name for name in names if name not in known]:
        raise BookError(f"conf/{template} has no property {missing[0]!r}; it has {', '.join(known)}")
    return _table([(name, known[name]) for name in names], "property", "value")


def event_types(catalogue: Catalogue = CATALOGUE) -> Table:
    """The catalogue: event type, what it means, its own fields (those required with a star)."""
    rows = [(known.name, known.description, ", ".join(_starred(known.fields))) for known in catalogue]
    return _table(rows, "event type", "meaning", "own fields")


def fields(event_type: EventType) -> Table:
    """All that a client may say in an event of this type: field, kind, unit, required, default, what is allowed."""
    rows = [
        (one.name, one.kind.value, one.unit, "yes" if one.required else "", _text(one.default), one.allowed)
        for one in input_fields(event_type)
    ]
    return _table(rows, "field", "kind", "unit", "required", "default", "allowed")


def curl(method: str, url: str, body: Mapping[str, Any] | None = None) -> str:
    """The command line that sends the same request."""
    if body is None:
        return f"curl -i -X {method} '{url}'"
    return (
        f"curl -i -X {method} '{url}' \\\n  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(json.dumps(body, ensure_ascii=False))}"
    )


def answers(given: Mapping[str, requests.Response]) -> Table:
    """What the API answered to requests: what was sent, the status, and why it was refused ("" if it was not)."""
    return _table([(what, one.status_code, _why(one)) for what, one in given.items()], "sent", "status", "answer")


def record(delivered: Delivered) -> str:
    """One record as Kafka holds it: where, when, its headers, key and value; a line break after each of its fields."""
    moment = datetime.fromtimestamp(delivered.time / 1000, UTC).isoformat(timespec="milliseconds")
    headers = [f"header     {name} = {value!r}" for name, value in delivered.headers]
    return "\n".join(
        (
            f"partition  {delivered.partition}",
            f"offset     {delivered.offset}",
            f"timestamp  {moment.replace('+00:00', 'Z')}",
            *headers,
            f"key        {delivered.key!r}",
            f"value      {len(delivered.value or b'')} bytes",
            lines_of((delivered.value or b"").decode("utf-8", "backslashreplace")),
        )
    )


def life(events: Iterable[Mapping[str, Value]], most: int = 12) -> Table:
    """The first events of one player, whom the caption names: of those with the most types of events the busiest."""
    told = pd.DataFrame(list(events))
    done = told.groupby("user_id")["event_type"].agg(["nunique", "size"])
    who = done.sort_values(["nunique", "size"]).index[-1]
    own = told[told["user_id"] == who].reindex(columns=LIFE).convert_dtypes().head(most)
    own["event_time"] = own["event_time"].str[:MINUTE].str.replace("T", " ")
    return table(own, caption=str(who))


def lines_of(json_text: str) -> str:
    """JSON as it is, with a line break after each of its fields."""
    return json_text.replace(',"', ',\n"')


def tree(paths: Iterable[str], under: str) -> str:
    """Paths in HDFS as an indented tree below one of them."""
    lines, shown = [under], set()
    for path in paths:
        parts = PurePosixPath(path).relative_to(under).parts
        for depth in range(1, len(parts) + 1):
            if parts[:depth] not in shown:
                shown.add(parts[:depth])
                lines.append("  " * depth + parts[depth - 1])
    return "\n".join(lines)


def phases(progress: pd.DataFrame) -> Table:
    """The phases of a micro-batch in their order: what happens in each, and its median time in the given batches.

    The frame is the answer to the query ``stream_progress``, whose comments tell what happens.
    """
    meanings = library.describe("stream_progress").columns
    columns = [(phase, f"{phase}_seconds") for phase in PHASES]
    rows = [
        (phase.replace("_", " "), meanings[name].rpartition(",")[0], f"{progress[name].median():.3f} s")
        for phase, name in columns
    ]
    return _table(rows, "phase", "what happens", "median")


def wrapped(text: str, width: int = 100) -> str:
    """Text with no line longer than `width` characters, for a narrow page; a longer word, as a path, stays whole."""
    wrap = textwrap.TextWrapper(width, break_on_hyphens=False, break_long_words=False).wrap
    return "\n".join(part for line in text.splitlines() for part in wrap(line) or [""])


def _table(rows: Sequence[tuple[object, ...]], *columns: str) -> Table:
    return table(pd.DataFrame(rows, columns=list(columns)))


def _why(answer: requests.Response) -> str:
    said = answer.json()
    problems = [f"{one['field']}: {one['problem']}; allowed: {one['allowed']}" for one in said.get("problems", [])]
    return " / ".join(problems) or said.get("error", "")


def _addresses(chosen: Settings, ports: Sequence[int]) -> str:
    return ", ".join(f"{chosen.host}:{port}" for port in ports)


def _properties(text: str) -> Iterator[tuple[str, str]]:
    """Name and value of each property of a .properties file or of a Hadoop .xml file."""
    if text.startswith("<?xml"):
        for one in ElementTree.fromstring(text).iter("property"):
            yield one.findtext("name", ""), one.findtext("value", "")
    else:
        yield from PROPERTY.findall(text)


def _starred(known: Iterable[Field]) -> Iterator[str]:
    return (f"{field.name}*" if field.required else field.name for field in known)


def _text(value: object) -> str:
    return "" if value is None else str(value)

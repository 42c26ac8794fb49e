"""The event dictionary: every event type with its fields, an example and its columns, as the catalogue has them."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
from IPython.display import HTML

from questlog.book import show
from questlog.catalog.definitions import PARTITION_COLUMN, definitions
from questlog.events import CATALOGUE, Catalogue, EventType, Field
from questlog.events.catalogue import COMMON
from questlog.events.schema import COMMON_COLUMNS, own_columns
from questlog.generate.address import event_url
from questlog.report.tables import Table, table
from questlog.settings import EVENTS_TABLE, Settings

CODE = "white-space: pre-wrap; overflow-wrap: anywhere; padding: 0.6em 0.9em; margin: 0.6em 0"


@dataclass(frozen=True)
class Entry:
    """One event type, for people: as HTML in a notebook, else as text."""

    known: EventType
    settings: Settings

    def __repr__(self) -> str:
        about = f"{self.known.title} ({self.known.name}, version {self.known.version}): {self.known.description}"
        return "\n\n".join((about, repr(fields(self.known.fields)), example(self.known, self.settings)))

    def _repr_html_(self) -> str:
        name = html.escape(self.known.name)
        columns = ", ".join(f"<code>{html.escape(' '.join(each))}</code>" for each in own_columns(self.known))
        return (
            f'<h3 id="{_anchor(self.known)}">{html.escape(self.known.title)}</h3>'
            f"<p>{html.escape(self.known.description)}</p>"
            f"<p>Event type <code>{name}</code>, version {self.known.version}, sent to <code>/{name}</code> or, "
            f"naming its type, to <code>/events</code>.</p>"
            f"{fields(self.known.fields)._repr_html_()}"
            f'<pre style="{CODE}">{html.escape(example(self.known, self.settings))}</pre>'
            f"<p>View <code>{name}</code>: {columns}, and the columns of every type.</p>"
        )


def index(types: Iterable[EventType]) -> HTML:
    """Links to the entries of these types."""
    links = (f'<a href="#{_anchor(known)}">{html.escape(known.title)}</a>' for known in types)
    return HTML(f"<p>{' &middot; '.join(links)}</p>")  # type: ignore[no-untyped-call]


def fields(known: Iterable[Field]) -> Table:
    """Fields: what each means, with its unit, its kind, whether it has to be given, what is allowed."""
    rows = [
        (field.name, _meaning(field), field.kind.value, _if_left_out(field), field.allowed, str(field.example))
        for field in known
    ]
    names = "field", "meaning", "type", "required", "allowed", "example"
    return table(pd.DataFrame(rows, columns=list(names)))


def shared_columns(catalogue: Catalogue = CATALOGUE) -> Table:
    """The columns that the view of every type has: name, type in Presto, meaning; the partition column last."""
    events = next(each for each in definitions(catalogue) if each.name == EVENTS_TABLE)
    columns = (*COMMON_COLUMNS, PARTITION_COLUMN)
    rows = [(name, kind, events.descriptions.get(name, "")) for name, kind in columns]
    return table(pd.DataFrame(rows, columns=["column", "type", "meaning"]))


def example(known: EventType, settings: Settings) -> str:
    """The command line that sends one event of this type, made of the fields' examples."""
    player = next(field for field in COMMON if field.name == "user_id")
    body = {field.name: field.example for field in (player, *known.fields)}
    return show.curl("POST", event_url(settings, known.name, {}).rstrip("?"), body)


def _meaning(field: Field) -> str:
    return field.meaning if field.since == 1 else f"{field.meaning} Since version {field.since}."


def _if_left_out(field: Field) -> str:
    if field.required:
        return "yes"
    return "no" if field.default is None else f"no: {field.default}"


def _anchor(known: EventType) -> str:
    return f"event-{known.name}"

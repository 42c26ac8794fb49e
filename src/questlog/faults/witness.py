"""Asks Presto all the time while a fault is at work, and remembers each look."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from questlog.errors import QueryError
from questlog.events import CATALOGUE
from questlog.faults import servers
from questlog.faults.client import milliseconds
from questlog.faults.record import Fields, Look
from questlog.lake import presto
from questlog.settings import EVENTS_TABLE, Settings
from questlog.stack.presto import NAME, has_an_active_worker

PAUSE = 0.5  # seconds between two looks
QUESTION = f"SELECT count(*), count(DISTINCT event_id), max(received_at) FROM {EVENTS_TABLE}"
COMMON = ("event_type", "user_id", "event_time")

Row = tuple[str, Fields]
"""An event id, and what Presto says of the event, in the form of `record.Fields`."""


@dataclass
class Witness:
    """What it saw, look by look."""

    settings: Settings
    looks: list[Look] = field(default_factory=list)
    _ends: threading.Event = field(default_factory=threading.Event)

    def look(self) -> Look:
        """Ask once."""
        before, asked = self._presto(), time.time()
        try:
            [(rows, events, newest)] = presto.execute(self.settings, QUESTION)
        except QueryError as error:
            answered = time.time()
            was_up = before is not None and before == self._presto()
            seen = Look(asked, answered, error=str(error), presto_was_up=was_up)
        else:
            received = milliseconds(newest) / 1000 if isinstance(newest, datetime) else 0.0
            seen = Look(asked, time.time(), rows, events, received)
        self.looks.append(seen)
        return seen

    def _presto(self) -> int | None:
        """The process of a Presto that is ready; None when there is none."""
        return servers.pid(self.settings, NAME) if has_an_active_worker(self.settings.presto_url) else None

    def _watch(self) -> None:
        while not self._ends.wait(PAUSE):
            self.look()


@contextmanager
def watching(settings: Settings) -> Iterator[Witness]:
    """A witness that looks twice a second while the block runs, and once more at its end."""
    witness = Witness(settings)
    thread = threading.Thread(target=witness._watch)
    thread.start()
    try:
        yield witness
    finally:
        witness._ends.set()
        thread.join()
    witness.look()


def rows_of(settings: Settings, run: str) -> list[Row]:
    """Every row of a client's events, from the tables of their types.

    Raises:
        QueryError: Presto does not answer.
    """
    found: list[Row] = []
    for event_type in CATALOGUE:
        names = ("event_id", *COMMON, *(each.name for each in event_type.fields))
        columns = ", ".join(f"'{event_type.name}'" if name == "event_type" else f'"{name}"' for name in names)
        asked = f"SELECT {columns} FROM {event_type.name} WHERE substr(event_id, 1, length(%(run)s)) = %(run)s"
        rows = presto.execute(settings, asked, {"run": f"{run}-"})
        found += [(row[0], dict(zip(names[1:], map(_plain, row[1:]), strict=True))) for row in rows]
    return found


def strangers(settings: Settings, runs: list[str]) -> int:
    """Rows of the table of all events that no client of these runs sent.

    Raises:
        QueryError: Presto does not answer.
    """
    mine = " OR ".join(f"substr(event_id, 1, {len(run) + 1}) = '{run}-'" for run in runs)
    [(count,)] = presto.execute(settings, f"SELECT count(*) FROM {EVENTS_TABLE} WHERE NOT ({mine})")
    return int(count)


def _plain(value: Any) -> Any:
    return milliseconds(value) if isinstance(value, datetime) else value

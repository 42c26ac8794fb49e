"""Asks Presto all the time while servers are killed, and remembers whatever no query should ever have seen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from questlog.errors import QueryError
from questlog.query import presto
from questlog.settings import Settings

PAUSE = 0.5
QUESTION = "SELECT count(*), count(DISTINCT event_id) FROM events"


@dataclass
class Witness:
    """What it saw: rows at each look, and every sight that breaks a promise."""

    settings: Settings
    rows: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _ends: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Ask once."""
        try:
            [(count, distinct)] = presto.execute(self.settings, QUESTION)
        except QueryError as error:
            self.problems.append(f"a query failed: {error}")
            return
        if distinct != count:
            self.problems.append(f"{count} rows of {distinct} events: some were there twice")
        if self.rows and count < self.rows[-1]:
            self.problems.append(f"{count} rows after {self.rows[-1]}: some had gone")
        self.rows.append(count)

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

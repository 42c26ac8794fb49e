"""Adding: one whole file comes into a table beside the batches, past the gate as theirs do.

1. *write*: the file is written into a folder that no reader looks into.
2. *seal*: it is renamed into the open folder (`questlog.catalog.gate`), by a name that says for which table it is.
3. *move*: it is renamed into the table's folder, wherever that is.

Cut after 1, the file is written anew by the next call; after 2, the next call moves it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from questlog.errors import QuestlogError
from questlog.settings import Settings
from questlog.stream.files import Files, Gone
from questlog.stream.whereabouts import AskWhereabouts, Whereabouts


class Adding:
    """Adds files to one table, which has no partitions; one at a time, and only the stream of these settings."""

    def __init__(self, files: Files, settings: Settings, table: str, whereabouts: AskWhereabouts) -> None:
        self._files, self._table, self._whereabouts = files, table, whereabouts
        self._home = settings.table_path(table)
        self._attempt = f"{settings.staging}/attempts/{table}"
        self._here: Whereabouts | None = None

    def __call__(self, name: str, content: bytes) -> None:
        """Add a file of this name; if it cannot be moved now, the next call does it.

        Raises:
            QuestlogError: HDFS or the metastore refused, and the file is not taken.
        """
        self._files.delete(self._attempt)
        self._files.write(self._attempt, content)
        self._until_it_holds(lambda here: self._seal(here, name))
        with contextlib.suppress(QuestlogError):
            self._until_it_holds(self._move)

    def _until_it_holds(self, step: Callable[[Whereabouts], None]) -> None:
        """Do a step by where folders lie, and again if they were exchanged meanwhile."""
        while True:
            here = self._here = self._here or self._whereabouts()
            try:
                return step(here)
            except Gone:
                if self._files.exists(here.open):
                    raise
            self._here = None

    def _seal(self, here: Whereabouts, name: str) -> None:
        # Its parent is not made: that would open a gate that is held.
        self._files.rename(self._attempt, f"{self._sealed(here)}{name}", make_parent=False)

    def _move(self, here: Whereabouts) -> None:
        for sealed in self._files.matching(f"{self._sealed(here)}*"):
            name = sealed.removeprefix(self._sealed(here))
            self._files.rename(sealed, f"{here.place(self._home)}/{name}")
        if not self._files.exists(here.open):  # a folder that is not there holds nothing that matches
            raise Gone(f"{here.open} has another name now")

    def _sealed(self, here: Whereabouts) -> str:
        return f"{here.open}/{self._table}."

"""Adding: one whole file comes into a table beside the batches, past the gate as theirs do.

1. *write*: the file is written into a folder that no reader looks into.
2. *seal*: it is renamed into the open folder (`questlog.catalog.gate`), by a name that says for which table it is.
3. *move*: it is renamed into the table's folder, wherever that is.

Cut after 1, the file is written anew by the next call; after 2, the next call moves it.
"""

from __future__ import annotations

import contextlib

from questlog.errors import QuestlogError
from questlog.settings import Settings
from questlog.stream.files import Files
from questlog.stream.guide import Guide
from questlog.stream.whereabouts import Whereabouts


class Adding:
    """Adds files to one table, which has no partitions; one at a time, and only the stream of these settings."""

    def __init__(self, files: Files, settings: Settings, table: str, guide: Guide) -> None:
        self._files, self._table, self._guide = files, table, guide
        self._home = settings.table_path(table)
        self._attempt = f"{settings.staging}/attempts/{table}"

    def __call__(self, name: str, content: bytes) -> None:
        """Add a file of this name; if it cannot be moved now, the next call does it.

        Raises:
            QuestlogError: HDFS or the metastore refused, and the file is not taken.
        """
        self._files.delete(self._attempt)
        self._files.write(self._attempt, content)
        self._guide.lead(lambda here: self._seal(here, name))
        with contextlib.suppress(QuestlogError):
            self._guide.lead(self._move)

    def _seal(self, here: Whereabouts, name: str) -> None:
        # Its parent is not made: that would open a gate that is held.
        self._files.rename(self._attempt, f"{self._sealed(here)}{name}", make_parent=False)

    def _move(self, here: Whereabouts) -> None:
        for sealed in self._files.matching(f"{self._sealed(here)}*"):
            name = sealed.removeprefix(self._sealed(here))
            self._files.rename(sealed, f"{here.place(self._home)}/{name}")
        self._guide.refuse_if_exchanged(here)

    def _sealed(self, here: Whereabouts) -> str:
        return f"{here.open}/{self._table}."

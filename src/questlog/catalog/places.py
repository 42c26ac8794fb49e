"""Where the files of a table lie: at first in its own folder, and, once they were merged, in another.

The stream begins a partition in a folder below the table's own (`home`). Merging writes the same rows into a new folder
below ``merged``, and leaves a file `REPLACED` in the old one (`questlog.catalog.compaction`). So the folders themselves
tell which of them holds, and the metastore, which is told, can be made anew from them.
"""

from __future__ import annotations

import time
import uuid

from questlog.events.schema import PARTITION_TYPE
from questlog.settings import DEAD_LETTERS_TABLE, EVENTS_TABLE, LEDGER_TABLE, PROGRESS_TABLE, Settings

MERGED = "merged"
"""Folder beside those of the tables, for what was merged."""
REPLACED = "_replaced"
"""A file in a folder whose rows are elsewhere now; its time is that of the exchange."""
DEPTH = {EVENTS_TABLE: 2, DEAD_LETTERS_TABLE: 0, LEDGER_TABLE: 0, PROGRESS_TABLE: 0}
"""Folders from a table's own down to that of a partition."""
TABLES = tuple(DEPTH)
"""The tables that the stream adds files to."""


def home(settings: Settings, table: str, partition: str = "") -> str:
    """The folder in which a partition begins, or a table without partitions."""
    return f"{settings.table_path(table)}/{partition}".rstrip("/")


def merged(settings: Settings, table: str, partition: str = "", generation: str = "") -> str:
    """A folder for what was merged of a partition; `generation` tells it from those before and after it."""
    return "/".join(part for part in (settings.table_path(MERGED), table, partition, generation) if part)


def new_generation() -> str:
    """A name for the next generation, behind the names before it in their order; of two made at once, for one each."""
    return f"{time.time_ns() // 1_000_000:012x}{uuid.uuid4().hex[:8]}"


def home_of(settings: Settings, folder: str) -> str:
    """The folder in which the partition began of which `folder` is a generation."""
    table, *partition = folder.removeprefix(f"{settings.table_path(MERGED)}/").split("/")[:-1]
    return home(settings, table, "/".join(partition))


def type_partition(partition: str) -> tuple[str, str]:
    """Of a partition of ``events``, the event type, and the name of the partition in that type's own table."""
    event_type, day = partition.split("/")
    return event_type.removeprefix(f"{PARTITION_TYPE}="), day

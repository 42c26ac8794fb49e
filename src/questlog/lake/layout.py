"""Where things lie in HDFS, and what files are called. Pure functions of the settings; nothing here does I/O.

::

    /warehouse/<namespace>/events/event_date=2026-01-05/v000001-000007/part-<stream>-<batch>-<n>.parquet
                          /dead_letters/v000000-000000/part-<stream>-<batch>-<n>.parquet
                          /batches/v000000-000000/part-<stream>-<batch>.parquet
                          /stream_progress/v000000-000000/...
    /staging/<namespace>/attempts/<anything>/     being written; no reader looks here
                        /prepared-<epoch>/<name>/ final content that the holder of the writer lease publishes

Each partition's files lie in one *version* folder. The metastore says which one: it is the only truth. Compaction and
replay write a new version and switch the location. Versions are ordered by the writer's epoch, then by a counter.
"""

from __future__ import annotations

import re
from datetime import date

from questlog.errors import LakeError
from questlog.events.schema import PARTITION_DATE
from questlog.settings import BATCHES_TABLE, DEAD_LETTERS_TABLE, EVENTS_TABLE, PROGRESS_TABLE, Settings

TABLES = (EVENTS_TABLE, DEAD_LETTERS_TABLE, BATCHES_TABLE, PROGRESS_TABLE)
"""The tables that hold files. The metastore's other names are views."""
WHOLE = ""
"""The only partition of a table that has no partition columns."""
FIRST_VERSION = "v000000-000000"
PREPARED = re.compile(r"prepared-(\d{6,})")
AUDIT_FILE = re.compile(r"part-(?P<stream>.+)-(?P<batch>\d+)\.parquet")
"""A file of table ``batches`` that says: this batch is committed."""
HIDDEN = ("_", ".")
"""Presto skips files whose names begin so."""


def location(settings: Settings, table: str, partition: str = WHOLE, version: str = FIRST_VERSION) -> str:
    """The folder of one version of a partition."""
    return "/".join(part for part in (settings.table_path(table), partition, version) if part)


def version(epoch: int, number: int) -> str:
    """The name of the writer's `number`-th new version of partitions; later versions sort after earlier ones."""
    return f"v{epoch:06d}-{number:06d}"


def version_of(folder: str) -> str:
    """The version that a partition location names."""
    return folder.rsplit("/", 1)[1]


def partition_name(day: date) -> str:
    """A day's partition of table ``events``, as Hive spells it: ``event_date=2026-01-05``."""
    return f"{PARTITION_DATE}={day}"


def partition_day(partition: str) -> date:
    """The day of a partition of table ``events``.

    Raises:
        LakeError: the name is no such partition.
    """
    key, _, value = partition.partition("=")
    try:
        if key == PARTITION_DATE:
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise LakeError(
        f"{partition!r} is not {PARTITION_DATE}=<YYYY-MM-DD>. Only the writer creates folders below a table: "
        "find out what put it there, and move it away."
    )


def attempts(settings: Settings) -> str:
    """The folder for files that are being written."""
    return f"{settings.staging}/attempts"


def prepared(settings: Settings, epoch: int) -> str:
    """The folder of prepared batches of the writer with this epoch."""
    return f"{settings.staging}/prepared-{epoch:06d}"


def batch_name(stream: str, batch: int) -> str:
    """What names a micro-batch in folders and files."""
    return f"{stream}-{batch}"


def published_name(batch: str, file: str) -> str:
    """The name under which a batch's file is published; the same after a crash."""
    return f"part-{batch}-{file.removeprefix('part-')}"


def audit_name(batch: str) -> str:
    """The name of the batch's file in table ``batches``."""
    return f"part-{batch}.parquet"


def rows_folder(attempt: str, table: str, partition: str) -> str:
    """Where an attempt of a switch keeps the rows of a partition; its parent stays when it is put in place."""
    return "/".join(part for part in (attempt, table, partition, "rows") if part)

"""Upgrade: the tables of Questlog 0.1 are rewritten as one wide table ``events``, and its audits as ``batches``.

The former layout had a folder for each type and day, ``events/event_type=<type>/event_date=<day>/``, a table for each
type, and table ``ledger``. Merged files lay below ``merged/``; a file ``_replaced`` marked a folder whose rows were
elsewhere. Which folder holds is read from HDFS alone, so an upgrade that was interrupted is simply run again:

1. *rewrite*: each day's files of all types become one file of the new layout; so do the other tables.
2. *count*: the new files hold as many rows of each type as the old ones, by their footers.
3. *exchange the definitions*: the old tables are dropped from the metastore, the new ones are created. No file goes.
4. *verify*: Presto counts the same rows in the new table. A file ``_verified`` says so.
5. *delete* the old folders, and that file. Once it is there, only this step is done again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from questlog.catalog import tables
from questlog.catalog.counts import rows_by_type
from questlog.catalog.quoting import table
from questlog.errors import CatalogError
from questlog.events import CATALOGUE, Catalogue
from questlog.events.schema import (
    BATCH_COLUMNS,
    DEAD_LETTER_COLUMNS,
    EVENT_TYPE,
    PROGRESS_COLUMNS,
    Columns,
    events_columns,
)
from questlog.lake import layout, parquet, presto
from questlog.lake.hdfs import Hdfs
from questlog.lake.metastore import Metastore
from questlog.lake.types import arrow_schema
from questlog.settings import BATCHES_TABLE, DEAD_LETTERS_TABLE, EVENTS_TABLE, PROGRESS_TABLE, Settings

FORMER_MERGED, FORMER_MARK = "merged", "_replaced"
VERIFIED = "_verified"
FORMER_OPEN = ("open-", "held-")
"""How the folder of batches that were sealed, and not yet moved, began."""
RENAMED = {
    "repeated": "duplicates",
    "judge_seconds": "validate_seconds",
    "seal_seconds": "prepare_seconds",
    "rename_seconds": "publish_seconds",
    "commit_seconds": "checkpoint_seconds",
    "close_seconds": "commit_seconds",
}
"""Columns of ``ledger`` and ``stream_progress`` by their former names."""
OTHERS: dict[str, tuple[str, Columns]] = {
    DEAD_LETTERS_TABLE: (DEAD_LETTERS_TABLE, DEAD_LETTER_COLUMNS),
    tables.FORMER_LEDGER: (BATCHES_TABLE, BATCH_COLUMNS),
    PROGRESS_TABLE: (PROGRESS_TABLE, PROGRESS_COLUMNS),
}
"""The tables without partitions, by their former names: the present name, and its columns."""

OnProgress = Callable[[int, int], object]


def is_needed(settings: Settings) -> bool:
    """Whether the namespace has data of the former layout, or an upgrade was cut while it deleted them.

    Raises:
        LakeError: HDFS is not reachable.
    """
    hdfs = Hdfs(settings)
    return bool(_former_types(hdfs, settings)) or hdfs.exists(f"{settings.warehouse}/{VERIFIED}")


def upgrade(
    settings: Settings,
    catalogue: Catalogue = CATALOGUE,
    on_progress: OnProgress = lambda done, total: None,
) -> dict[str, int]:
    """Rewrite the former layout of a namespace, and delete it once the new tables are verified; rows by event type.

    The caller holds the writer lease. Stop the stream of version 0.1 before: it does not know the lease.

    Args:
        settings: which namespace.
        catalogue: the event types. Rows of types that it no longer has are kept, and their own fields stay in the
            files: they are columns again once the catalogue has the type.
        on_progress: is called with the days that are rewritten, and their number.

    Raises:
        CatalogError: a micro-batch of the former version is not finished, or the new tables do not hold the same rows.
        LakeError: HDFS or the metastore refused or is not reachable.
        QueryError: Presto refused.
    """
    hdfs, verified = Hdfs(settings), f"{settings.warehouse}/{VERIFIED}"
    if hdfs.exists(verified):  # half of the former files may be gone already
        _delete_former(hdfs, settings)
        return dict(_seen(settings))
    _refuse_unfinished(hdfs, settings)
    former = _former_events(hdfs, settings)
    counted: Counter[str] = Counter()
    for done, (day, folders) in enumerate(sorted(former.items())):
        on_progress(done, len(former))
        counted += _rewrite_day(hdfs, settings, day, folders, catalogue)
    on_progress(len(former), len(former))
    for name, (present, columns) in OTHERS.items():
        _rewrite_table(hdfs, settings, name, present, columns)
    _exchange_definitions(settings, catalogue, former)
    _verify(settings, counted)
    hdfs.write(verified, b"")
    _delete_former(hdfs, settings)
    return dict(counted)


def _delete_former(hdfs: Hdfs, settings: Settings) -> None:
    for path in (*_former_types(hdfs, settings), *_former_leftovers(hdfs, settings)):
        hdfs.delete(path)
    hdfs.delete(f"{settings.warehouse}/{VERIFIED}")


def _refuse_unfinished(hdfs: Hdfs, settings: Settings) -> None:
    for folder in hdfs.folders(settings.staging):
        if folder.rsplit("/", 1)[1].startswith(FORMER_OPEN) and (left := hdfs.entries(folder)):
            raise CatalogError(
                f"{left[0].path} holds a micro-batch that Questlog 0.1 has not finished: run its `questlog stream "
                "--available-now` once more, then `questlog upgrade`. Nothing has changed."
            )


def _former_types(hdfs: Hdfs, settings: Settings) -> list[str]:
    home = settings.table_path(EVENTS_TABLE)
    return [f"{home}/{name}" for name in tables.former_types(hdfs, settings)]


def _former_events(hdfs: Hdfs, settings: Settings) -> dict[str, dict[str, str]]:
    """The folder that holds each former partition, by day (``event_date=...``) and event type."""
    found: dict[str, dict[str, str]] = {}
    for home in _former_types(hdfs, settings):
        name = home.rsplit("/", 1)[1]
        merged = f"{settings.table_path(FORMER_MERGED)}/{EVENTS_TABLE}/{name}"
        days = {path.rsplit("/", 1)[1] for path in (*hdfs.folders(home), *hdfs.folders(merged))}
        for day in days:
            folder = _holding(hdfs, f"{home}/{day}", f"{merged}/{day}")
            found.setdefault(day, {})[name.removeprefix(tables.FORMER_FOLDERS)] = folder
    return found


def _holding(hdfs: Hdfs, home: str, merged: str) -> str:
    """The folder whose rows count: the newest merged one that is not marked as replaced, else the first one."""
    for folder in reversed(hdfs.folders(merged)):
        if not hdfs.exists(f"{folder}/{FORMER_MARK}"):
            return folder
    return home


def _rewrite_day(
    hdfs: Hdfs, settings: Settings, day: str, folders: dict[str, str], catalogue: Catalogue
) -> Counter[str]:
    """Write one day's file, and compare its rows with those of the old files; the rows by type."""
    wanted = arrow_schema(events_columns(catalogue))
    before: Counter[str] = Counter()
    parts: list[pa.Table] = []
    for event_type, folder in sorted(folders.items()):
        for rows in _tables_in(hdfs, folder):
            before[event_type] += rows.num_rows
            parts.append(_fitted(rows.append_column(EVENT_TYPE, pa.array([event_type] * rows.num_rows)), wanted))
    target = layout.location(settings, EVENTS_TABLE, day)
    hdfs.delete(target)
    hdfs.make_folder(target)
    if parts:
        content = parquet.encode(EVENTS_TABLE, pa.concat_tables(parts, promote_options="default"), compression="zstd")
        hdfs.write(f"{target}/upgraded.parquet", content)
    after = sum((rows_by_type(hdfs, file) for file in hdfs.files(target)), Counter[str]())
    if +after != +before:
        raise CatalogError(f"{target} holds {dict(after)}, the former files {dict(before)}: nothing was deleted.")
    return before


def _rewrite_table(hdfs: Hdfs, settings: Settings, name: str, present: str, columns: Columns) -> None:
    """Rewrite a table without partitions. The newest audit file of each stream keeps its name."""
    source = _holding(hdfs, settings.table_path(name), f"{settings.table_path(FORMER_MERGED)}/{name}")
    target, wanted = layout.location(settings, present), arrow_schema(columns)
    hdfs.delete(target)
    hdfs.make_folder(target)
    for file in hdfs.files(source):
        rows = pq.read_table(pa.BufferReader(hdfs.read(file.path)))
        renamed = rows.rename_columns([RENAMED.get(each, each) for each in rows.column_names])
        hdfs.write(f"{target}/{file.name}", parquet.encode(present, _fitted(renamed, wanted)))


def _tables_in(hdfs: Hdfs, folder: str) -> Iterator[pa.Table]:
    for file in hdfs.files(folder):
        yield pq.read_table(pa.BufferReader(hdfs.read(file.path))).replace_schema_metadata()


def _fitted(rows: pa.Table, wanted: pa.Schema) -> pa.Table:
    """The rows with the wanted columns, null where they have none, and after these the columns that are not wanted."""
    columns = [
        rows[field.name].cast(field.type) if field.name in rows.column_names else pa.nulls(rows.num_rows, field.type)
        for field in wanted
    ]
    others = [field for field in rows.schema if field.name not in wanted.names]
    return pa.table([*columns, *(rows[field.name] for field in others)], schema=pa.schema([*wanted, *others]))


def _exchange_definitions(settings: Settings, catalogue: Catalogue, days: Iterable[str]) -> None:
    """Drop every table and view, which deletes no file: all tables are external. Then create the present ones."""
    views = tables.views(settings)
    for name in sorted(tables.columns(settings), key=lambda name: name not in views):
        presto.execute(settings, f"DROP {'VIEW' if name in views else 'TABLE'} IF EXISTS {table(settings, name)}")
    tables.create(settings, catalogue, is_upgrade=True)
    if found := {day: layout.location(settings, EVENTS_TABLE, day) for day in days}:
        Metastore(settings).add(EVENTS_TABLE, found)


def _verify(settings: Settings, counted: Counter[str]) -> None:
    seen = _seen(settings)
    if +seen != +counted:
        raise CatalogError(
            f"Presto counts {dict(seen)} in the new table, the former files hold {dict(counted)}: "
            "the former files are all there. Run `questlog upgrade` again."
        )


def _seen(settings: Settings) -> Counter[str]:
    asked = f"SELECT {EVENT_TYPE}, count(*) FROM {table(settings, EVENTS_TABLE)} GROUP BY 1"
    return Counter({event_type: int(rows) for event_type, rows in presto.execute(settings, asked)})


def _former_leftovers(hdfs: Hdfs, settings: Settings) -> Iterator[str]:
    """What else the former layout left: merged files, the ledger, files of tables without partitions, staging."""
    yield from (
        settings.table_path(FORMER_MERGED),
        settings.table_path(tables.FORMER_LEDGER),
        f"{settings.staging}/merging",
    )
    yield from (f"{settings.staging}/known", f"{settings.staging}/attempts")
    for name in (DEAD_LETTERS_TABLE, PROGRESS_TABLE):
        yield from (entry.path for entry in hdfs.entries(settings.table_path(name)) if not entry.is_folder)
    for folder in hdfs.folders(settings.staging):
        if folder.rsplit("/", 1)[1].startswith(FORMER_OPEN):
            yield folder

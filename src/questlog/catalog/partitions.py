"""Partitions: folders become visible to Presto once the metastore knows of them.

Files that land later in a partition that is known need no announcement: Presto lists the folder for each query. The
metastore is told without Presto, whose ``system.sync_partition_metadata`` fails for partitions that lie elsewhere than
they began.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from fsspec.implementations.webhdfs import WebHDFS

from questlog.catalog import files as hdfs
from questlog.catalog.metastore import Metastore
from questlog.catalog.places import home
from questlog.catalog.quoting import Execute, identifier, literal, table
from questlog.errors import CatalogError
from questlog.events import CATALOGUE, Catalogue
from questlog.events.schema import PARTITION_DATE, PARTITION_TYPE
from questlog.settings import EVENTS_TABLE, Settings

Partition = tuple[str, date]
"""An event type and a day: one folder, which is a partition of ``events`` and one of the type's own table."""


def announce(settings: Settings, partitions: Collection[Partition], catalogue: Catalogue = CATALOGUE) -> None:
    """Make partitions visible in ``events`` and in their types' tables; what is visible already stays as it is.

    There is one call for each table, whatever the number of partitions. It costs as little to call it in vain as to ask
    first.

    Raises:
        CatalogError: when a type is not in the catalogue, a table is not created, or the metastore is not reachable.
    """
    touched = {name for name, _ in partitions}
    if unknown := sorted(touched - {*catalogue.names}):
        raise CatalogError(f"event type {unknown[0]!r} is not in the catalogue; it has {', '.join(catalogue.names)}")
    if partitions:
        elsewhere = hdfs.moved(hdfs.filesystem(settings), settings, EVENTS_TABLE)
        for name, found in folders(settings, partitions, elsewhere).items():
            Metastore(settings).add(name, found)


def folders(settings: Settings, partitions: Iterable[Partition], moved: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The folder of each partition, by its name in each of its two tables; ``events`` first.

    `moved` tells of partitions that lie elsewhere than they began (`questlog.catalog.files.moved`).
    """
    found: dict[str, dict[str, str]] = {}
    for event_type, day in sorted(partitions):
        of_type = f"{PARTITION_DATE}={day}"
        of_all = f"{PARTITION_TYPE}={event_type}/{of_type}"
        began = home(settings, EVENTS_TABLE, of_all)
        folder = moved.get(began, began)
        found.setdefault(EVENTS_TABLE, {})[of_all] = folder
        found.setdefault(event_type, {})[of_type] = folder
    return found


def announced(execute: Execute, settings: Settings, tables: Iterable[str]) -> dict[str, set[Partition]]:
    """The partitions that the metastore knows, by table; tables are ``events`` and event types.

    Raises:
        QueryError: when Presto refuses; for one, a table does not exist.
    """
    known: dict[str, set[Partition]] = {name: set() for name in tables}
    for name, event_type, day in execute("\nUNION ALL\n".join(_select_known(settings, name) for name in known)):
        known[name].add((event_type, day))
    return known


def missing(execute: Execute, settings: Settings, catalogue: Catalogue = CATALOGUE) -> list[Partition]:
    """Partitions that have a folder, but are not visible in ``events`` or in their type's table; in order.

    Folders of types that are not in the catalogue are left alone.

    Raises:
        CatalogError: when ``events`` has no folder, or HDFS is not reachable.
        QueryError: when Presto refuses; for one, the tables are not created.
    """
    landed = on_disk(hdfs.filesystem(settings), settings, catalogue)
    known = announced(execute, settings, {EVENTS_TABLE, *(name for name, _ in landed)})
    return sorted(set().union(*_lacking(landed, known).values()))


def on_disk(files: WebHDFS, settings: Settings, catalogue: Catalogue = CATALOGUE) -> list[Partition]:
    """The partitions that have a folder in HDFS, whether announced or not.

    Raises:
        CatalogError: when ``events`` has no folder, a folder's name is no partition, or HDFS is not reachable.
    """
    paths = hdfs.folders(files, settings.table_path(EVENTS_TABLE), depth=2)
    found = {_partition(path) for path in (*paths, *hdfs.moved(files, settings, EVENTS_TABLE))}
    return sorted(partition for partition in found if partition[0] in catalogue)


def _partition(path: str) -> Partition:
    values = dict(part.split("=", 1) for part in path.split("/") if "=" in part)
    try:
        return values[PARTITION_TYPE], date.fromisoformat(values[PARTITION_DATE])
    except (KeyError, ValueError) as error:
        raise CatalogError(
            f"{path} is not {PARTITION_TYPE}=<type>/{PARTITION_DATE}=<YYYY-MM-DD>. "
            "Only the stream writes below a table: find out who put it there, and move it away."
        ) from error


def _lacking(partitions: Iterable[Partition], known: dict[str, set[Partition]]) -> dict[str, set[Partition]]:
    """What each table does not know yet."""
    wanted = set(partitions)
    return {
        name: {partition for partition in wanted if name in (EVENTS_TABLE, partition[0])} - there
        for name, there in known.items()
    }


def _select_known(settings: Settings, name: str) -> str:
    event_type = identifier(PARTITION_TYPE) if name == EVENTS_TABLE else literal(name)
    source = table(settings, f"{name}$partitions")
    return f"SELECT {literal(name)}, {event_type}, {identifier(PARTITION_DATE)} FROM {source}"

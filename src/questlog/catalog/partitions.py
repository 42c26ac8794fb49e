"""Partitions: a day becomes visible to Presto once the metastore knows its folder.

The writer adds the partitions that it publishes. What is added here was lost by the metastore, or restored to HDFS by
hand: the newest version of each day that the metastore does not know.
"""

from __future__ import annotations

from datetime import date

from questlog.lake import layout
from questlog.lake.hdfs import Hdfs
from questlog.lake.metastore import Metastore
from questlog.settings import EVENTS_TABLE, Settings


def missing(settings: Settings) -> dict[str, str]:
    """The newest folder of each partition of ``events`` that has one but is not in the metastore, by partition.

    Raises:
        LakeError: a folder's name is no partition, or HDFS or the metastore is not reachable.
    """
    hdfs, known = Hdfs(settings), Metastore(settings).locations(EVENTS_TABLE)
    folders = {path.rsplit("/", 1)[1]: path for path in hdfs.folders(settings.table_path(EVENTS_TABLE))}
    unknown = {partition: path for partition, path in folders.items() if partition not in known}
    for partition in unknown:
        layout.partition_day(partition)
    newest = hdfs.each(lambda path: newest_version(hdfs, path), unknown.values())
    return {partition: folder for partition, folder in zip(unknown, newest, strict=True) if folder}


def announce(settings: Settings) -> list[date]:
    """Add every partition that `missing` finds to the metastore; their days.

    Raises:
        LakeError: as in `missing`.
    """
    found = missing(settings)
    if found:
        Metastore(settings).add(EVENTS_TABLE, found)
    return [layout.partition_day(partition) for partition in sorted(found)]


def newest_version(hdfs: Hdfs, folder: str) -> str | None:
    """The newest version folder of a partition or of a table without partitions; None if there is none.

    Raises:
        LakeError: HDFS is not reachable.
    """
    return next(reversed(hdfs.folders(folder)), None)

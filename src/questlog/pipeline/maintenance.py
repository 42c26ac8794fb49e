"""Maintenance: what is done to a namespace beside the stream: create, announce, compact, replay, upgrade, reset.

What writes holds the writer lease, so it is refused while a stream runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from questlog.api import counters
from questlog.catalog import compaction, partitions, tables
from questlog.catalog import upgrade as catalog_upgrade
from questlog.events import CATALOGUE, Catalogue
from questlog.lake.hdfs import Hdfs
from questlog.lake.lease import holding
from questlog.lake.writer import Writer, open_writer
from questlog.settings import Settings
from questlog.stack import artifacts, configure, java
from questlog.stream import classes
from questlog.stream import replay as stream_replay
from questlog.stream.changes import Change
from questlog.stream.faults import Faults
from questlog.stream.session import SparkPlace, session
from questlog.transport import topics

LEASE_WAIT = 5.0
"""Seconds that a command waits for the writer lease, beside the time that a dead holder's lease lasts."""


def place(settings: Settings) -> SparkPlace:
    """What Spark needs of this machine: Java, the Kafka source's jars, HDFS's configuration, the archive of classes."""
    jars, home = tuple(artifacts.classpath(settings.cache_dir, "spark-kafka")), java.java17()
    archive = classes.archive(settings.cache_dir, home, jars)
    return SparkPlace(home, jars, configure.hadoop_conf_dir(settings), archive)


def create(settings: Settings, catalogue: Catalogue = CATALOGUE) -> list[str]:
    """Create the topic, the database, the tables and the views where they are missing; the names of those created."""
    topics.create_topic(settings)
    return tables.create(settings, catalogue)


def announce(settings: Settings) -> list[date]:
    """Add every partition that has files but is not in the metastore; their days."""
    return partitions.announce(settings)


def reset(settings: Settings) -> None:
    """Delete everything of this namespace: topic, tables, files, checkpoint and the API's counters."""
    topics.delete_topic(settings)
    tables.drop(settings)
    counters.reset(settings)


def compact(settings: Settings, **options: Any) -> list[compaction.Compacted]:
    """Merge small files, while no stream runs and queries do; `options` are those of `compaction.compact`.

    Raises:
        LeaseHeld: a stream or a replay runs; a stream compacts by itself.
        LakeError: HDFS or the metastore refused or is not reachable.
    """
    with _sole_writer(settings, "compact") as writer:
        return compaction.compact(writer, **options)


def replay(
    settings: Settings,
    table: str,
    catalogue: Catalogue = CATALOGUE,
    *,
    dry_run: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Change, ...]:
    """Rebuild a table from Kafka, or what the dead letters hold by the catalogue as it is now; what that changes.

    Takes the stream's place, and changes nothing if `dry_run`; the rest is in `questlog.stream.replay`.

    Raises:
        LeaseHeld: a stream runs.
        StreamError: as in `questlog.stream.replay.replay`.
        LakeError: HDFS or the metastore refused.
    """
    create(settings, catalogue)
    with _sole_writer(settings, "replay") as writer:
        spark = session(settings, place(settings))
        return stream_replay.replay(spark, writer, table, catalogue=catalogue, dry_run=dry_run, on_progress=on_progress)


def upgrade(
    settings: Settings,
    catalogue: Catalogue = CATALOGUE,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, int] | None:
    """Rewrite the tables of Questlog 0.1, and delete them once the new ones are verified; the rows by event type.

    None if there is nothing of the former layout.

    Raises:
        LeaseHeld: another process writes, or upgrades.
        CatalogError, LakeError, QueryError: as in `questlog.catalog.upgrade.upgrade`; nothing was deleted.
    """
    with holding(settings, Hdfs(settings), "upgrade", wait=settings.lease_seconds + LEASE_WAIT):
        if not catalog_upgrade.is_needed(settings):
            return None
        return catalog_upgrade.upgrade(settings, catalogue, on_progress)


@contextmanager
def _sole_writer(settings: Settings, what: str) -> Iterator[Writer]:
    seconds = settings.lease_seconds + LEASE_WAIT
    with open_writer(settings, what, wait=seconds, observers=(Faults(settings.fault_point),)) as writer:
        assert writer is not None  # without `stop` the wait ends with the lease or an error
        yield writer

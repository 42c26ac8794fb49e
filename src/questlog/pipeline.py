"""The one place where the stages are joined: what the command line, the chapters and the tests call.

Stages know nothing of each other; here the API's requests, the topic, the stream, the tables and the queries of one
`Settings` are put together, and the counts of all of them become the `Ledger`.
"""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

import pandas as pd

from questlog.api import counters
from questlog.api import server as api_server
from questlog.catalog import compaction, files, partitions, replacing, tables, upkeep
from questlog.errors import StreamError
from questlog.events import CATALOGUE, Catalogue
from questlog.events.catalogue import UNKNOWN_TYPE
from questlog.generate import send
from questlog.generate.effects import EFFECTS
from questlog.generate.model import simulate
from questlog.generate.tally import Sent
from questlog.generate.world import World
from questlog.ledger import Ledger, balance
from questlog.query import library, presto
from questlog.settings import Settings
from questlog.stack import artifacts, configure, java
from questlog.stream import classes, job, memory, rehearsal
from questlog.stream import replay as stream_replay
from questlog.stream.alone import alone
from questlog.stream.changes import Change
from questlog.stream.faults import Faults
from questlog.stream.session import SparkPlace
from questlog.stream.whereabouts import Whereabouts
from questlog.transport import reader, topics
from questlog.transport.producer import Publisher


def place(settings: Settings) -> SparkPlace:
    """What Spark needs of this machine: Java, the Kafka source's jars, HDFS's configuration, the archive of classes."""
    jars, home = tuple(artifacts.classpath(settings.cache_dir, "spark-kafka")), java.java17()
    archive = classes.archive(settings.cache_dir, home, jars)
    return SparkPlace(home, jars, configure.hadoop_conf_dir(settings), archive)


def create(settings: Settings, catalogue: Catalogue = CATALOGUE) -> list[str]:
    """Create the topic, the database and the tables where they are missing; the names of the tables created."""
    topics.create_topic(settings)
    return tables.create(executor(settings), files.filesystem(settings), settings, catalogue)


def announce(settings: Settings, catalogue: Catalogue = CATALOGUE) -> list[tuple[str, date]]:
    """Announce every partition that has files but is not known to the metastore; returns them."""
    missing = partitions.missing(executor(settings), settings, catalogue)
    partitions.announce(settings, missing, catalogue)
    return missing


def reset(settings: Settings, catalogue: Catalogue = CATALOGUE) -> None:
    """Forget everything of this namespace: topic, tables, files, checkpoint and the API's counters."""
    topics.delete_topic(settings)
    tables.drop(executor(settings), files.filesystem(settings), settings, catalogue)
    counters.reset(settings)


REPLAY_PATIENCE = 5.0
"""Seconds for a stream that is ending."""
PATIENCE = 20.0
"""Seconds that `api` waits for Kafka: a 503 on a busy machine would make its client send an event a second time."""


@contextmanager
def api(settings: Settings, *, patience: float = PATIENCE) -> Iterator[Settings]:
    """An API server for this namespace on a free port, while the block runs; gives settings that point to it.

    `patience` is its `Settings.ack_timeout`, in seconds.
    """
    topics.create_topic(settings)
    port = api_server.free_port()
    url = f"http://{settings.host}:{port}"
    here = settings.in_namespace(settings.namespace, api_port=port, api_url=url, ack_timeout=patience)
    with api_server.running(here):
        yield here


def generate(
    settings: Settings,
    world: World,
    *,
    catalogue: Catalogue = CATALOGUE,
    batch_size: int = send.BATCH_SIZE,
    processes: int = send.PROCESSES,
    on_progress: Callable[[int, int], None] | None = None,
) -> Sent:
    """Send the events of a world to the API by Apache Bench, its stray records straight to the topic."""
    topics.create_topic(settings)
    publisher = Publisher(settings)
    try:
        return send.send(
            settings,
            simulate(world, catalogue),
            batch_size=batch_size,
            processes=processes,
            publish=publisher.publish,
            on_progress=on_progress,
        )
    finally:
        publisher.close()


def stream(settings: Settings, catalogue: Catalogue = CATALOGUE, **options: Any) -> job.Summary:
    """Run the stream in this process, until caught up unless told otherwise; `options` are those of `job.run`."""
    create(settings, catalogue)
    chosen = {"available_now": True, **options}
    with upkeep.compacting(settings, Faults(settings.fault_point).pass_by):
        return job.run(
            settings,
            place(settings),
            catalogue=catalogue,
            announce=lambda found: partitions.announce(settings, found, catalogue),
            whereabouts=lambda: _whereabouts(settings),
            **chosen,
        )


def rehearse(settings: Settings, catalogue: Catalogue = CATALOGUE) -> None:
    """Make this process ready to be the stream, though another one is (`questlog.stream.rehearsal`)."""
    rehearsal.rehearse(settings, place(settings), lambda: _whereabouts(settings), catalogue)


def compact(settings: Settings, **options: Any) -> list[compaction.Compacted]:
    """Merge small files, while the stream writes and queries run; `options` are those of `compaction.compact`."""
    return compaction.compact(settings, at=Faults(settings.fault_point).pass_by, **options)


def replay(
    settings: Settings,
    table: str,
    catalogue: Catalogue = CATALOGUE,
    *,
    dry_run: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Change, ...]:
    """Rebuild a table from Kafka, or what the dead letters hold by the catalogue as it is now; what that changes.

    Takes the stream's place, and changes nothing if `dry_run`; the rest is in `questlog.stream.replay.replay`.

    Raises:
        StreamError: also when a stream runs.
        CatalogError: the new files could not take the place of the old ones.
    """
    create(settings, catalogue)
    spark = place(settings)
    with alone(settings, REPLAY_PATIENCE):
        here = _whereabouts(settings)
        made = stream_replay.replay(settings, spark, table, here=here, catalogue=catalogue, on_progress=on_progress)
        if not dry_run:
            files.delete(files.filesystem(settings), memory.folder(settings))
            at = Faults(settings.fault_point).pass_by
            replacing.swap_in(settings, made.folder, made.replaces, catalogue, at)
        stream_replay.discard(settings, spark, made)
    return made.changes


def ledger(
    settings: Settings,
    catalogue: Catalogue = CATALOGUE,
    on_progress: Callable[[int, int], None] | None = None,
) -> Ledger:
    """Ask every witness and lay the counts side by side."""
    topic = reader.count_by_type(settings, catalogue, on_progress=on_progress)
    counts: dict[str, Mapping[str, int]] = {
        "accepted": counters.accepted(settings),
        "in_kafka": {name: count.in_kafka for name, count in topic.items()},
        "from_api": {name: count.from_api for name, count in topic.items()},
        "landed": files.landed_rows(settings),
        "rejected": files.dead_letter_rows(settings),
        **_seen_by_presto(settings),
    }
    return balance((*catalogue.names, UNKNOWN_TYPE), counts)


def query(settings: Settings, name: str, **parameters: object) -> pd.DataFrame:
    """Presto's answer to a named query of `questlog.query.library`."""
    return library.run(settings, name, **parameters)


def sql(settings: Settings, statement: str) -> pd.DataFrame:
    """Presto's answer to a statement."""
    return presto.frame(settings, statement)


def edition(world: World, settings: Settings | None = None) -> Settings:
    """Settings in a namespace of this world's own, so that a chapter never meets anybody else's tables."""
    name = f"book_p{world.players}_e{world.events}_d{world.days}_s{world.seed}_b{round(world.bad_share * 10_000)}"
    if world.effects != EFFECTS:
        name = f"{name}_{world.fingerprint[:6]}"
    return (settings or Settings.load()).in_namespace(name)


def prepare(world: World, settings: Settings | None = None) -> Settings:
    """The edition's settings, once its events are generated, landed and announced; does only what is missing.

    Raises:
        StreamError: when the ledger does not balance afterwards.
    """
    here = edition(world, settings)
    if not _is_generated(here, world):
        _generate_anew(here, world)
    create(here)
    found = ledger(here)
    if found.total("filtered"):  # it balances, and still it is not whole
        _generate_anew(here, world)
        create(here)
        found = ledger(here)
    if not found.balances:
        _stream_in_a_child(here)
    if problems := ledger(here).problems:
        raise StreamError(f"the edition {here.namespace} does not balance: {'; '.join(problems)}")
    return here


def executor(settings: Settings) -> Callable[[str], object]:
    """A function that has Presto execute one statement."""
    return functools.partial(presto.execute, settings)


def _is_generated(settings: Settings, world: World) -> bool:
    if not topics.topic_exists(settings):
        return False
    counted = reader.count_by_type(settings, CATALOGUE).values()
    return sum(count.in_kafka for count in counted) == world.good + world.strays


def _generate_anew(settings: Settings, world: World) -> None:
    reset(settings)
    with api(settings) as serving:
        generate(serving, world)


def _stream_in_a_child(settings: Settings) -> None:
    """In a process of its own, whose JVM is gone afterwards."""
    command = [sys.executable, "-m", "questlog", "stream", "--available-now"]
    done = subprocess.run(command, env=settings.environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise StreamError(f"{' '.join(command[2:])} ended with {done.returncode}: {done.stderr[-2000:]}")


def _whereabouts(settings: Settings) -> Whereabouts:
    return Whereabouts(*compaction.whereabouts(settings))


def _seen_by_presto(settings: Settings) -> dict[str, dict[str, int]]:
    seen = library.run(settings, "ledger_events")
    account = library.run(settings, "ledger_account")
    return {
        "in_presto": _counts(seen, "rows"),
        "distinct": _counts(seen, "distinct_events"),
        "filtered": _counts(account, "filtered"),
        "repeated": _counts(account, "repeated"),
    }


def _counts(frame: pd.DataFrame, column: str) -> dict[str, int]:
    return dict(zip(frame["event_type"], (int(count) for count in frame[column]), strict=True))

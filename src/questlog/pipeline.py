"""The one place where the stages are joined: what the command line, the chapters and the tests call.

Stages know nothing of each other; here the API's requests, the topic, the stream, the tables and the queries of one
`Settings` are put together, and the counts of all of them become the `Ledger`.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

import pandas as pd

from questlog.api import counters
from questlog.api import server as api_server
from questlog.catalog import compaction, counts, partitions, tables
from questlog.errors import StreamError
from questlog.events import CATALOGUE, Catalogue
from questlog.events.catalogue import UNKNOWN_TYPE
from questlog.generate import send
from questlog.generate.effects import EFFECTS
from questlog.generate.model import simulate
from questlog.generate.tally import Sent
from questlog.generate.world import World
from questlog.lake import presto
from questlog.lake.lease import OnWait
from questlog.lake.writer import open_writer
from questlog.ledger import Ledger, balance
from questlog.maintenance import LEASE_WAIT, compact, create, place, replay, upgrade
from questlog.query import library
from questlog.settings import Settings
from questlog.stream import job
from questlog.stream.faults import Faults
from questlog.stream.session import session
from questlog.stream.signals import told_by_signals
from questlog.stream.timings import Timings
from questlog.transport import reader, topics
from questlog.transport.producer import Publisher

__all__ = [
    "announce", "api", "compact", "create", "edition", "generate", "ledger",
    "place", "prepare", "query", "replay", "reset", "sql", "stream", "upgrade",
]  # fmt: skip


def announce(settings: Settings) -> list[date]:
    """Add every partition that has files but is not in the metastore; their days."""
    return partitions.announce(settings)


def reset(settings: Settings) -> None:
    """Delete everything of this namespace: topic, tables, files, checkpoint and the API's counters."""
    topics.delete_topic(settings)
    tables.drop(settings)
    counters.reset(settings)


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


def stream(
    settings: Settings,
    catalogue: Catalogue = CATALOGUE,
    *,
    available_now: bool = True,
    stop: threading.Event | None = None,
    on_wait: OnWait = lambda holder: None,
    keeps_classes: bool = False,
    **options: Any,
) -> job.Summary:
    """Run the stream in this process, until caught up unless told otherwise; `options` are those of `job.run`.

    It starts Spark, waits for the writer lease, and lands. While it waits it is the standby of the stream that runs.

    Args:
        settings: where everything is.
        catalogue: the event types.
        available_now: end once caught up; then the wait for the lease is short.
        stop: ends the run when it is set; so do Ctrl-C and SIGTERM.
        on_wait: is called with a description of the lease's holder, if it is held, once this standby is warm.
        keeps_classes: leave an archive of Spark's classes at the end, unless there is one.

    Raises:
        LeaseHeld: `available_now`, and another process holds the lease.
        StreamError, LakeError: as in `job.run`.
    """
    catalogue.select(options.get("event_types"))
    timings, faults, where = Timings(), Faults(settings.fault_point), place(settings)
    create(settings, catalogue)
    keeps_classes = keeps_classes and where.classes is not None and not where.classes.is_there
    spark = session(settings, where, keeps_classes=keeps_classes)
    with told_by_signals(stop or threading.Event()) as told:  # after PySpark has put its own handler of Ctrl-C there

        def wait(holder: str) -> None:
            if not available_now:
                job.warm_up(spark, settings, catalogue)
            on_wait(holder)

        seconds = settings.lease_seconds + LEASE_WAIT if available_now else None
        with open_writer(
            settings, "stream", wait=seconds, stop=told, on_wait=wait, observers=(timings, faults)
        ) as writer:
            if writer is None:
                return job.NOTHING
            with compaction.in_background(writer):
                summary = job.run(
                    spark, writer, timings, catalogue=catalogue, available_now=available_now, stop=told, **options
                )
        if where.classes and keeps_classes:
            where.classes.end_at_exit(keeps=summary.landed > 0)
        return summary


def ledger(
    settings: Settings,
    catalogue: Catalogue = CATALOGUE,
    on_progress: Callable[[int, int], None] | None = None,
) -> Ledger:
    """Ask every witness and lay the counts side by side."""
    topic = reader.count_by_type(settings, catalogue, on_progress=on_progress)
    found: dict[str, Mapping[str, int]] = {
        "accepted": counters.accepted(settings),
        "in_kafka": {name: count.in_kafka for name, count in topic.items()},
        "from_api": {name: count.from_api for name, count in topic.items()},
        "landed": counts.landed_rows(settings),
        "rejected": counts.dead_letter_rows(settings),
        **_seen_by_presto(settings),
    }
    return balance((*catalogue.names, UNKNOWN_TYPE), found)


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


def _seen_by_presto(settings: Settings) -> dict[str, dict[str, int]]:
    seen = library.run(settings, "ledger_events")
    account = library.run(settings, "batch_audit")
    return {
        "in_presto": _counts(seen, "rows"),
        "distinct": _counts(seen, "distinct_events"),
        "filtered": _counts(account, "filtered"),
        "duplicates": _counts(account, "duplicates"),
    }


def _counts(frame: pd.DataFrame, column: str) -> dict[str, int]:
    return dict(zip(frame["event_type"], (int(count) for count in frame[column]), strict=True))

"""Events of a simulated world, sent to an API of its own, and landed: what a chapter of the book stands on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from questlog.api import server as api_server
from questlog.errors import StreamError
from questlog.events import CATALOGUE, Catalogue
from questlog.generate import send
from questlog.generate.effects import EFFECTS
from questlog.generate.model import simulate
from questlog.generate.tally import Sent
from questlog.generate.world import World
from questlog.pipeline.maintenance import create, reset
from questlog.pipeline.questions import ledger
from questlog.settings import Settings
from questlog.transport import reader, topics
from questlog.transport.producer import Publisher

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
        _regenerate(here, world)
    create(here)
    found = ledger(here)
    if found.total("filtered"):  # it balances, and still it is not whole
        _regenerate(here, world)
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


def _regenerate(settings: Settings, world: World) -> None:
    reset(settings)
    with api(settings) as serving:
        generate(serving, world)


def _stream_in_a_child(settings: Settings) -> None:
    """In a process of its own, whose JVM is gone afterwards."""
    command = [sys.executable, "-m", "questlog", "stream", "--available-now"]
    done = subprocess.run(command, env=settings.environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise StreamError(f"{' '.join(command[2:])} ended with {done.returncode}: {done.stderr[-2000:]}")

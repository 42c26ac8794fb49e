"""What every user of the Kafka client shares: how one is made and closed, and the translation of its errors."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from kafka.errors import KafkaError

from questlog.errors import TransportError
from questlog.settings import Settings
from questlog.transport.network import Network

ANSWER_TIMEOUT = 10.0  # seconds that Kafka has for an answer of administration or reading
RECONNECT_PAUSE_MS = 50
LONGEST_RECONNECT_PAUSE_MS = 500  # the client's default of 30 s would keep it away from a Kafka that is back

Client = TypeVar("Client")

# Its errors are raised as TransportError; its log would repeat each of them several times a second.
logging.getLogger("kafka").setLevel(logging.CRITICAL)


def make(kind: Callable[..., Client], settings: Settings, timeout: float, **config: Any) -> Client:
    """A connected client of the class `kind`, one of KafkaProducer, KafkaConsumer, KafkaAdminClient.

    Args:
        timeout: seconds for the first contact
        config: what is the class's own

    Raises:
        TransportError: no server accepts a connection.
        KafkaError: one does, but does not answer as Kafka.
    """
    _require_reachable(settings, timeout)
    networks: list[Network] = []

    def network(**given: Any) -> Network:
        networks.append(Network(**given))
        return networks[-1]

    try:
        return kind(
            bootstrap_servers=settings.kafka_bootstrap.split(","),
            bootstrap_timeout_ms=int(timeout * 1000),
            reconnect_backoff_ms=RECONNECT_PAUSE_MS,
            reconnect_backoff_max_ms=LONGEST_RECONNECT_PAUSE_MS,
            kafka_client=network,
            **config,
        )
    except KafkaError:
        for left_open in networks:  # a client that fails to start leaves its thread and sockets behind
            left_open.close()
        raise


@contextmanager
def translated(settings: Settings, what: str) -> Iterator[None]:
    """Raise every error of the Kafka client as `TransportError`, saying `what` failed and where."""
    try:
        yield
    except KafkaError as error:
        raise TransportError(explain(settings, what, error)) from error


def explain(settings: Settings, what: str, error: BaseException) -> str:
    """One sentence: what failed, where, why, and what to do."""
    why = str(error) or type(error).__name__
    return f"{what} failed at Kafka {settings.kafka_bootstrap}: {why}; see `questlog status` whether it runs"


def _require_reachable(settings: Settings, timeout: float) -> None:
    """At least one of the servers accepts a connection: known at once where the client would try until its timeout."""
    servers = settings.kafka_bootstrap.split(",")
    reasons = []
    for server in servers:
        host, _, port = server.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout / len(servers)).close()
            return
        except OSError as error:
            reasons.append(error)
    raise TransportError(explain(settings, "connecting", reasons[-1])) from reasons[-1]

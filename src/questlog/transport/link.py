"""One process's connection to Kafka for publishing: made on first use, shared by its threads, made anew when it breaks.

A producer of the Kafka client can break for good: it is left without a producer id when a batch expires that had been
sent once. And what waits in a broken one would be sent long after its sender was told that it failed. So it is dropped
at the first failure, with all that waits in it.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillConnecting
from contextlib import AbstractContextManager

from kafka import KafkaProducer
from kafka.errors import KafkaError

from questlog.errors import TransportError
from questlog.settings import Settings
from questlog.transport.client import explain, make, translated
from questlog.transport.network import Network
from questlog.transport.partitions import ByKey

LINGER_MS = 0  # requests that wait for the same partition share a batch without it: 1 to 5 ms gained nothing
BATCH_BYTES = 131_072
RETRY_PAUSE_MS = 20
PAUSE_AFTER_FAILURE = 0.25  # seconds of refusing at once, so that no queue builds up behind an unreachable Kafka
DELIVERY_SHARE = 0.9  # of the whole time; the rest is for the answer to get back
CONTACT_SHARE = 0.5  # of the whole time, for each of: reaching Kafka, learning the topic's leaders


class Link:
    """The producer of one process. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._client: KafkaProducer | None = None
        self._attempt: Future[KafkaProducer] | None = None
        self._paused_until = 0.0
        self._reason = ""

    def client(self, deadline: float) -> KafkaProducer:
        """The connected producer; all who ask at the same time wait for the same attempt to connect.

        Args:
            deadline: of `time.monotonic`

        Raises:
            TransportError: Kafka is not reachable, was not a moment ago, or the deadline has passed.
        """
        with self._lock:
            if self._client is not None:
                return self._client
            if time.monotonic() < self._paused_until:
                raise TransportError(self._reason)
            if self._attempt is None:
                self._attempt = Future()
                threading.Thread(target=self._connect, args=(self._attempt,), daemon=True).start()
            attempt = self._attempt
        try:
            return attempt.result(max(deadline - time.monotonic(), 0))
        except StillConnecting as error:
            raise TransportError(explain(self._settings, "connecting", error)) from None
        except TransportError as error:
            raise TransportError(str(error)) from None  # each thread its own: an exception collects tracebacks

    def drop(self, client: KafkaProducer, *, at_once: bool) -> None:
        """Let go of a client that failed; `at_once` also gives up what others still wait for in it."""
        with self._lock:
            is_first = self._client is client
            if is_first:
                self._client = None
        if is_first or at_once:
            grace = 0 if at_once else self._settings.ack_timeout
            threading.Thread(target=_end, args=(client, grace), daemon=True).start()

    def close(self) -> None:
        """Send what waits, and close."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            _end(client, self._settings.ack_timeout)

    def _connect(self, attempt: Future[KafkaProducer]) -> None:
        try:
            with translated(self._settings, "connecting"):
                client = _producer(self._settings)
        except Exception as error:  # whatever it is, those who wait have to hear of it
            with self._lock:
                self._attempt = None
                self._paused_until = time.monotonic() + PAUSE_AFTER_FAILURE
                self._reason = str(error)
            attempt.set_exception(error)
        else:
            with self._lock:
                self._attempt, self._client = None, client
            attempt.set_result(client)


def delivery_time(settings: Settings) -> float:
    """Seconds in which a client either gets a record's acknowledgement or gives the record up."""
    return settings.ack_timeout * DELIVERY_SHARE


def woken_once(client: KafkaProducer) -> AbstractContextManager[None]:
    """A block in which the client's thread is woken once for all that the calling thread sends: at its end."""
    network: Network = client._sender._client
    return network.woken_once()


def _producer(settings: Settings) -> KafkaProducer:
    contact = settings.ack_timeout * CONTACT_SHARE
    delivery_ms = int(delivery_time(settings) * 1000)
    client = make(
        KafkaProducer,
        settings,
        contact,
        acks="all",
        enable_idempotence=True,
        partitioner=ByKey(),
        linger_ms=LINGER_MS,
        batch_size=BATCH_BYTES,
        max_block_ms=int(contact * 1000),
        delivery_timeout_ms=delivery_ms,
        request_timeout_ms=delivery_ms - LINGER_MS,
        retry_backoff_ms=RETRY_PAUSE_MS,
        metrics_enabled=False,
    )
    try:
        client.partitions_for(settings.topic)
    except KafkaError as error:
        _end(client, 0)
        raise TransportError(explain(settings, f"looking up topic {settings.topic}", error)) from error
    return client


def _end(client: KafkaProducer, grace: float) -> None:
    """Close the client; what is not sent within `grace` seconds never will be."""
    try:
        if grace:
            client.close(timeout=grace)
            return
    except KafkaError:
        pass
    client._sender.force_close()  # close() gives up, and leaves the thread sending, while anything waits
    client._sender.join()
    client.close(timeout=0)

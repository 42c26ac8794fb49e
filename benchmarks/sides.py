"""What is compared: each side, and one reading of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from kafka import KafkaProducer

from questlog.events.wire import Record
from questlog.generate import bench
from questlog.transport.producer import Publisher

JSON = "application/json"


@dataclass(frozen=True)
class Reading:
    """One measurement: `rate` in events a second, `p99` in milliseconds where requests are timed, what went wrong."""

    rate: float
    p99: float | None = None
    errors: int = 0


Side = Callable[[], Reading]


def http(url: str, body: Path, content_type: str, *, requests: int, concurrency: int, events: int = 1) -> Side:
    """Apache Bench on a server, with connections kept alive where the server keeps them; `events` in each request."""

    def measure() -> Reading:
        done = bench.run(
            url, requests=requests, concurrency=concurrency, keep_alive=True, body=body, content_type=content_type
        )
        errors = requests - done.accepted
        return Reading(done.accepted / done.seconds * events, done.p99_ms, errors)

    return measure


def publishing(publisher: Publisher, records: Sequence[Record], *, threads: int, seconds: float) -> Side:
    """So many threads that each publish the records again and again, and wait until Kafka has acknowledged them."""

    def measure() -> Reading:
        with ThreadPoolExecutor(threads) as pool:
            begun = time.perf_counter()
            counts = list(pool.map(lambda _: _repeat(lambda: publisher.publish(records), seconds), range(threads)))
            return Reading(sum(counts) * len(records) / (time.perf_counter() - begun))

    return measure


def flushing(producer: KafkaProducer, topic: str, event: Record, *, seconds: float) -> Side:
    """The usual way to be sure: one message, one flush."""

    def send() -> None:
        producer.send(topic, event.value, event.key, list(event.headers))
        producer.flush()

    def measure() -> Reading:
        begun = time.perf_counter()
        count = _repeat(send, seconds)
        return Reading(count / (time.perf_counter() - begun))

    return measure


def _repeat(action: Callable[[], None], seconds: float) -> int:
    """How often the action was done in so many seconds."""
    count, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        action()
        count += 1
    return count

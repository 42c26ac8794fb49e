"""What the API accepted and refused, and how long that took, summed over its worker processes (`shared`).

- ``questlog_accepted_total{event_type}``: events, counted after Kafka's acknowledgement
- ``questlog_refused_total{event_type, reason}``: requests; `event_type` is `UNKNOWN_TYPE` for a batch, `reason` one of
  `questlog.api.refusal.Reason`
- ``questlog_waiting``: gauge, requests that wait for Kafka now; a worker that was killed is not counted
- ``questlog_acknowledgement_seconds``: histogram, from handing a request's events to Kafka's client until Kafka had
  acknowledged them all; those that it did not are in ``questlog_refused_total{reason="unavailable"}``
- ``questlog_request_seconds``: histogram, from the request's headers to its answer, whatever that was

The counters and the histograms outlive the processes, also a kill -9.
"""

from __future__ import annotations

import functools
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.mmap_dict import mmap_key
from prometheus_client.utils import floatToGoString

from questlog.api import shared
from questlog.api.refusal import Reason
from questlog.api.shared import Merged, Numbers
from questlog.settings import Settings

ACCEPTED, REFUSED, WAITING = "questlog_accepted", "questlog_refused", "questlog_waiting"
ACKNOWLEDGEMENT, REQUEST = "questlog_acknowledgement_seconds", "questlog_request_seconds"
HELP = {
    ACCEPTED: "Events that Kafka has acknowledged.",
    REFUSED: "Requests that were answered with an error.",
    WAITING: "Requests that wait for Kafka now.",
    ACKNOWLEDGEMENT: "Seconds until Kafka had acknowledged a request's events.",
    REQUEST: "Seconds from a request to its answer.",
}
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, float("inf"))
"""Upper bounds of the histograms' buckets, in seconds."""
READING_APART = 1.0  # seconds between the two readings of a rate
_text: Callable[[float], str] = floatToGoString  # prometheus_client leaves it without types


@dataclass(frozen=True)
class Rates:
    """Events accepted and requests refused in a second."""

    accepted_per_second: float
    refused_per_second: float


class Counters:
    """This process's counts. Thread-safe; opens its files when it first counts."""

    def __init__(self, settings: Settings) -> None:
        folder = settings.metrics_dir
        self._keys = {name: (_buckets(name), _key(name, f"{name}_sum")) for name in (ACKNOWLEDGEMENT, REQUEST)}
        self._counts = Numbers(folder, shared.COUNTER)
        self._seconds = Numbers(folder, shared.HISTOGRAM, [key for keys, _ in self._keys.values() for key in keys])
        self._waiting = Numbers(folder, shared.GAUGE, [_key(WAITING, WAITING)])

    def count_accepted(self, event_type: str, number: int = 1) -> None:
        """Count events of one type as accepted."""
        self._counts.add((_total(ACCEPTED, event_type=event_type), number))

    def count_refused(self, event_type: str, reason: Reason) -> None:
        """Count one request as refused."""
        self._counts.add((_total(REFUSED, event_type=event_type, reason=reason.value), 1))

    def took(self, seconds: float) -> None:
        """Note a request's duration."""
        self._observe(REQUEST, seconds)

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Count the block as waiting for Kafka, and note how long it took unless it raises."""
        key, begun = _key(WAITING, WAITING), time.perf_counter()
        self._waiting.add((key, 1))
        try:
            yield
            self._observe(ACKNOWLEDGEMENT, time.perf_counter() - begun)
        finally:
            self._waiting.add((key, -1))

    def _observe(self, name: str, seconds: float) -> None:
        buckets, total = self._keys[name]
        self._seconds.add((buckets[bisect_left(BUCKETS, seconds)], 1), (total, seconds))


def accepted(settings: Settings) -> dict[str, int]:
    """Events accepted, by event type, since the counters were last reset; asks no server."""
    return _sums(settings, ACCEPTED, "event_type")


def refused(settings: Settings) -> dict[str, int]:
    """Requests refused, by `Reason`, since the counters were last reset; asks no server."""
    return _sums(settings, REFUSED, "reason")


def rates(settings: Settings) -> Rates:
    """What the API does now, from two readings one second apart; asks no server."""
    before, begun = _totals(settings), time.monotonic()
    time.sleep(READING_APART)
    after, seconds = _totals(settings), time.monotonic() - begun
    return Rates(*(max(0, late - early) / seconds for early, late in zip(before, after, strict=True)))


def reset(settings: Settings) -> None:
    """Set every count to 0, also those of a server that is running: its next count starts from there."""
    shared.reset(settings.metrics_dir)


def exposition(settings: Settings) -> bytes:
    """All of it in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(Merged(settings.metrics_dir))
    return generate_latest(registry)


def _totals(settings: Settings) -> tuple[int, int]:
    return sum(accepted(settings).values()), sum(refused(settings).values())


def _sums(settings: Settings, name: str, label: str) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for metric in Merged(settings.metrics_dir).collect():
        for sample in metric.samples:
            if metric.name == name:
                sums[sample.labels[label]] += int(sample.value)
    return {value: count for value, count in sums.items() if count}


def _total(name: str, **labels: str) -> str:
    return _key(name, f"{name}_total", **labels)


def _buckets(name: str) -> list[str]:
    return [_key(name, f"{name}_bucket", le=_text(bound)) for bound in BUCKETS]


@functools.cache
def _key(name: str, sample: str, **labels: str) -> str:
    return mmap_key(name, sample, list(labels), list(labels.values()), HELP[name])

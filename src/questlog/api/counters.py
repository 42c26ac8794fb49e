"""What the API accepted and refused, counted in files that all its worker processes share and that outlive them.

Each process writes a file of its own in prometheus_client's multiprocess format
(https://prometheus.github.io/client_python/multiprocess/), mapped into memory: a count survives the process's kill -9.
The files are written here rather than by `prometheus_client.Counter`, which takes the folder from a variable that must
be set before its import, so that whoever imports it first would decide whether anything is counted.

- ``questlog_accepted_total{event_type}``: events, counted after Kafka's acknowledgement
- ``questlog_refused_total{event_type, reason}``: requests; `event_type` is `UNKNOWN_TYPE` for a batch
"""

from __future__ import annotations

import functools
import os
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from questlog.api.refusal import Reason
from questlog.settings import Settings

ACCEPTED, REFUSED = "questlog_accepted", "questlog_refused"
_map: Callable[[str], Any] = MmapedDict  # prometheus_client leaves these two without types
_merge: Callable[[list[str]], Iterable[Metric]] = MultiProcessCollector.merge
HELP = {ACCEPTED: "Events that Kafka has acknowledged.", REFUSED: "Requests that were answered with an error."}


class Counters:
    """This process's counts. Thread-safe; opens its file when it first counts."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.metrics_dir
        self._lock = threading.Lock()
        self._files: dict[int, Any] = {}
        weakref.finalize(self, _close, self._files)

    def count_accepted(self, event_type: str, number: int = 1) -> None:
        """Count events of one type as accepted."""
        self._add(number, ACCEPTED, event_type=event_type)

    def count_refused(self, event_type: str, reason: Reason) -> None:
        """Count one request as refused."""
        self._add(1, REFUSED, event_type=event_type, reason=reason.value)

    def _add(self, number: int, name: str, **labels: str) -> None:
        key = _key(name, **labels)
        with self._lock:
            file = self._file()
            value, _ = file.read_value(key)
            file.write_value(key, value + number, 0.0)

    def _file(self) -> Any:
        pid = os.getpid()  # of this moment: a server forks its workers
        if pid not in self._files:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._files[pid] = _map(str(self._folder / f"counter_{pid}.db"))
        return self._files[pid]


class _Merged(Collector):
    """The sum of all processes' files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        return _merge([str(file) for file in _files(self._folder)])


def accepted(settings: Settings) -> dict[str, int]:
    """Events accepted, by event type, since the counters were last reset; asks no server."""
    return _sums(settings, ACCEPTED, "event_type")


def refused(settings: Settings) -> dict[str, int]:
    """Requests refused, by `Reason`, since the counters were last reset; asks no server."""
    return _sums(settings, REFUSED, "reason")


def reset(settings: Settings) -> None:
    """Set every count to 0, also those of a server that is running: its next count starts from there."""
    for path in _files(settings.metrics_dir):
        file = _map(str(path))
        for key, _, _ in list(file.read_all_values()):
            file.write_value(key, 0.0, 0.0)
        file.close()


def exposition(settings: Settings) -> bytes:
    """All counts in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Merged(settings.metrics_dir))
    return generate_latest(registry)


def _sums(settings: Settings, name: str, label: str) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for metric in _Merged(settings.metrics_dir).collect():
        for sample in metric.samples:
            if metric.name == name:
                sums[sample.labels[label]] += int(sample.value)
    return {value: count for value, count in sums.items() if count}


@functools.cache
def _key(name: str, **labels: str) -> str:
    return mmap_key(name, f"{name}_total", list(labels), list(labels.values()), HELP[name])


def _close(files: dict[int, Any]) -> None:
    for file in files.values():
        file.close()


def _files(folder: Path) -> list[Path]:
    """The processes' files; one that its process was killed on creating is empty, and left out."""
    return [file for file in sorted(folder.glob("*.db")) if file.stat().st_size]

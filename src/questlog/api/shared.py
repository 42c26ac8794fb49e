"""Numbers that all worker processes share and that outlive them, in files mapped into memory.

Each process writes files of its own in prometheus_client's multiprocess format
(https://prometheus.github.io/client_python/multiprocess/): a number survives the process's kill -9. The files are
written here rather than by the classes of `prometheus_client`, which take the folder from a variable that must be set
before their import, so that whoever imports them first would decide whether anything is counted.
"""

from __future__ import annotations

import fcntl
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from prometheus_client import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

COUNTER, HISTOGRAM, GAUGE = "counter", "histogram", "gauge_livesum"  # as the files' names begin

_map: Callable[[str], Any] = MmapedDict  # prometheus_client leaves these two without types
_merge: Callable[[list[str]], Iterable[Metric]] = MultiProcessCollector.merge


class Numbers:
    """This process's numbers of one kind. Thread-safe; opens its file when it first counts.

    `known` are keys that are there from the beginning, with 0: a histogram without all its buckets misleads.
    """

    def __init__(self, folder: Path, kind: str, known: Sequence[str] = ()) -> None:
        self._folder, self._kind, self._known = folder, kind, known
        self._lock = threading.Lock()
        self._files: dict[int, Any] = {}
        self._signs: list[IO[bytes]] = []
        weakref.finalize(self, _close, self._files, self._signs)

    def add(self, *changes: tuple[str, float]) -> None:
        """Add to numbers, each under the key that `prometheus_client.mmap_dict.mmap_key` gives it."""
        with self._lock:
            file = self._file()
            for key, number in changes:
                value, _ = file.read_value(key)
                file.write_value(key, value + number, 0.0)

    def _file(self) -> Any:
        pid = os.getpid()  # of this moment: a server forks its workers
        if pid not in self._files:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"{self._kind}_{pid}.db"
            file = self._files[pid] = _map(str(path))
            if self._kind == GAUGE:
                self._signs.append(_sign_of_life(path))
                _zero(file)  # an earlier process may have had this pid
            for key in self._known:
                file.read_value(key)
        return self._files[pid]


class Merged(Collector):
    """The sum of all processes' files; of gauges, those of processes that live."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """Every number, as prometheus_client wants it."""
        return _merge([str(file) for file in _files(self._folder) if not _is_left_behind(file)])


def reset(folder: Path) -> None:
    """Set every number but the gauges to 0, also those of a server that is running: it goes on from there."""
    for path in _files(folder):
        if not _is_gauge(path):
            file = _map(str(path))
            _zero(file)
            file.close()


def _sign_of_life(path: Path) -> IO[bytes]:
    """A lock that the system takes away when the process ends, however it does."""
    sign = path.open("rb")
    fcntl.flock(sign, fcntl.LOCK_SH)
    return sign


def _is_left_behind(path: Path) -> bool:
    if not _is_gauge(path):
        return False
    with path.open("rb") as file, suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _is_gauge(path: Path) -> bool:
    return path.name.startswith(GAUGE)


def _zero(file: Any) -> None:
    for key, _, _ in list(file.read_all_values()):
        file.write_value(key, 0.0, 0.0)


def _close(files: dict[int, Any], signs: list[IO[bytes]]) -> None:
    for file in (*files.values(), *signs):
        file.close()


def _files(folder: Path) -> list[Path]:
    """The processes' files; one that its process was killed on creating is empty, and left out."""
    return [file for file in sorted(folder.glob("*.db")) if file.stat().st_size]

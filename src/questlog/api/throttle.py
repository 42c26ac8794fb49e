"""How often one client may write: a token bucket for each address, shared by the worker processes.

The algorithm is pyrate-limiter's (https://github.com/vutran1710/PyrateLimiter): a second's worth of requests at once,
then evenly. Its own buckets for several processes keep a row for each request, or need a manager process; this
algorithm needs one number for each client, kept here in SQLite.
"""

from __future__ import annotations

import fcntl
import itertools
import math
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pyrate_limiter import Duration, Rate, TokenBucket

from questlog.settings import Settings

FILE, LOCK = "clients.sqlite", "clients.lock"
PRUNE_EVERY = 1000  # requests after which clients that have not been seen for a second are forgotten
PERIOD = Duration.SECOND
MICROSECONDS = 1_000_000  # of one period: the unit of the algorithm's number

_ALGORITHM = TokenBucket()


class Throttle:
    """The clients' buckets. Thread-safe; opens its files when first asked, in each process."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.metrics_dir
        self._rates = [Rate(settings.rate_limit, PERIOD)]
        self._mutex = threading.Lock()
        self._turn = itertools.count(1)
        self._locks: dict[int, IO[bytes]] = {}
        self._stores: dict[int, sqlite3.Connection] = {}
        weakref.finalize(self, _close, self._locks, self._stores)

    def wait(self, client: str) -> int:
        """Seconds after which the client may try again, at least 1; 0 when its request is taken, which then counts."""
        with self._alone() as store:
            now = time.time_ns() // 1_000_000  # the wall's: the processes have it in common, and so has the next start
            found = store.execute("SELECT owes FROM clients WHERE client = ?", (client,)).fetchone()
            # A clock that was set back leaves a number far ahead: it may not lock a client out.
            owes = min(found[0], now * 1000 + MICROSECONDS) if found else 0
            (owes,), decision = _ALGORITHM.step(self._rates, (owes,), now, 1)
            store.execute("REPLACE INTO clients VALUES (?, ?)", (client, owes))
            if next(self._turn) % PRUNE_EVERY == 0:
                store.execute("DELETE FROM clients WHERE owes < ?", (now * 1000,))
        return 0 if decision.allowed else max(1, math.ceil((decision.retry_after_ms or 0) / 1000))

    @contextmanager
    def _alone(self) -> Iterator[sqlite3.Connection]:
        """No other thread or process reads or writes the buckets meanwhile."""
        pid = os.getpid()  # of this moment: neither lock nor connection survives a fork
        with self._mutex:
            if pid not in self._locks:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._locks[pid] = (self._folder / LOCK).open("wb")
            fcntl.flock(self._locks[pid], fcntl.LOCK_EX)  # in turn: SQLite's own waiting can starve a process
            try:
                if pid not in self._stores:
                    self._stores[pid] = _open(self._folder / FILE)
                with self._stores[pid] as store:
                    yield store
            finally:
                fcntl.flock(self._locks[pid], fcntl.LOCK_UN)


def _open(path: Path) -> sqlite3.Connection:
    store = sqlite3.connect(path, check_same_thread=False)
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("PRAGMA synchronous = NORMAL")  # no waiting for the disk at each commit
    store.execute("CREATE TABLE IF NOT EXISTS clients (client TEXT PRIMARY KEY, owes INTEGER) WITHOUT ROWID")
    return store


def _close(locks: dict[int, IO[bytes]], stores: dict[int, sqlite3.Connection]) -> None:
    for store in stores.values():
        store.close()
    for lock in locks.values():
        lock.close()

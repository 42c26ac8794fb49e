"""Lanes: work that goes on side by side, and in order within each lane."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

WAITING = 4
"""Jobs of each lane that may wait: what is read ahead of the work is held in memory."""


class Lanes:
    """So many threads, each with a queue of its own. Leaving the block drops what waits and ends what is under way.

    After a job's error no other begins; `submit` or `finish` raises it.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._lanes = [ThreadPoolExecutor(1) for _ in range(count)]
        self._room = threading.BoundedSemaphore(count * WAITING)
        self._error: Exception | None = None

    def of(self, key: str) -> int:
        """The lane of everything that has this key."""
        return zlib.crc32(key.encode()) % self.count

    def submit(self, lane: int, job: Callable[[], None]) -> None:
        """Have the lane do the job after those it has; returns at once unless too many wait."""
        self._room.acquire()
        self._raise_error()
        self._lanes[lane].submit(self._do, job)

    def finish(self) -> None:
        """Return when every job is done; no more can be submitted."""
        for lane in self._lanes:
            lane.shutdown(wait=True)
        self._raise_error()

    def __enter__(self) -> Lanes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lane in self._lanes:
            lane.shutdown(wait=False, cancel_futures=True)
        for lane in self._lanes:
            lane.shutdown(wait=True)

    def _do(self, job: Callable[[], None]) -> None:
        try:
            if self._error is None:
                job()
        except Exception as error:
            self._error = error
        finally:
            self._room.release()

    def _raise_error(self) -> None:
        if self._error:
            raise self._error

"""Standard output for threads that may not wait: one thread writes the lines of all the others."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue

AT_ONCE = select.PIPE_BUF  # bytes: what a pipe takes in one piece, so that lines of several processes do not mix
GATHER = 0.02  # seconds in which lines come together: to wake a thread for each would cost more than the line
MOST_WAITING = 10_000  # lines; what comes while nobody reads standard output any more is dropped


class Lines:
    """A text file, as far as a logger needs one. Thread-safe; what waits when the process is killed is lost."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[str] = SimpleQueue()
        self._lock = threading.Lock()
        self._pid = 0

    def write(self, line: str) -> None:
        """Have a line written, newline included."""
        if self._pid != os.getpid():  # threads do not survive a fork
            self._start()
        if self._waiting.qsize() < MOST_WAITING:
            self._waiting.put(line)

    def flush(self) -> None:
        """Nothing: it is written as soon as can be."""

    def _start(self) -> None:
        with self._lock:
            if self._pid != os.getpid():
                self._pid = os.getpid()
                threading.Thread(target=self._write, daemon=True).start()

    def _write(self) -> None:
        for part in self._parts():
            with suppress(OSError, ValueError):  # a full disk, or closed: the requests go on
                sys.stdout.write(part)
                sys.stdout.flush()

    def _parts(self) -> Iterator[str]:
        """What waits, whole lines, as much as goes at once."""
        left = ""
        while True:
            if not left:
                left = self._waiting.get()
                time.sleep(GATHER)
            part, left = left, ""
            with suppress(Empty):
                while len(part) + len(left := self._waiting.get_nowait()) <= AT_ONCE:  # of JSON in ASCII
                    part, left = part + left, ""
            yield part

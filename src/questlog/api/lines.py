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

_END = b""  # no line


class Lines:
    """Takes lines and writes them behind. Thread-safe; what waits when the process ends is written, unless killed."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[bytes] = SimpleQueue()
        self._lock = threading.Lock()
        self._pid = 0

    def write(self, line: bytes) -> None:
        """Have a line written, newline included."""
        if self._pid != os.getpid():  # threads do not survive a fork
            self._start()
        if self._waiting.qsize() < MOST_WAITING:
            self._waiting.put(line)

    def _start(self) -> None:
        with self._lock:
            if self._pid != os.getpid():
                self._pid = os.getpid()
                threading.Thread(target=self._write).start()
                threading.Thread(target=self._end, daemon=True).start()

    def _end(self) -> None:
        threading.main_thread().join()
        self._waiting.put(_END)

    def _write(self) -> None:
        for part in self._parts():
            with suppress(OSError, ValueError):  # a full disk, or closed: the requests go on
                sys.stdout.buffer.write(part)
                sys.stdout.flush()

    def _parts(self) -> Iterator[bytes]:
        """What waits, whole lines, as much as goes at once; until the end."""
        line: bytes | None
        while line := self._waiting.get():
            time.sleep(GATHER)
            while line:  # without another pause: under load more comes in one than goes at once
                part, size = [line], len(line)
                line = self._next()
                while line and size + len(line) <= AT_ONCE:
                    part.append(line)
                    size += len(line)
                    line = self._next()
                yield b"".join(part)
            if line == _END:
                return

    def _next(self) -> bytes | None:
        """The next line if there is one already."""
        with suppress(Empty):
            return self._waiting.get_nowait()
        return None

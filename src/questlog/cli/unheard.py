"""Standard error whose reader may go away: what nobody reads is dropped, and whoever said it goes on.

A stream says something after each micro-batch. When the program that its words are piped to ends, to write them fails;
Py4J, which prints the error of a callback before it answers, would then never answer, and Spark would wait for it for
ever.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Droppable(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


@contextmanager
def unheard() -> Iterator[None]:
    """To write to `sys.stderr` never fails for want of a reader while the block runs."""
    before = sys.stderr
    try:
        raw = _Droppable(before.fileno(), "wb", closefd=False)
    except io.UnsupportedOperation:  # no file, so no pipe
        yield
        return
    sys.stderr = io.TextIOWrapper(io.BufferedWriter(raw), before.encoding, before.errors, line_buffering=True)
    try:
        yield
    finally:
        said, sys.stderr = sys.stderr, before
        said.flush()

"""Keeps a chapter free of what a child process says on standard error."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stderr_of_children() -> Iterator[None]:
    """Processes that start within the block write their standard error nowhere.

    Spark's JVM greets with a warning about a module of Java's that Spark itself asked for.
    """
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)

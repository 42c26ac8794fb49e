"""One stream at a time: a second one of the same namespace on this machine waits, and then says why it does not start.

The lock is the kernel's, on a file of the data folder: it goes with its process, by kill -9 too. On two machines it is
landing that keeps each event one row: of two streams on one checkpoint one fails at its next rename.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from questlog.errors import StreamError
from questlog.settings import Settings

PATIENCE = 30.0
"""Seconds for a stream that is ending, as one whose supervisor was killed."""


@contextmanager
def alone(settings: Settings, patience: float = PATIENCE) -> Iterator[None]:
    """Be the only stream of this namespace while the block runs.

    Raises:
        StreamError: another one still runs after `patience` seconds.
    """
    folder = settings.data_dir / "spark"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{settings.namespace}.lock")
    try:
        lock.acquire(timeout=patience)
    except Timeout as error:
        raise StreamError(
            f"another stream of namespace {settings.namespace} runs on this machine (it holds {lock.lock_file}): "
            "watch it with `questlog stream --follow`, or end it."
        ) from error
    try:
        yield
    finally:
        lock.release()

"""The data folder of a stack: marked as ours, held by one `up` or `down` at a time, deleted only when it is ours."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from questlog.errors import StackError
from questlog.settings import Settings

MARKER = ".questlog-stack"
OURS = {MARKER, "conf", "logs", "metrics", "run"}  # what may be there before a stack was


def claim(settings: Settings) -> None:
    """Make the data folder and mark it as ours.

    The mark holds HDFS's address, because tables in the metastore name their files by it.

    Raises:
        StackError: the folder has somebody else's files, or tables of a stack on another port.
    """
    folder = settings.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    marker = folder / MARKER
    if not marker.exists():
        foreign = sorted({entry.name for entry in folder.iterdir()} - OURS)
        if foreign:
            raise StackError(
                f"{folder} is not empty and not a stack's: it holds {foreign[0]!r}. Choose another QUESTLOG_DATA_DIR."
            )
        marker.write_text(settings.hdfs_url)
    known = marker.read_text()
    if known != settings.hdfs_url:
        raise StackError(
            f"{folder} holds the tables of a stack whose HDFS is {known}; this one's is {settings.hdfs_url}. "
            "Give each stack its own QUESTLOG_DATA_DIR, or delete the old one: questlog down --wipe."
        )


def wipe(settings: Settings) -> None:
    """Delete the data folder.

    Raises:
        StackError: it bears no mark of ours.
    """
    folder = settings.data_dir
    if is_ours(settings):
        shutil.rmtree(folder)
    elif folder.exists():
        raise StackError(f"{folder} is not deleted: it has no {MARKER}, so `questlog up` did not make it.")


def is_ours(settings: Settings) -> bool:
    """Whether the data folder is there, and marked."""
    return (settings.data_dir / MARKER).is_file()


@contextmanager
def held(settings: Settings, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the stack: another `up` or `down` of it waits, having said so by `on_wait`."""
    path = settings.data_dir / "run" / "lock"
    lock = _lock(path, on_wait)
    try:
        yield
    finally:
        lock.close()


def _lock(path: Path, on_wait: Callable[[], None]) -> IO[str]:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_still_there(path, lock):
            return lock
        lock.close()


def _is_still_there(path: Path, lock: IO[str]) -> bool:
    """Whether it is the lock that others see: a `down --wipe` may have deleted it while we waited."""
    return path.exists() and os.path.samestat(os.fstat(lock.fileno()), path.stat())

"""Scratch files of Spark and its Java: a folder for each process, so that what a killed one left can be told and goes.

A folder is used while its process holds the kernel's lock on a file in it; it goes with the process, by kill -9 too.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

LOCK = ".lock"


def claim(folder: Path) -> Path:
    """A new folder below `folder`, this process's until it ends; those of processes that have ended are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / LOCK):  # else another process might take ours for one that was left
        for other in filter(Path.is_dir, folder.iterdir()):
            _remove_if_left(other)
        own = Path(tempfile.mkdtemp(dir=folder))
        held = FileLock(own / LOCK)
        held.acquire()
    atexit.register(held.release)  # and so it is not collected before
    return own


def _remove_if_left(folder: Path) -> None:
    try:
        with FileLock(folder / LOCK, blocking=False):
            shutil.rmtree(folder, ignore_errors=True)  # its JVM may still be ending: what that writes goes next time
    except Timeout:
        pass

"""Damage to a checkpoint, as a disk, a restored backup or a mistaken copy does it; its stream has to stand still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from questlog.lake.hdfs import Hdfs
from questlog.settings import Settings

ASIDE = ".aside"


class Checkpoint:
    """The checkpoint of one namespace."""

    def __init__(self, settings: Settings) -> None:
        self._hdfs = Hdfs(settings)
        self._root = settings.checkpoint

    def delete_last_commit(self) -> str:
        """Delete the newest batch's commit; the file's path."""
        path = self._newest("commits")
        self._hdfs.delete(path)
        return path

    @contextmanager
    def truncated_offsets(self) -> Iterator[str]:
        """While the block runs, the newest offset file has only its first half; gives its path."""
        path = self._newest("offsets")
        whole = self._hdfs.read(path)
        half = whole[: len(whole) // 2]
        self._hdfs.write(path, half)
        try:
            yield path
        finally:
            # A stream that has mended it has planned the batch again, and landed other records under its number.
            if self._hdfs.exists(path) and self._hdfs.read(path) == half:
                self._hdfs.write(path, whole)

    @contextmanager
    def replaced_by(self, other: Settings) -> Iterator[str]:
        """While the block runs, another stream's checkpoint lies in its place; gives the path."""
        aside = f"{self._root}{ASIDE}"
        self._hdfs.rename_folder(self._root, aside)
        self._hdfs.rename_folder(other.checkpoint, self._root)
        try:
            yield self._root
        finally:
            self._hdfs.delete(self._root)
            self._hdfs.rename_folder(aside, self._root)

    def _newest(self, log: str) -> str:
        numbers = [int(entry.name) for entry in self._hdfs.entries(f"{self._root}/{log}") if entry.name.isdecimal()]
        return f"{self._root}/{log}/{max(numbers)}"

"""Damage to a checkpoint, as a disk, a restored backup or a mistaken copy does it; its stream has to stand still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from questlog.catalog import files, hdfs
from questlog.settings import Settings

ASIDE = ".aside"


class Checkpoint:
    """The checkpoint of one namespace."""

    def __init__(self, settings: Settings) -> None:
        self._hdfs = files.filesystem(settings)
        self._root = settings.checkpoint

    def delete_last_commit(self) -> str:
        """Forget that the newest batch was committed; the file's path."""
        path = self._newest("commits")
        self._hdfs.rm(path)
        return path

    @contextmanager
    def truncated_offsets(self) -> Iterator[str]:
        """While the block runs, the newest offset file has only its first half; gives its path."""
        path = self._newest("offsets")
        whole = self._hdfs.cat_file(path)
        half = whole[: len(whole) // 2]
        hdfs.write(self._hdfs, path, half)
        try:
            yield path
        finally:
            # A stream that has mended it has planned the batch anew, and landed other records under its number.
            if self._hdfs.exists(path) and self._hdfs.cat_file(path) == half:
                hdfs.write(self._hdfs, path, whole)

    @contextmanager
    def replaced_by(self, other: Settings) -> Iterator[str]:
        """While the block runs, another stream's checkpoint lies in its place; gives the path."""
        aside = f"{self._root}{ASIDE}"
        self._hdfs.mv(self._root, aside)
        self._hdfs.mv(other.checkpoint, self._root)
        try:
            yield self._root
        finally:
            self._hdfs.rm(self._root, recursive=True)
            self._hdfs.mv(aside, self._root)

    def _newest(self, log: str) -> str:
        names: list[Any] = self._hdfs.ls(f"{self._root}/{log}", detail=False)
        numbered = [name for name in names if name.rsplit("/", 1)[1].isdecimal()]
        return str(max(numbered, key=lambda name: int(name.rsplit("/", 1)[1])))

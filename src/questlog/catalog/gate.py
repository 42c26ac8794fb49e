"""The gate: while files are being moved in by the stream, no folder of theirs is exchanged for another, and vice versa.

The stream moves files by renames *out of* one folder, ``<staging>/open-<n>``. Whoever exchanges folders renames that
one first: to ``held-<n+1>-<swap>``, and back to ``open-<n+2>`` when done. A rename is atomic and its source must be
there, so no file moves in meanwhile, nor afterwards to where somebody believed the tables to be before: a stream that
still goes by the old number finds nothing, looks anew at the number, then at the metastore, and goes on. There is
nothing to ask first and nothing to give back, so nobody can be late with either.

A holder may die. Its swap is written down (`questlog.catalog.swap`), each of its steps may be done twice, and whoever
waits longer than `PATIENCE` does them in its place; if the holder only was slow, both do the same.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from fsspec.implementations.webhdfs import WebHDFS

from questlog.catalog import hdfs
from questlog.catalog.files import inside, make_folders
from questlog.settings import Settings

DOOR = re.compile(r"(?:open|held)-(\d+)(?:-([0-9a-f]+))?")
PATIENCE = 5.0
"""Seconds after which another's swap is finished in its place; it takes far less than one."""
PAUSE = 0.02


@dataclass(frozen=True)
class Door:
    """The folder as it is called now; `swap` names what holds it, and is empty when it is open."""

    path: str
    number: int
    swap: str = ""


class Gate:
    """The gate of one namespace.

    Raises:
        CatalogError: from every method, when HDFS refuses or is not reachable.
    """

    def __init__(self, files: WebHDFS, settings: Settings) -> None:
        self._files, self._folder = files, settings.staging

    def look(self) -> Door:
        """How it stands; the folder is made when there is none yet."""
        while not (doors := self._doors()):
            make_folders(self._files, [f"{self._folder}/open-0"])
        # More than one there is only when two made the first: whoever looks takes the same.
        return max(doors, key=lambda door: door.number)

    def opened(self, finish: Callable[[str], None]) -> Door:
        """Wait until it is open; `finish` does what is left of the swap of a holder that takes too long."""
        seen, since = None, time.monotonic()
        while (door := self.look()).swap:
            if door != seen:
                seen, since = door, time.monotonic()
            elif time.monotonic() - since > PATIENCE:
                finish(door.swap)
                self.open(door)
            time.sleep(PAUSE)
        return door

    def hold(self, swap: str, finish: Callable[[str], None]) -> Door:
        """Close it, once it is open."""
        while True:
            door = self.opened(finish)
            held = Door(f"{self._folder}/held-{door.number + 1}-{swap}", door.number + 1, swap)
            if hdfs.rename(self._files, door.path, held.path):
                return held

    def open(self, held: Door) -> None:
        """Open it again, unless somebody else has done so."""
        hdfs.rename(self._files, held.path, f"{self._folder}/open-{held.number + 1}")

    def _doors(self) -> list[Door]:
        names = [(entry["name"], DOOR.fullmatch(entry["pathSuffix"])) for entry in inside(self._files, self._folder)]
        return [Door(path, int(match[1]), match[2] or "") for path, match in names if match]

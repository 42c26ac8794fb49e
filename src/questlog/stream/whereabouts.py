"""Whereabouts: what a stream has to know before it moves a file, and what may have changed when a move fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Whereabouts:
    """`open` is the folder that sealed batches are moved out of, until somebody gives it another name.

    `moved` tells where the folders of tables lie that were exchanged, by the folder in which they began.
    """

    open: str
    moved: Mapping[str, str] = field(default_factory=dict)

    def place(self, folder: str) -> str:
        """Where a folder of a table lies now."""
        return self.moved.get(folder, folder)

    def places(self, folder: str, began: Iterable[str]) -> list[str]:
        """Where the partitions of a table lie now; `folder` is the table's own, `began` what is still below it."""
        elsewhere = {place for home, place in self.moved.items() if home.startswith(f"{folder}/")}
        return sorted(elsewhere | {*began} - {*self.moved})


AskWhereabouts = Callable[[], Whereabouts]
"""Gives them as they are now; waits while folders are being exchanged."""

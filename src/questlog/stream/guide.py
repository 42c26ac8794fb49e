"""Guide: leads whoever moves files by the whereabouts, and asks for them anew when folders were exchanged meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from questlog.stream.files import Files, Gone
from questlog.stream.whereabouts import AskWhereabouts, Whereabouts

Result = TypeVar("Result")


class Guide:
    """The whereabouts of one stream, `known` once they were asked for; threads may share it."""

    def __init__(self, files: Files, whereabouts: AskWhereabouts) -> None:
        self._files, self._whereabouts = files, whereabouts
        self.known: Whereabouts | None = None

    def lead(self, step: Callable[[Whereabouts], Result]) -> Result:
        """Do a step, and again by new whereabouts if it found something gone because the open folder has another name.

        Raises:
            Gone: the step did, and the folder has the name that it had.
        """
        while True:
            here = self.known = self.known or self._whereabouts()
            try:
                return step(here)
            except Gone:
                if self._files.exists(here.open):
                    raise
            if self.known is here:
                self.known = None

    def refuse_if_exchanged(self, here: Whereabouts) -> None:
        """For the end of a step that looked into the open folder: one that is not there holds nothing.

        Raises:
            Gone: it is not there.
        """
        if not self._files.exists(here.open):
            raise Gone(f"{here.open} has another name now")

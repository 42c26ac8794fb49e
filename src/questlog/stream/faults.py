"""Fault points: where a test has a process killed, as by kill -9, to see what the next makes of what is left.

They are off unless `Settings.fault_point` names one, as ``sealed`` or, for one micro-batch alone, ``sealed:3``; or a
file, as ``@PATH``: while the stream runs, a point can be written into it, and is taken out again at the kill.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from questlog.errors import SettingsError

POINTS = {
    "begun": "Spark has written the batch to its offset log, nothing else is done",
    "staging": "events are written aside, dead letters and account are not",
    "staged": "all is written aside, the folder is not sealed",
    "sealed": "the folder is sealed, no file has moved",
    "moving": "the first file has moved",
    "moved": "all files have moved, no partition is announced",
    "announced": "partitions are announced, the account is not in its table",
    "closed": "the account is in its table, Spark has not committed the batch",
}
"""Each point, and what is there when the stream dies at it; in the order in which a batch passes them."""
IN_A_FILE = "@"

COMPACTION_POINTS = {
    "compact_merged": "new files are written aside with the plan, nothing is held",
    "compact_held": "the gate is held, nothing else is done",
    "compact_copied": "the new folders hold all rows, the metastore names the old ones",
    "compact_half": "table events lies in the new folders, the types' own tables in the old",
    "compact_swapped": "all tables lie in the new folders, the gate is held",
    "compact_opened": "the gate is open, the plan is still there",
    "compact_sweeping": "the first of the old folders is deleted",
}
"""The same for a compaction (`questlog compact`)."""
ALL_POINTS = {**POINTS, **COMPACTION_POINTS}


@dataclass(frozen=True)
class Faults:
    """Kills this process at one point.

    Raises:
        SettingsError: the setting names no point.
    """

    setting: str = ""

    def __post_init__(self) -> None:
        if self.setting.startswith(IN_A_FILE):
            return
        point, _, batch = self.setting.partition(":")
        if self.setting and (point not in ALL_POINTS or not (batch.isdecimal() or self.setting == point)):
            raise SettingsError(
                f"fault_point is {self.setting!r}: one of {', '.join(ALL_POINTS)} is allowed; :N behind it for batch N"
            )

    def pass_by(self, point: str, batch: int = 0) -> None:
        """Die here, if the setting says so."""
        if self.setting.startswith(IN_A_FILE):
            self._pass_by_file(Path(self.setting.removeprefix(IN_A_FILE)), point)
        elif self.setting in (point, f"{point}:{batch}"):
            os.kill(os.getpid(), signal.SIGKILL)

    def _pass_by_file(self, armed: Path, point: str) -> None:
        with suppress(FileNotFoundError):
            if armed.read_text() == point:
                armed.unlink()  # else the next run would die at it again
                os.kill(os.getpid(), signal.SIGKILL)

"""Fault points: where a test has a process killed, as by kill -9, to see what the next makes of what is left.

They are off unless `Settings.fault_point` names one, as ``prepared`` or, for one micro-batch alone, ``prepared:3``. It
may also name a file, as ``@PATH``: while the stream runs, a point can be written into it, and is taken out at the kill.
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
    "staging": "events are written to staging, dead letters and audit are not",
    "written": "all is written to staging, nothing is prepared",
    "prepared": "the batch is prepared, nothing is published",
    "publishing": "the first file is published",
    "published": "all files are published, new partitions are not added",
    "added": "partitions are added, the audit is not in its table",
    "committed": "the audit is in its table, Spark has not committed the batch",
}
"""Each point, and what is there when the stream dies at it; in the order in which a batch passes them."""
IN_A_FILE = "@"

COMPACTION_POINTS = {
    "compact_merged": "merged files are written to staging, what arrived since is not copied",
    "compact_copied": "all rows of the partitions are in staging",
    "compact_prepared": "the new versions are prepared, none is in its place",
    "compact_placed": "the new versions are in place, the metastore names the old ones",
    "compact_switched": "the first table's locations are switched",
    "compact_sweeping": "the first of the old folders is deleted",
}
"""The same for a compaction or a replay."""
ALL_POINTS = {**POINTS, **COMPACTION_POINTS}


@dataclass(frozen=True)
class Faults:
    """An observer that kills this process at one point.

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

    def __call__(self, point: str, batch: int = 0) -> None:
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

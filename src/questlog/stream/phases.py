"""Where a micro-batch's time goes: the points that it passes anyway, with the time at which it passed each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from questlog.events.schema import PHASES
from questlog.stream.faults import Faults

JUDGED, DONE = "judged", "done"
LANDING = {
    "judge": ("begun", JUDGED),
    "write": (JUDGED, "staged"),
    "seal": ("staged", "sealed"),
    "rename": ("sealed", "moved"),
    "announce": ("moved", "announced"),
    "close": ("announced", DONE),
}
"""The phases of landing, each with the points between which it lies."""
SPARK = {
    "offset_log": ("latestOffset", "walCommit"),
    "plan": ("queryPlanning", "getBatch"),
    "commit": ("commitOffsets",),
}
"""The phases of Spark's own, each with what Spark calls its parts."""


@dataclass(frozen=True)
class Timed(Faults):
    """As `Faults`; remembers when the running micro-batch passed each point."""

    clock: Callable[[], float] = time.monotonic
    _passed: dict[str, float] = field(default_factory=dict)

    def pass_by(self, point: str, batch: int = 0) -> None:
        """Note the time, then die here if the setting says so."""
        if point == "begun":
            self._passed.clear()
        self.mark(point)
        super().pass_by(point, batch)

    def mark(self, point: str) -> None:
        """Note the time of a point at which nothing is killed."""
        self._passed[point] = self.clock()

    def seconds(self) -> dict[str, float]:
        """The seconds of each phase of landing; one that was not passed through, as in a batch that ran again, is 0."""
        passed = self._passed
        return {
            phase: passed[end] - passed[begin] if {begin, end} <= passed.keys() else 0.0
            for phase, (begin, end) in LANDING.items()
        }


def all_seconds(durations: Mapping[str, int], landing: Mapping[str, float]) -> dict[str, float]:
    """The seconds of all `PHASES` and of the whole batch (``total``), from Spark's milliseconds and those of landing.

    What passes between Spark's call and landing belongs to planning.
    """
    spark = {phase: sum(durations.get(part, 0) for part in parts) / 1000 for phase, parts in SPARK.items()}
    spark["plan"] += max(durations.get("addBatch", 0) / 1000 - sum(landing.values()), 0.0)
    known = {**spark, **landing}
    return {**{phase: known[phase] for phase in PHASES}, "total": durations.get("triggerExecution", 0) / 1000}

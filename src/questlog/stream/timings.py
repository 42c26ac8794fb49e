"""Batch metrics: where a micro-batch's time goes, from the points that the sink and the writer tell their observers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from questlog.events.schema import PHASES

BEGUN, VALIDATED, WRITTEN, PREPARED, ADDED, COMMITTED = (
    "begun",
    "validated",
    "written",
    "prepared",
    "added",
    "committed",
)
SINK = {
    "validate": (BEGUN, VALIDATED),
    "write": (VALIDATED, WRITTEN),
    "prepare": (WRITTEN, PREPARED),
    "publish": (PREPARED, ADDED),
    "commit": (ADDED, COMMITTED),
}
"""The phases of the sink, each with the points between which it lies."""
SPARK = {
    "offset_log": ("latestOffset", "walCommit"),
    "plan": ("queryPlanning", "getBatch"),
    "checkpoint": ("commitOffsets",),
}
"""The phases of Spark's own, each with what Spark calls its parts."""


class Timings:
    """An observer that remembers when the running micro-batch passed each point."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._passed: dict[str, float] = {}

    def __call__(self, point: str, batch: int) -> None:
        """Note the time."""
        if point == BEGUN:
            self._passed.clear()
        self._passed[point] = self._clock()

    def seconds(self) -> dict[str, float]:
        """The seconds of each phase of the sink; one that the batch did not pass through is 0."""
        passed = self._passed
        return {
            phase: passed[end] - passed[begin] if {begin, end} <= passed.keys() else 0.0
            for phase, (begin, end) in SINK.items()
        }


def all_seconds(durations: Mapping[str, int], sink: Mapping[str, float]) -> dict[str, float]:
    """The seconds of all `PHASES` and of the whole batch (``total``), from Spark's milliseconds and those of the sink.

    What passes between Spark's call and the sink belongs to planning.
    """
    spark = {phase: sum(durations.get(part, 0) for part in parts) / 1000 for phase, parts in SPARK.items()}
    spark["plan"] += max(durations.get("addBatch", 0) / 1000 - sum(sink.values()), 0.0)
    known = {**spark, **sink}
    return {**{phase: known[phase] for phase in PHASES}, "total": durations.get("triggerExecution", 0) / 1000}

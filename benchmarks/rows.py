"""What is compared with what, and how much better ours has to be."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from benchmarks.sides import Reading

Readings = Mapping[str, Sequence[Reading]]

SINGLE, MANY, SEND, FLUSH = "single", "many", "send", "flush"
THREADS, BULK, EACH = "threads", "bulk", "each"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One comparison of two sides; `goal` is by how many times ours is to be better.

    `figure` is a field of `Reading`: of ``rate`` more is better and the worst is the least, of ``p99`` less is better.
    """

    what: str
    ours: str
    reference: str
    goal: float
    figure: str = "rate"

    def values(self, readings: Readings, side: str) -> list[float]:
        """One of each round, worst first."""
        values = [getattr(reading, self.figure) for reading in readings[side]]
        return sorted(values, reverse=self.figure == "p99")

    def ratio(self, readings: Readings) -> float:
        """By how many times our median is the better one."""
        ours, theirs = (statistics.median(self.values(readings, side)) for side in (self.ours, self.reference))
        return theirs / ours if self.figure == "p99" else ours / theirs


ROWS = (
    Row(what="one event a request, events/s; reference does not wait", ours=SINGLE, reference=SEND, goal=4),
    Row(what="one event a request, events/s; reference flushes", ours=SINGLE, reference=FLUSH, goal=8),
    Row(what="the same, 99th percentile, ms", ours=SINGLE, reference=FLUSH, goal=4, figure="p99"),
    Row(what="100 events a request, events/s; reference does not wait", ours=MANY, reference=SEND, goal=100),
    Row(what="publisher, 64 threads, events/s; reference flushes", ours=THREADS, reference=EACH, goal=5),
    Row(what="publisher, 1000 records a call, events/s; reference flushes", ours=BULK, reference=EACH, goal=50),
)


def table(readings: Readings) -> Table:
    """Every row, with the medians and the worst of both sides."""
    shown = Table("what", "ours", "worst", "reference", "worst", "times", "goal", "")
    for row in ROWS:
        sides = [row.values(readings, side) for side in (row.ours, row.reference)]
        figures = [f"{figure:,.0f}" for values in sides for figure in (statistics.median(values), values[0])]
        ratio = row.ratio(readings)
        shown.add_row(row.what, *figures, f"{ratio:.1f}", f"{row.goal:g}", _verdict(row, readings, ratio))
    return shown


def _verdict(row: Row, readings: Readings, ratio: float) -> str:
    """Reached or not; a side that had errors is named, whatever its figures say."""
    errors = {side: sum(reading.errors for reading in readings[side]) for side in (row.ours, row.reference)}
    if any(errors.values()):
        return ", ".join(f"{side}: {count:,} not accepted" for side, count in errors.items() if count)
    return "reached" if ratio >= row.goal else "not reached"

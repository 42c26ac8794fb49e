"""The finding about the hours of the day."""

from __future__ import annotations

import pandas as pd

from questlog.report.evidence import Share, percent, stands_out, sureness
from questlog.report.findings.finding import Finding, absent

HOURS = 24
QUIET_HOURS = 3
WORTH_SAYING = 1.3
"""Times the mean hour: a peak that is lower asks for nothing, however sure it is."""


def hours_of_day(frame: pd.DataFrame) -> Finding:
    """When the game is busiest, and its quietest hours in a row.

    Args:
        frame: `hour` (0 to 23, UTC), `events`, `players` (counts).
    """
    events = by_hour(frame)
    total, peak = sum(events), events.index(max(events))
    if not total:
        return absent("the hours of the day", "no events")
    times = events[peak] * HOURS / total
    players = by_hour(frame, "players")
    if times < WORTH_SAYING or not stands_out(players[peak], players):
        return _even(peak, times, total)
    start, quiet = quietest(events)
    window = f"{start:02d}:00 to {(start + QUIET_HOURS) % HOURS:02d}:00 UTC"
    return Finding(
        title=f"Play peaks at {peak:02d}:00 UTC, with {times:.1f} times the mean hour's events",
        sentence=f"The quietest {QUIET_HOURS} hours in a row, {window}, hold {percent(quiet.value)} of all events.",
        figure=f"{times:.1f} times the mean at {peak:02d}:00 UTC",
        action=f"Do maintenance from {window}, and size the servers for more than {times:.1f} times the mean load",
        reason="so few are disturbed, and the busiest hour is served",
        confidence=sureness(total, "events"),
    )


def by_hour(frame: pd.DataFrame, counted: str = "events") -> list[int]:
    """Events, or players, of each of the 24 hours."""
    return [int(count) for count in frame.set_index("hour")[counted].reindex(range(HOURS), fill_value=0)]


def quietest(events: list[int]) -> tuple[int, Share]:
    """The hour at which the quietest hours in a row begin, also across midnight, and their share of the events."""
    windows = [sum((events * 2)[start : start + QUIET_HOURS]) for start in range(HOURS)]
    start = windows.index(min(windows))
    return start, Share(windows[start], sum(events))


def _even(peak: int, times: float, total: int) -> Finding:
    return Finding(
        title="No hour of the day clearly stands out",
        sentence=f"The hour from {peak:02d}:00 UTC has {times:.1f} times the mean hour's events, of {total:,} in all.",
        figure=f"{times:.1f} times the mean hour",
        action="Choose hours for maintenance by other reasons",
        reason="these numbers give none",
        confidence=sureness(total, "events", differ=False),
    )

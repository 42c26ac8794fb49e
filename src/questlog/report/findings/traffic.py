"""The finding about the kinds of event."""

from __future__ import annotations

import pandas as pd

from questlog.events import CATALOGUE, Catalogue
from questlog.report.evidence import Share, counted, percent, sureness
from questlog.report.findings.finding import Finding, absent


def events_by_type(frame: pd.DataFrame, catalogue: Catalogue = CATALOGUE) -> Finding:
    """Which kind of event is the most frequent, and which of the catalogue are missing.

    Args:
        frame: `event_type`, `events`, `players` (counts), `first_day`, `last_day` (datetime).
        catalogue: the event types that could be there.
    """
    total = int(frame["events"].sum())
    if not total:
        return absent("what players do", "no events")
    top = frame.sort_values(["events", "event_type"], ascending=[False, True]).iloc[0]
    name, share = title_of(top["event_type"], catalogue), Share(int(top["events"]), total)
    action, reason = _missing([known for known in catalogue.names if known not in set(frame["event_type"])])
    return Finding(
        title=f"'{name}' is the most frequent event: {percent(share.value)} of {total:,} events",
        sentence=f"Events of {len(frame)} types were seen, of {len(catalogue.names)} in the catalogue.",
        figure=f"{total:,} events",
        action=action,
        reason=reason,
        confidence=sureness(total, "events"),
    )


def _missing(names: list[str]) -> tuple[str, str]:
    if not names:
        return "Nothing to mend", "every event type of the catalogue arrives"
    return "Check the clients", f"no event of {counted(len(names), 'type')} arrived, {', '.join(names)}"


def title_of(event_type: str, catalogue: Catalogue = CATALOGUE) -> str:
    """The event type's title in the catalogue; its name when it is not there."""
    return catalogue[event_type].title if event_type in catalogue else event_type

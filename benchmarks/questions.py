"""Ten questions of an analyst, as SQL or by the name of a query of the library, and answers that can be compared."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from questlog.query import library

Row = tuple[Any, ...]

COUNT = "SELECT count(*) FROM events"
DAY, PLAYER = "SELECT min(event_date) + INTERVAL 14 DAY FROM events", "SELECT min(user_id) FROM start_quest"
"""What the questions ask about, as DuckDB finds it: a day, and a player who set out for a quest."""
QUESTIONS = {
    "count of events": COUNT,
    "events by type": "events_by_type",
    "one day's events": (
        "SELECT event_type, count(*) FROM events WHERE event_date = DATE '{day}' GROUP BY event_type ORDER BY 1"
    ),
    "one player's events": (
        "SELECT event_time, event_type FROM events WHERE user_id = '{player}' ORDER BY event_time, event_type"
    ),
    "swords by item": ("SELECT item, count(*), sum(price), max(price) FROM purchase_sword GROUP BY item ORDER BY item"),
    "quests by difficulty": "quests_by_difficulty",
    "revenue by day": "revenue_by_day",
    "funnel": "funnel",
    "players by day": "players_by_day",
    "retention by cohort": "retention_by_cohort",
}
DIGITS = 9
"""Significant ones that are compared: engines add up floats in different orders."""


def filled(day: date, player: str) -> dict[str, str]:
    """Every question with its day and its player."""
    return {name: sql.format(day=f"{day:%Y-%m-%d}", player=player) for name, sql in QUESTIONS.items()}


def text(question: str) -> str:
    """The SQL of a question."""
    return library.text(question) if question in library.names() else question


def comparable(rows: Iterable[Row]) -> list[Row]:
    """The rows with the same Python values, whichever engine and client they come from."""
    return [tuple(_comparable(value) for value in row) for row in rows]


def _comparable(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value  # of numpy
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(" ").removesuffix(" 00:00:00")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.{DIGITS}g}")
    return value

"""The charts: one function a named query, frame in, figure out; the title is the finding that the frame supports."""

from questlog.report.figures.game import guilds, quests
from questlog.report.figures.loyalty import retention_by_cohort, revenue_by_segment, staying_away
from questlog.report.figures.players import (
    funnel,
    hours_of_day,
    players_by_day,
    players_returning,
    purchase_funnel,
)
from questlog.report.figures.shop import revenue_by_day, sales_by_item, top_spenders
from questlog.report.figures.traffic import dead_letters_by_reason, events_by_type

__all__ = [
    "dead_letters_by_reason",
    "events_by_type",
    "funnel",
    "guilds",
    "hours_of_day",
    "players_by_day",
    "players_returning",
    "purchase_funnel",
    "quests",
    "retention_by_cohort",
    "revenue_by_day",
    "revenue_by_segment",
    "sales_by_item",
    "staying_away",
    "top_spenders",
]

"""What the numbers say: one pure function for each named query that asks something of the business.

Each takes the query's frame and gives a `Finding` that is true of that frame, whatever is in it: nothing is presumed,
a finding that is not there is reported as not there, and a small sample is called one.
"""

from questlog.report.findings.account import dead_letters_by_reason, ledger, refused
from questlog.report.findings.changes import campaign, joining, price_change
from questlog.report.findings.finding import Finding, absent, headlines, markdown, plain
from questlog.report.findings.game import guilds, quests
from questlog.report.findings.hours import hours_of_day
from questlog.report.findings.loyalty import bots, retention_by_cohort, revenue_by_segment, staying_away
from questlog.report.findings.players import funnel, players_by_day, players_returning, purchase_funnel
from questlog.report.findings.shop import revenue_by_day, sales_by_item, top_spenders
from questlog.report.findings.traffic import events_by_type

__all__ = [
    "Finding",
    "absent",
    "bots",
    "campaign",
    "dead_letters_by_reason",
    "events_by_type",
    "funnel",
    "guilds",
    "headlines",
    "hours_of_day",
    "joining",
    "ledger",
    "markdown",
    "plain",
    "players_by_day",
    "players_returning",
    "price_change",
    "purchase_funnel",
    "quests",
    "refused",
    "retention_by_cohort",
    "revenue_by_day",
    "revenue_by_segment",
    "sales_by_item",
    "staying_away",
    "top_spenders",
]

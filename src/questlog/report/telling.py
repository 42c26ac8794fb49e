"""All findings of the report at once, from the answers to its queries."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from questlog.report import findings
from questlog.report.findings import Finding
from questlog.report.recovery import KnownDays

OF_ONE_QUERY = (
    "players_by_day",
    "retention_by_cohort",
    "purchase_funnel",
    "staying_away",
    "revenue_by_segment",
    "dead_letters_by_reason",
    "bots",
)
"""The findings that are named after the one query that they come from."""
QUERIES = (*OF_ONE_QUERY, "prices_by_day", "first_purchases", "new_players_joining", "returning_by_joining")
"""The named queries whose answers `tell` takes."""


def tell(answers: Mapping[str, pd.DataFrame], known: KnownDays) -> dict[str, Finding]:
    """The findings by name: those of `OF_ONE_QUERY`, `price_change`, `campaign` and `joining`.

    Args:
        answers: frames by the name of their query.
        known: the days of the price change and of the campaign.
    """
    found: dict[str, Finding] = {name: getattr(findings, name)(answers[name]) for name in OF_ONE_QUERY}
    prices, first = answers["prices_by_day"], answers["first_purchases"]
    found["price_change"] = findings.price_change(prices, first, known.price)
    found["campaign"] = findings.campaign(answers["new_players_joining"], known.campaign)
    found["joining"] = findings.joining(answers["returning_by_joining"], known.campaign)
    return found

"""What was planted in a simulated world, found again: estimates beside the truth, and the sentence about them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import pandas as pd

from questlog.report import estimates
from questlog.report.estimates import Estimate
from questlog.report.findings.finding import Finding

QUERIES = (
    "first_week",
    "prices_by_day",
    "first_purchases",
    "page_interests",
    "new_players_joining",
    "staying_away",
    "bots",
)
"""The named queries whose answers `compare` takes."""
CHURN_ITEM = ("potion", "haste")
"""Kind and name of the item that is suspected of driving players away."""
UNCLEAR = "too few data"
VERDICTS = {
    (True, True): "planted, and found",
    (True, False): "planted, not found",
    (False, False): "not planted, not found",
    (False, True): "found, though not planted",
}


class KnownDays(NamedTuple):
    """What the company knows: the first day of the new prices, the first and the last day of the guild campaign."""

    price: date
    campaign: tuple[date, date]


def compare(planted: pd.DataFrame, answers: Mapping[str, pd.DataFrame], known: KnownDays) -> pd.DataFrame:
    """What was planted beside what the answers to `QUERIES` show.

    Args:
        planted: `measure`, `meaning`, `truth`, `without` (the value where nothing is planted), a row a quantity.
        answers: frames by the name of their query.
        known: the days of the price change and of the campaign.

    Returns:
        `measured` (what), `truth`, `estimate`, `low`, `high` (all as `measured` says: a factor or a share),
        `within` (whether the truth lies in the interval) and `verdict` (one of `VERDICTS`, or `UNCLEAR`).
    """
    found = _estimates(answers, known)
    columns = (planted[name].tolist() for name in ("measure", "meaning", "truth", "without"))
    rows = [
        (meaning, truth, *found[measure], *_judge(truth, without, found[measure]))
        for measure, meaning, truth, without in zip(*columns, strict=True)
    ]
    return pd.DataFrame(rows, columns=["measured", "truth", "estimate", "low", "high", "within", "verdict"])


def summary(compared: pd.DataFrame) -> Finding:
    """How many of the planted quantities were found again, in words that hold for any outcome.

    Args:
        compared: of `compare`.
    """
    told = compared[compared["verdict"] != UNCLEAR]
    planted = compared[compared["verdict"].str.startswith("planted")]
    found = int((planted["verdict"] == VERDICTS[True, True]).sum())
    wrong = int((compared["verdict"] == VERDICTS[False, True]).sum())
    within = int(told["within"].sum())
    unclear = len(compared) - len(told)
    return Finding(
        title=_title(found, len(planted), wrong) if len(told) else "Too few data to find anything again",
        sentence=f"Of {len(told)} quantities that could be estimated, {within} have the truth in their interval; "
        f"{unclear} could not be estimated from so few data.",
        figure=f"{within} of {len(told)} intervals hold the truth",
        recommendation=_trust(within, len(told), unclear),
        confidence="The intervals are made so that all of them hold in 95 of 100 such worlds.",
    )


def shown(compared: pd.DataFrame) -> pd.DataFrame:
    """The comparison as text for people, two decimals: what, planted, estimate, from, to, verdict."""
    numbers = {
        heading: compared[name].map(lambda value: "-" if pd.isna(value) else f"{value:.2f}")
        for heading, name in (("planted", "truth"), ("estimate", "estimate"), ("from", "low"), ("to", "high"))
    }
    return pd.DataFrame({"measured": compared["measured"], **numbers, "verdict": compared["verdict"]})


def _estimates(answers: Mapping[str, pd.DataFrame], known: KnownDays) -> dict[str, Estimate]:
    price, sale = estimates.price_factors(answers["prices_by_day"], known.price)
    return {
        "weekend": estimates.weekend(answers["first_week"]),
        "sale": sale,
        "interest": estimates.interest(answers["page_interests"]),
        "lapsing": estimates.lapsing(answers["first_week"]),
        "price": price,
        "demand": estimates.demand(answers["first_purchases"], known.price),
        "campaign": estimates.campaign(answers["new_players_joining"], *known.campaign),
        "churn": estimates.churn(answers["staying_away"], *CHURN_ITEM),
        "bots": estimates.bots(answers["bots"]),
    }


def _judge(truth: float, without: float, found: Estimate) -> tuple[bool, str]:
    if pd.isna(found.value):
        return False, UNCLEAR
    differs = not found.low <= without <= found.high
    return found.low <= truth <= found.high, VERDICTS[truth != without, differs]


def _title(found: int, planted: int, wrong: int) -> str:
    if not planted and not wrong:
        return "Nothing was planted that could be estimated, and nothing was found"
    also = f"; {wrong} found that {'was' if wrong == 1 else 'were'} not planted" if wrong else ""
    return f"{found} of {planted} quantities that were planted were found again{also}"


def _trust(within: int, told: int, unclear: int) -> str:
    if within < told:
        return f"Take the methods with care: {told - within} of {told} intervals miss the truth."
    if unclear:
        return f"Simulate more players: {unclear} quantities need more data."
    return "Use the same queries and methods on real data: where the truth is known, they find it."

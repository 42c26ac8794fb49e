"""What was planted in a simulated world, found again: estimates beside the truth, and the sentence about them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import pandas as pd

from questlog.report import estimates
from questlog.report.estimates import Estimate
from questlog.report.evidence import SURE, counted, often
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
UNCLEAR = "not measured: too few data"
VERDICTS = {
    (True, True): "planted, and found",
    (True, False): "not found: too few data",
    (False, False): "not planted, not found",
    (False, True): "found, though not planted",
}
"""By whether it was planted, and whether the interval says that there is something."""


UNBROKEN = "\N{NO-BREAK SPACE}"


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
        `without`, `planted` (whether the two differ), `within` (whether the truth lies in the interval) and `verdict`
        (one of `VERDICTS`, or `UNCLEAR`).
    """
    found = _estimates(answers, known)
    columns = (planted[name].tolist() for name in ("measure", "meaning", "truth", "without"))
    rows = [
        (meaning, truth, *found[measure], without, truth != without, *_judge(truth, without, found[measure]))
        for measure, meaning, truth, without in zip(*columns, strict=True)
    ]
    names = ["measured", "truth", "estimate", "low", "high", "without", "planted", "within", "verdict"]
    return pd.DataFrame(rows, columns=names)


def summary(compared: pd.DataFrame) -> Finding:
    """How many of the planted quantities were found again, in words that hold for any outcome.

    Args:
        compared: of `compare`.
    """
    told = compared[compared["verdict"] != UNCLEAR]
    within, unclear = int(told["within"].sum()), len(compared) - len(told)
    action, reason = _trust(compared, len(told) - within)
    open_ = f"; {unclear} could not be estimated from so few data" if unclear else ""
    return Finding(
        title=_title(compared) if len(told) else "Too few data to find anything again",
        sentence=f"Of {counted(len(told), 'quantity', 'quantities')} that could be estimated, {within} "
        f"{'has' if within == 1 else 'have'} the truth in the interval{open_}.",
        figure=f"{within} of {counted(len(told), 'interval')} hold the truth",
        action=action,
        reason=reason,
        confidence=f"The intervals are made so that all of them hold {often(SURE, 'such worlds')}, and each of them "
        f"{often(estimates.LEVEL, 'such worlds')}.",
    )


def shown(compared: pd.DataFrame) -> pd.DataFrame:
    """The comparison as text for people: what was measured, the truth, the estimate with its interval, the verdict.

    Args:
        compared: of `compare`.
    """
    numbers = zip(*(compared[name].tolist() for name in ("estimate", "low", "high")), strict=True)
    texts = ["-" if math.isnan(one) else f"{one:.2f} ({low:.2f} to {high:.2f})" for one, low, high in numbers]
    texts = [text.replace(" ", UNBROKEN) for text in texts]
    truth = compared["truth"].map("{:.2f}".format)
    return compared[["measured"]].assign(truth=truth, estimate=texts, verdict=compared["verdict"])


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


def _title(compared: pd.DataFrame) -> str:
    planted = int(compared["planted"].sum())
    found, wrong = (int((compared["verdict"] == VERDICTS[real, True]).sum()) for real in (True, False))
    if not planted:
        return f"Nothing was planted, and {f'{wrong} found all the same' if wrong else 'nothing was found'}"
    open_ = "" if found == planted else f", {planted - found} not: too few data"
    also = f"; {wrong} found that {'was' if wrong == 1 else 'were'} not planted" if wrong else ""
    was = "quantity that was planted was" if planted == 1 else "quantities that were planted were"
    return f"{found} of {planted} {was} found again{open_}{also}"


def _trust(compared: pd.DataFrame, missed: int) -> tuple[str, str]:
    verdicts = compared["verdict"]
    few = int(verdicts.isin([UNCLEAR, VERDICTS[True, False]]).sum())
    if missed:
        told, miss = counted(int((verdicts != UNCLEAR).sum()), "interval"), "misses" if missed == 1 else "miss"
        return (
            "Take the methods with care, and find out whether it is chance",
            f"{missed} of {told} {miss} the truth; a miss that comes again with other seeds is no chance, and may need "
            "more events for each player",
        )
    if few:
        return f"Claim nothing about {few} of them, and simulate more players or events", "these are too few to tell"
    return "Use the same queries and methods on real data", "where the truth is known, they tell it"

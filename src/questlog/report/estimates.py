"""Estimates of planted quantities, each from the answer to one named query, with its interval.

The intervals hold together: all `QUANTITIES` of them in 95 of 100 worlds (Bonferroni), so each is somewhat wider than
one alone would be. Each quantity was chosen so that it can be estimated without knowing how the players were
simulated: what else differs between the groups that are compared is alike in both by construction of the comparison,
and the docstring says why.
"""

from __future__ import annotations

import math
import warnings
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize, stats
from statsmodels.regression.linear_model import WLS
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.tools.numdiff import approx_hess

from questlog.report.evidence import SURE, Share

QUANTITIES = 9
ALPHA = (1 - SURE) / QUANTITIES
LEVEL = 1 - ALPHA
"""How often one of so many intervals holds the truth: 0.994."""
Z = float(stats.norm.ppf(1 - ALPHA / 2))
"""Quantile of the normal distribution for one of so many intervals: 2.77."""
SATURDAY = 5
WORKDAYS, WEEKEND_DAYS = 5, 2
WEEK = WORKDAYS + WEEKEND_DAYS
FEWEST_POINTS = 4


class Estimate(NamedTuple):
    """A value with its interval; all three are nan where the data cannot tell."""

    value: float
    low: float
    high: float


UNKNOWN = Estimate(math.nan, math.nan, math.nan)


def weekend(frame: pd.DataFrame) -> Estimate:
    """How many times more players come on a day of a weekend than on a workday.

    Args:
        frame: of `first_week`. Each player's week after the first day has five workdays and the two days of a weekend,
            and those who are seen after it did not lapse in it.
    """
    stayed = frame[frame["stayed"].astype(bool)]
    off, work = ((stayed[days] * stayed["players"]).sum() for days in ("weekend_days", "workdays"))
    if not off or not work:
        return UNKNOWN
    return _factor(math.log((off / WEEKEND_DAYS) / (work / WORKDAYS)), math.sqrt(1 / off + 1 / work))


def lapsing(frame: pd.DataFrame) -> Estimate:
    """The share of new players who will never come back, beside those who just did not in that week.

    Args:
        frame: of `first_week`. The days seen in it follow a beta-binomial distribution with an excess of zeros; the
            excess is the estimate (maximum likelihood). It may be negative: then there are fewer than expected.
    """
    seen = frame["workdays"] + frame["weekend_days"]
    players = frame["players"].groupby(seen).sum().reindex(range(WEEK + 1), fill_value=0).to_numpy(dtype=float)
    if np.count_nonzero(players) < FEWEST_POINTS:
        return UNKNOWN

    def loss(given: np.ndarray) -> float:
        chances = (1 - given[0]) * stats.betabinom.pmf(range(WEEK + 1), WEEK, *np.exp(given[1:]))
        chances[0] += given[0]
        return -float(players @ np.log(np.maximum(chances, 1e-12)))

    found = optimize.minimize(loss, [0.1, 0.5, 0.5], method="Nelder-Mead", options={"maxiter": 4000, "xatol": 1e-6})
    variance = np.linalg.pinv(approx_hess(found.x, loss))[0, 0]
    return _around(found.x[0], math.sqrt(variance)) if found.success and variance > 0 else UNKNOWN


def price_factors(frame: pd.DataFrame, changed_on: date) -> tuple[Estimate, Estimate]:
    """The factors on swords' prices: after the change against before, and at weekends against workdays.

    Args:
        frame: of `prices_by_day`. Within each item, the logarithm of the day's mean price depends on both (least
            squares, weighted by the purchases).
        changed_on: the first day of the new prices.
    """
    days = pd.DatetimeIndex(frame["day"])
    after, off = days >= pd.Timestamp(changed_on), days.dayofweek >= SATURDAY
    both = pd.DataFrame({"after": after, "off": off}).astype(float)
    design = both.join(pd.get_dummies(frame["item"].reset_index(drop=True), dtype=float))
    if len(design) <= len(design.columns) + 1 or np.linalg.matrix_rank(design) < len(design.columns):
        return UNKNOWN, UNKNOWN
    fitted = WLS(np.log(frame["price"].to_numpy()), design, weights=frame["purchases"].to_numpy()).fit()
    low, high = (np.exp(fitted.conf_int(ALPHA)[side]) for side in (0, 1))
    after_before, off_work = (Estimate(math.exp(fitted.params[of]), low[of], high[of]) for of in both.columns)
    return after_before, off_work


def demand(frame: pd.DataFrame, changed_on: date) -> Estimate:
    """The odds that a player's first purchase is a sword, after the change against before.

    Args:
        frame: of `first_purchases`. Before the first purchase everybody owns nothing and can afford one of each kind,
            so neither gold nor what was bought before plays a part; characters, who like kinds differently, are strata
            (Mantel and Haenszel's odds ratio, the variance of Robins, Breslow and Greenland).
        changed_on: the first day of the new prices.
    """
    after, sword = frame["day"] >= pd.Timestamp(changed_on), frame["kind"] == "sword"
    counts = frame["players"].groupby([frame["character"], after, sword]).sum()
    full = pd.MultiIndex.from_product([sorted(set(frame["character"])), [True, False], [True, False]])
    strata = counts.reindex(full, fill_value=0).to_numpy(dtype=float).reshape(-1, 2, 2)
    tables = [table for table in strata if table.sum(axis=0).all() and table.sum(axis=1).all()]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of odds of nothing: the answer is then that nobody knows
        pooled = StratifiedTable(tables) if tables else None
        found = Estimate(pooled.oddsratio_pooled, *pooled.oddsratio_pooled_confint(ALPHA)) if pooled else UNKNOWN
    return found if all(map(math.isfinite, found)) and found.value > 0 else UNKNOWN


def campaign(frame: pd.DataFrame, first: date, last: date) -> Estimate:
    """The share of new players who join a guild at once because of the campaign.

    Args:
        frame: of `new_players_joining`. Who arrives during the campaign differs in nothing else from who arrives
            before or after.
        first, last: days of the campaign, both included.
    """
    during = frame["day"].between(pd.Timestamp(first), pd.Timestamp(last))
    inside, outside = (
        Share(int(part["joined"].sum()), int(part["players"].sum())) for part in (frame[during], frame[~during])
    )
    return excess(inside, outside)


def churn(frame: pd.DataFrame, kind: str, item: str) -> Estimate:
    """The share of an item's buyers who stay away because of it.

    Args:
        frame: of `staying_away`: those who bought it on a day, beside those who bought another item of its kind.
        kind, item: the item's name.
    """
    row = frame[(frame["kind"] == kind) & (frame["item"] == item)]
    if row.empty:
        return UNKNOWN
    one = row.iloc[0]
    return excess(Share(int(one["gone"]), int(one["buyers"])), Share(int(one["others_gone"]), int(one["others"])))


def bots(frame: pd.DataFrame) -> Estimate:
    """The share of players who are programs; the ends of the interval are of Wilson's.

    The estimate counts those who are known to be programs. Of those who came for too few actions nobody knows whether
    they are: below, the interval is of a share without them, above, of one with all of them.

    Args:
        frame: of `bots`.
    """
    players = frame.groupby("who")["players"].sum()
    every, known = int(players.sum()), int(players.get("programs", 0))
    least, most = (Share(count, every) for count in (known, known + int(players.get("unclear", 0))))
    return Estimate(least.value, least.wilson(Z)[0], most.wilson(Z)[1]) if every else UNKNOWN


def interest(frame: pd.DataFrame) -> Estimate:
    """How much likelier a player's second look is at the same page than another player's would be.

    Args:
        frame: of `page_interests`. Each player with two views or more counts once; without replacement within the
            player, and across players by their mean chances. The error is the players' spread (delta method).
    """
    views = frame.drop(columns="players").to_numpy(dtype=float)
    held = views.sum(axis=1) >= 2
    views, weight = views[held], frame["players"].to_numpy(dtype=float)[held]
    players, total = weight.sum(), views.sum(axis=1, keepdims=True)
    if players < FEWEST_POINTS:
        return UNKNOWN
    same = (views * (views - 1)).sum(axis=1) / (total * (total - 1)).ravel()
    chances = views / total
    mean = weight @ chances / players
    # of pairs of different players: the square of the mean less what each player has in common with themselves
    across = (players**2 * (mean**2).sum() - weight @ (chances**2).sum(axis=1)) / (players * (players - 1))
    each = same - 2 * chances @ mean
    spread = math.sqrt(weight @ (each - weight @ each / players) ** 2 / players)
    return _around(weight @ same / players - across, spread / math.sqrt(players))


def difference(share: Share, other: Share) -> Estimate:
    """By how much one share is larger than another: 0.2 is 20 points.

    The interval is made of Wilson's intervals of both (R. G. Newcombe, 1998, method 10).
    """
    if not share.whole or not other.whole:
        return UNKNOWN
    low, high = confint_proportions_2indep(*share, *other, method="newcomb", compare="diff", alpha=ALPHA)
    return Estimate(share.value - other.value, float(low), float(high))


def excess(treated: Share, others: Share) -> Estimate:
    """The share that a cause adds to those who would have done it anyway: 1 - (1 - treated) / (1 - others).

    Abbott's formula (W. S. Abbott, 1925). The interval of the ratio is made of Wilson's intervals of its two shares
    (MOVER-R: A. Donner and G. Y. Zou, 2012), which hold for few players, too.
    """
    kept, usual = (Share(share.whole - share.part, share.whole) for share in (treated, others))
    if not kept.whole or not usual.part:
        return UNKNOWN
    (low, high), (least, most) = kept.wilson(Z), usual.wilson(Z)
    ends = _edge(kept.value, usual.value, high, least, 1), _edge(kept.value, usual.value, low, most, -1)
    found = Estimate(1 - kept.value / usual.value, *(1 - end for end in ends))
    return found if all(map(math.isfinite, found)) else UNKNOWN


def _edge(over: float, under: float, end: float, other_end: float, side: int) -> float:
    """One end of the interval of over / under, from an end of the interval of each."""
    room = other_end * (2 * under - other_end)
    if room <= 0:
        return math.inf
    squared = (over * under) ** 2 - end * (2 * over - end) * room
    return (over * under + side * math.sqrt(max(squared, 0))) / room


def _factor(log: float, error: float) -> Estimate:
    return Estimate(*np.exp([log, log - Z * error, log + Z * error]).tolist())


def _around(value: float, error: float) -> Estimate:
    return Estimate(float(value), float(value - Z * error), float(value + Z * error))

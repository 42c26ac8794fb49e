"""Findings about what changed on a known day: the price of swords, the guild campaign."""

from __future__ import annotations

import math
from datetime import date

import pandas as pd

from questlog.report import estimates
from questlog.report.estimates import Estimate
from questlog.report.evidence import Share, percent, shares_differ, sureness
from questlog.report.findings.finding import Finding, absent

VAGUE = 0.3
"""An interval of an effect on a share that is wider than this allows nearly any answer."""
WIDE = 1.5
"""So does one of odds whose high end is more times its low end than this."""
ROUGH = 0.15
"""An interval of a factor on prices that is wider than this does not say that they are the same."""


def price_change(prices: pd.DataFrame, first_purchases: pd.DataFrame, changed_on: date) -> Finding:
    """Whether players choose swords less, or more, since their price changed.

    Args:
        prices: of the query `prices_by_day`: `day`, `item`, `purchases`, `gold`, `price` (gold).
        first_purchases: `day`, `character`, `kind`, `players` (count).
        changed_on: the first day of the new prices.
    """
    price, odds = estimates.price_factors(prices, changed_on)[0], estimates.demand(first_purchases, changed_on)
    if math.isnan(odds.value):
        return absent("the change of prices", "too few first purchases before or after it")
    title, advice = _demand(odds, price)
    return Finding(
        title=f"Since {changed_on:%-d %B} {title}",
        sentence=f"{_price(price)} The odds that a player's first purchase is a sword are {odds.value:.2f} times those "
        f"before (between {odds.low:.2f} and {odds.high:.2f}).",
        figure=f"odds times {odds.value:.2f}",
        recommendation=advice,
        confidence=sureness(int(first_purchases["players"].sum()), "first purchases"),
    )


def _price(factor: Estimate) -> str:
    if math.isnan(factor.value):
        return "What an item cost before and after cannot be compared."
    if factor.low <= 1 <= factor.high:
        if factor.high - factor.low > ROUGH:
            return "Too few swords were sold to tell whether the same one costs more than before."
        return "The same sword costs about as much as before."
    change = "more" if factor.value > 1 else "less"
    return f"The same sword costs {percent(abs(factor.value - 1))} {change} than before."


def _demand(odds: Estimate, price: Estimate) -> tuple[str, str]:
    if odds.low <= 1 <= odds.high:
        return (
            "players do not clearly choose swords more or less often",
            "Keep the price for now, and look again with more buyers: these are too few to tell."
            if odds.high > WIDE * odds.low
            else "Keep the price: it changes little in what new buyers choose.",
        )
    if odds.value < 1:
        return f"new buyers choose swords less: the odds fell by {percent(1 - odds.value)}", _less(odds, price)
    return (
        f"new buyers choose swords more: the odds are {odds.value:.1f} times as high",
        "Keep the price, and try whether it is the cause: show half of the players the old one.",
    )


def _less(odds: Estimate, price: Estimate) -> str:
    if price.low > 1:
        return (
            f"Try the old price on half of the players: at odds of {odds.value:.2f} the dearer sword must earn back "
            "what is not bought."
        )
    return "Look for another cause: swords are chosen less, and it is not clear that they cost more."


def campaign(frame: pd.DataFrame, dates: tuple[date, date]) -> Finding:
    """Whether more new players joined a guild at once while the campaign ran.

    Args:
        frame: of the query `new_players_joining`: `day`, `players`, `joined` (counts).
        dates: the first and the last day of the campaign.
    """
    inside, outside = during(frame, dates, "joined")
    effect = estimates.campaign(frame, *dates)
    if math.isnan(effect.value):
        return absent("the guild campaign", "too few new players during it, or outside of it")
    title, advice = _called(effect, outside)
    first, last = (f"{day:%-d %B}" for day in dates)
    when = f"From {first} to {last}" if first != last else f"On {first}"
    return Finding(
        title=title,
        sentence=f"{when} {inside} of the new players joined on their first day, on the other days {outside}.",
        figure=f"{effect.value * 100:+.0f} points",
        recommendation=advice,
        confidence=f"{sureness(inside.whole, 'new players during the campaign')} For more of them the effect would lie "
        f"between {max(effect.low, -1):.0%} and {effect.high:.0%}.",
    )


def _called(effect: Estimate, outside: Share) -> tuple[str, str]:
    if effect.low <= 0 <= effect.high:
        return "The guild campaign shows no clear effect on who joins", _undecided(effect, outside)
    if effect.value < 0:
        return (
            f"During the guild campaign fewer new players joined: {percent(-effect.value)} less",
            "Stop it, and ask players what they made of it.",
        )
    return (
        f"The guild campaign brought {percent(effect.value)} of its new players into a guild at once",
        f"Repeat it if members are worth its price: without it {percent(outside.value)} join on the first day.",
    )


def _undecided(effect: Estimate, outside: Share) -> str:
    if effect.high - effect.low > VAGUE:
        return "Decide nothing yet: there are too few new players to tell whether it works."
    return f"Do not repeat it on these numbers: {percent(outside.value)} join without it."


def joining(frame: pd.DataFrame, dates: tuple[date, date]) -> Finding:
    """Whether guild members come back more, and whether joining is the cause.

    The campaign tells, if it made more players join: those who arrived during it differ in nothing else. If joining
    made players come back, they would come back more.

    Args:
        frame: of the query `returning_by_joining`: `day`, `joined` (yes or no), `players`, `returned`, `gold`.
        dates: the first and the last day of the campaign.
    """
    members, others = (_share(frame[frame["joined"] == said], "returned") for said in ("yes", "no"))
    if not members.whole or not others.whole:
        return absent("what joining a guild changes", "no two groups of players whose second week is known")
    inside, outside = during(frame, dates, "returned")
    differ = shares_differ(members, others)
    how = "come back more often" if members.value > others.value else "come back less often"
    return Finding(
        title=f"Players who join a guild on day one {how if differ else 'come back about as often as others'}",
        sentence=f"In their second week {members} of them were seen, and {others} of the others. "
        f"{_arrived(inside, outside)}",
        figure=f"{percent(members.value)} against {percent(others.value)}",
        recommendation=_cause(differ, inside, outside, frame, dates),
        confidence=sureness(min(members.whole, others.whole), "players in the smaller group"),
    )


def _arrived(inside: Share, outside: Share) -> str:
    if not inside.whole or not outside.whole:
        when = "on other days" if inside.whole else "during the campaign"
        return f"The data do not reach the second week of anybody who arrived {when}."
    return (
        f"Of all who arrived during the campaign, members or not, {inside} came back, of those who arrived on other "
        f"days {outside}."
    )


def _cause(differ: bool, inside: Share, outside: Share, frame: pd.DataFrame, dates: tuple[date, date]) -> str:
    if not inside.whole or not outside.whole:
        return "Ask again when the data hold more days: so far the campaign cannot tell whether joining is the cause."
    joined = frame.assign(members=frame["players"].where(frame["joined"] == "yes", 0))
    if not _more(*during(joined, dates, "members")):
        return "Leave the cause open: the campaign cannot tell, for it did not clearly make more of them join."
    if shares_differ(inside, outside):
        return "Look closer: those who arrived during the campaign came back differently, so it may change who stays."
    if differ:
        return "Do not count on guilds to keep players: the campaign made more join, and they came back as often."
    return "Value guilds for what they are: no clear sign that joining early keeps players."


def _more(inside: Share, outside: Share) -> bool:
    return inside.value > outside.value and shares_differ(inside, outside)


def during(frame: pd.DataFrame, dates: tuple[date, date], counted: str) -> tuple[Share, Share]:
    """Of the players, those counted: who arrived on days from the first to the last date, and who on other days."""
    inside = frame["day"].between(pd.Timestamp(dates[0]), pd.Timestamp(dates[1]))
    return _share(frame[inside], counted), _share(frame[~inside], counted)


def _share(frame: pd.DataFrame, counted: str) -> Share:
    return Share(int(frame[counted].sum()), int(frame["players"].sum()))

"""Findings about what changed on a known day: the price of swords, the guild campaign."""

from __future__ import annotations

import math
from datetime import date

import pandas as pd

from questlog.report import estimates
from questlog.report.estimates import Estimate
from questlog.report.evidence import SMALL, Share, between, percent, points, shares_differ, sureness
from questlog.report.findings.finding import Finding, absent

VAGUE = 0.15
"""An interval of a difference of two shares that is wider than this allows nearly any answer."""
ROUGH = 0.15
"""An interval of a factor on prices that is wider than this does not say that they are the same."""


def price_change(prices: pd.DataFrame, first_purchases: pd.DataFrame, changed_on: date) -> Finding:
    """Whether players choose swords less, or more, since their price changed.

    Args:
        prices: of the query `prices_by_day`: `day`, `item`, `purchases`, `gold`, `price` (gold).
        first_purchases: `day`, `character`, `kind`, `players` (count).
        changed_on: the first day of the new prices.
    """
    price = estimates.price_factors(prices, changed_on)[0]
    before, after = swords(first_purchases, changed_on)
    if not before.whole or not after.whole:
        return absent("the change of prices", "no first purchases before it, or none after it")
    effect = estimates.difference(after, before)
    title, action, reason = _demand(before, after, effect, price)
    return Finding(
        title=f"Since {changed_on:%-d %B} {title}",
        sentence=f"{_price(price)} Of the players' first purchases {before} were swords before the change, and "
        f"{after} since.",
        figure=_points(effect),
        action=action,
        reason=reason,
        confidence=_sure(effect, min(before.whole, after.whole), "first purchases in the smaller group"),
    )


def swords(first_purchases: pd.DataFrame, changed_on: date) -> tuple[Share, Share]:
    """Of the first purchases those of a sword, before the change and since."""
    since = first_purchases["day"] >= pd.Timestamp(changed_on)
    counted = of_swords(first_purchases)
    return _share(counted[~since], "swords"), _share(counted[since], "swords")


def of_swords(first_purchases: pd.DataFrame) -> pd.DataFrame:
    """The first purchases with a column more, `swords`: the players whose first purchase was one."""
    return first_purchases.assign(swords=first_purchases["players"].where(first_purchases["kind"] == "sword", 0))


def _points(effect: Estimate) -> str:
    return f"{points(effect.value)} points"


def _is_clear(effect: Estimate) -> bool:
    """Whether it is one: an interval that holds 0 says that there may be none."""
    return not effect.low <= 0 <= effect.high


def _sure(effect: Estimate, count: int, what: str) -> str:
    vague = not _is_clear(effect) and effect.high - effect.low > VAGUE and count >= SMALL
    sure = f"Low: {count:,} {what} are too few to tell." if vague else sureness(count, what, differ=_is_clear(effect))
    return f"{sure} {between(effect.low, effect.high, estimates.LEVEL)}"


def _price(factor: Estimate) -> str:
    if math.isnan(factor.value):
        return "What an item cost before and after cannot be compared."
    if factor.low <= 1 <= factor.high:
        if factor.high - factor.low > ROUGH:
            return "Too few swords were sold to tell whether the same one costs more than before."
        return "The same sword costs about as much as before."
    change = "more" if factor.value > 1 else "less"
    return f"The same sword costs {percent(abs(factor.value - 1))} {change} than before."


def _demand(before: Share, after: Share, effect: Estimate, price: Estimate) -> tuple[str, str, str]:
    instead = f"choose a sword: {percent(after.value)} instead of {percent(before.value)}"
    if not _is_clear(effect):
        return "new buyers do not clearly choose swords more or less often", *_unclear(effect)
    if effect.value < 0:
        return f"fewer new buyers {instead}", *_less(after.value / before.value, price)
    return (
        f"more new buyers {instead}",
        "Keep the new price of swords, and show half of the players the old one",
        "only that tells whether it is the cause",
    )


def _unclear(effect: Estimate) -> tuple[str, str]:
    if effect.high - effect.low > VAGUE:
        return "Keep the price of swords for now, and look again with more buyers", "these are too few to tell"
    return "Keep the price of swords", "it changes little in what new buyers choose"


def _less(chosen: float, price: Estimate) -> tuple[str, str]:
    """What to do where swords are chosen only `chosen` times as often as before."""
    if not price.low > 1:
        return (
            "Look for another cause than the price",
            "swords are chosen less, and it is not clear that they cost more",
        )
    earned = price.value * chosen
    if earned >= 1:
        return (
            "Keep the new price of swords, and show half of the players the old one",
            "the higher price makes up for the fewer buyers, as far as first purchases tell",
        )
    return (
        "Try the old price of swords on half of the players",
        f"fewer buyers outweigh the higher price, and first purchases of swords earn about {percent(1 - earned)} less",
    )


def campaign(frame: pd.DataFrame, dates: tuple[date, date]) -> Finding:
    """Whether more new players joined a guild at once while the campaign ran.

    Args:
        frame: of the query `new_players_joining`: `day`, `players`, `joined` (counts).
        dates: the first and the last day of the campaign.
    """
    inside, outside = during(frame, dates, "joined")
    if not inside.whole or not outside.whole:
        return absent("the guild campaign", "no new players during it, or none outside of it")
    effect = estimates.difference(inside, outside)
    title, action, reason = _called(effect, inside, outside)
    first, last = (f"{day:%-d %B}" for day in dates)
    when = f"From {first} to {last}" if first != last else f"On {first}"
    return Finding(
        title=title,
        sentence=f"{when} {inside} of the new players joined on their first day, on the other days {outside}.",
        figure=_points(effect),
        action=action,
        reason=reason,
        confidence=_sure(effect, inside.whole, "new players during the campaign"),
    )


def _called(effect: Estimate, inside: Share, outside: Share) -> tuple[str, str, str]:
    shares = f"{percent(inside.value)} instead of {percent(outside.value)}"
    if not _is_clear(effect):
        return "The guild campaign shows no clear effect on who joins", *_undecided(effect, outside)
    if effect.value < 0:
        return (
            f"During the guild campaign fewer new players joined a guild at once: {shares}",
            "Stop the guild campaign, and ask players what they made of it",
            f"of 100 new players {-effect.value * 100:.0f} fewer joined",
        )
    return (
        f"During the guild campaign more new players joined a guild at once: {shares}",
        "Repeat the guild campaign if a member is worth what it costs",
        f"of 100 new players it brought {effect.value * 100:.0f} more into a guild on their first day",
    )


def _undecided(effect: Estimate, outside: Share) -> tuple[str, str]:
    if effect.high - effect.low > VAGUE:
        return "Decide nothing about the guild campaign yet", "there are too few new players to tell whether it works"
    return "Do not repeat the guild campaign on these numbers", f"{percent(outside.value)} join without it"


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
    action, reason = _cause(differ, inside, outside, frame, dates)
    return Finding(
        title=f"Players who join a guild on day one {how if differ else 'do not clearly come back more or less often'}",
        sentence="Counted are players who did more than arrive on day one, and whose second week the data hold. "
        f"In that week {members} of those who joined were seen, {others} of the others. {_arrived(inside, outside)}",
        figure=f"{percent(members.value)} against {percent(others.value)}",
        action=action,
        reason=reason,
        confidence=sureness(min(members.whole, others.whole), "players in the smaller group", differ=differ),
    )


def _arrived(inside: Share, outside: Share) -> str:
    if not inside.whole or not outside.whole:
        when = "on other days" if inside.whole else "during the campaign"
        return f"Nobody of them arrived {when}."
    return (
        f"Of those who arrived during the campaign, members or not, {inside} came back, of those who arrived on other "
        f"days {outside}."
    )


def _cause(
    differ: bool, inside: Share, outside: Share, frame: pd.DataFrame, dates: tuple[date, date]
) -> tuple[str, str]:
    if not inside.whole or not outside.whole:
        return "Ask again when the data hold more days", "so far the campaign cannot tell whether joining is the cause"
    joined = frame.assign(members=frame["players"].where(frame["joined"] == "yes", 0))
    if not _more(*during(joined, dates, "members")):
        return "Leave the cause open", "the campaign cannot tell, for it did not clearly make more of them join"
    if shares_differ(inside, outside):
        return "Look closer", "those who arrived during the campaign came back differently, so it may change who stays"
    if differ:
        return "Do not count on guilds to keep players", "the campaign made more join, and not clearly more came back"
    return "Do not count on guilds to keep players", "there is no clear sign that joining early does"


def _more(inside: Share, outside: Share) -> bool:
    return inside.value > outside.value and shares_differ(inside, outside)


def during(frame: pd.DataFrame, dates: tuple[date, date], counted: str) -> tuple[Share, Share]:
    """Of the players, those counted: who arrived on days from the first to the last date, and who on other days."""
    inside = frame["day"].between(pd.Timestamp(dates[0]), pd.Timestamp(dates[1]))
    return _share(frame[inside], counted), _share(frame[~inside], counted)


def _share(frame: pd.DataFrame, counted: str) -> Share:
    return Share(int(frame[counted].sum()), int(frame["players"].sum()))

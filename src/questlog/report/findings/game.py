"""Findings about the game itself: its guilds and its quests."""

from __future__ import annotations

import pandas as pd

from questlog.report.evidence import FEWEST, Share, counted, listed, percent, shares_differ, sureness
from questlog.report.findings.finding import Finding, absent

Shares = dict[str, Share]


def guilds(frame: pd.DataFrame) -> Finding:
    """Whether the members of one guild leave more often than those of all others.

    Args:
        frame: `guild`, `joined`, `departed`, `members_net`, `members` (counts), `members_gold` and
            `gold_per_member` (gold).
    """
    shares = leaving(frame)
    if not shares:
        return absent("guilds", "nobody who joined one")
    worst = _stands_out(shares)
    return _no_strife(frame, shares) if worst is None else _strife(frame, shares, worst)


def _strife(frame: pd.DataFrame, shares: Shares, worst: str) -> Finding:
    left, rest = shares[worst], _others(shares, worst)
    return Finding(
        title=f"{worst} loses more of its members: {percent(left.value)} leave, elsewhere {percent(rest.value)}",
        sentence=f"{_moves(frame)} From {worst} {left.part:,} of {left.whole:,} left again.",
        figure=f"{percent(left.value)} leave {worst}",
        action=f"Read why players left {worst}, and mend the most frequent reason",
        reason=f"{left.part:,} of {left.whole:,} left it, elsewhere {rest.part:,} of {rest.whole:,}",
        confidence=sureness(left.whole, f"players who joined {worst}"),
    )


def _no_strife(frame: pd.DataFrame, shares: Shares) -> Finding:
    most, every = int(frame["members"].max()), _together(shares)
    largest = sorted(frame["guild"][frame["members"] == most])
    size, who = Share(most, int(frame["members"].sum())), listed(largest)
    has, are = ("has", "is") if len(largest) == 1 else ("have each", "are")
    many = len(frame) > 1
    loses = f"No guild clearly loses more members than the others; {who} {are} the largest"
    return Finding(
        title=loses if many else f"{who} is the only guild: {percent(every.value)} leave it again",
        sentence=f"{_moves(frame)} {who} {has} {size} of the members at the end of the data.",
        figure=f"{percent(every.value)} leave again",
        action="Treat guilds alike" if many else "Look again when there are more guilds",
        reason=f"{percent(every.value)} of those who join leave, nowhere clearly more",
        confidence=sureness(every.whole, "times that players joined", differ=False),
    )


def _moves(frame: pd.DataFrame) -> str:
    joined, departed = int(frame["joined"].sum()), int(frame["departed"].sum())
    times = f"{counted(joined, 'time')}, and left {counted(departed, 'time')}"
    return f"Players joined {counted(len(frame), 'guild')} {times}."


def quests(frame: pd.DataFrame) -> Finding:
    """Whether one quest is lost or abandoned more often than all others.

    Args:
        frame: `quest`, `started`, `won`, `lost`, `abandoned` (counts), `win_rate` (0 to 1), `median_duration`
            (seconds), `gold` (gold).
    """
    shares = failing(frame)
    if not shares:
        return absent("quests", "no quest that ended")
    worst = _stands_out(shares)
    return _balanced(frame, shares) if worst is None else _too_hard(frame, shares, worst)


def _too_hard(frame: pd.DataFrame, shares: Shares, worst: str) -> Finding:
    failed, rest = shares[worst], _others(shares, worst)
    return Finding(
        title=f"{worst} is won least: {percent(1 - failed.value)} of the time, elsewhere {percent(1 - rest.value)}",
        sentence=f"{_endings(frame, shares)} {worst} was not won {counted(failed.part, 'time')} of {failed.whole:,}.",
        figure=f"{percent(1 - failed.value)} won",
        action=f"Make {worst} easier or let it pay more",
        reason=f"it is won {counted(round((failed.value - rest.value) * 100), 'point')} less often",
        confidence=sureness(failed.whole, f"endings of {worst}"),
    )


def _balanced(frame: pd.DataFrame, shares: Shares) -> Finding:
    won = 1 - _together(shares).value
    rates = {quest: 1 - share.value for quest, share in shares.items()}
    low, high = (choose(rates, key=lambda quest: (rates[quest], quest)) for choose in (min, max))
    return Finding(
        title=f"{percent(won)} of quests are won; no quest is clearly harder than the others",
        sentence=f"{_endings(frame, shares)} From {low} ({percent(rates[low])}) to {high} ({percent(rates[high])}), "
        "these differences can be chance.",
        figure=f"{percent(won)} won",
        action="Do not rebalance single quests",
        reason=f"{counted(round((rates[high] - rates[low]) * 100), 'point')} can be chance",
        confidence=sureness(min(share.whole for share in shares.values()), "endings of the rarest quest", differ=False),
    )


def _endings(frame: pd.DataFrame, shares: Shares) -> str:
    every = _together(shares)
    abandoned = Share(int(frame["abandoned"].sum()), every.whole)
    won = f"{percent(1 - every.value)} were won and {percent(abandoned.value)} abandoned"
    return f"Of {counted(every.whole, 'quest')} that ended, {won}."


def leaving(frame: pd.DataFrame) -> Shares:
    """Of the times that players joined each guild, how often one left; guilds that nobody joined are left out."""
    columns = zip(frame["guild"], frame["departed"].astype(int), frame["joined"].astype(int), strict=True)
    return {guild: Share(min(departed, joined), joined) for guild, departed, joined in columns if joined}


def failing(frame: pd.DataFrame) -> Shares:
    """Of each quest's endings, how many were not won; quests that never ended are left out."""
    failed = (frame["lost"] + frame["abandoned"]).astype(int)
    columns = zip(frame["quest"], failed, frame["won"].astype(int), strict=True)
    return {quest: Share(lost, lost + won) for quest, lost, won in columns if lost + won}


def _stands_out(shares: Shares) -> str | None:
    """The name whose share is highest among those clearly above all others taken together, if there is one."""
    clear = [name for name, share in shares.items() if _is_clearly_above(share, _others(shares, name), len(shares))]
    return max(clear, key=lambda name: (shares[name].value, name)) if clear else None


def _is_clearly_above(share: Share, rest: Share, tries: int) -> bool:
    return share.whole >= FEWEST and share.value > rest.value and shares_differ(share, rest, tries)


def _together(shares: Shares) -> Share:
    return Share(sum(share.part for share in shares.values()), sum(share.whole for share in shares.values()))


def _others(shares: Shares, but: str) -> Share:
    return _together({name: share for name, share in shares.items() if name != but})

"""Findings about who stays, what drives players away, and who spends."""

from __future__ import annotations

import pandas as pd

from questlog.report.evidence import FEWEST, Share, counted, percent, shares_differ, sureness, with_article
from questlog.report.findings.finding import Finding, absent

NAMED = {2: "second", 3: "third"}
"""Weeks after the first one of which the finding speaks, the last that the data hold; later ones tell little more."""
PLURALS = {
    "passer-by": "Passers-by",
    "social": "Social players",
    "collector": "Collectors",
    "explorer": "Explorers",
}
"""The segments as the query `revenue_by_segment` names them, and all players of each."""


def retention_by_cohort(frame: pd.DataFrame) -> Finding:
    """How many new players are there in the week after their first, and some weeks later.

    Args:
        frame: `cohort` (datetime), `weeks` (later), `players`, `returned` (counts), `share` (0 to 1).
    """
    shares = by_weeks(frame)
    if 1 not in shares:
        return absent("whether new players stay", "no whole week after the first week of anybody")
    soon, last = shares[1], max((weeks for weeks in shares if weeks in NAMED), default=0)
    late, name = (shares[last], NAMED[last]) if last else (None, "")
    title = f"{percent(soon.value)} of new players are there in the week after their first"
    low, high = soon.interval
    return Finding(
        title=f"{title}, {percent(late.value)} in the {name}" if late else title,
        sentence=f"Of all who could be, {soon} were seen in the week after their first"
        + (f", and {late} in the {name} week after." if late else "; the data reach no further."),
        figure=f"{percent(soon.value)} after a week",
        recommendation=_hold(soon, late, name),
        confidence=f"{sureness(soon.whole, 'players')} For more such players the share after a week would lie between "
        f"{low:.0%} and {high:.0%}.",
    )


def _hold(soon: Share, late: Share | None, last: str) -> str:
    at_once = 1 - soon.value
    if not late:
        return f"Look again when there are more weeks: {percent(at_once)} are not there in the second one."
    slowly = soon.value - late.value
    if at_once > slowly:
        return (
            f"Work on the first days: {percent(at_once)} are gone in the week after, more than are lost from there to "
            f"the {last} ({max(slowly, 0) * 100:.0f} points)."
        )
    return f"Work on the weeks after: {slowly * 100:.0f} points are lost from the first to the {last}."


def by_weeks(frame: pd.DataFrame) -> dict[int, Share]:
    """Of all cohorts together, how many are there so many weeks later."""
    total = frame.groupby("weeks")[["returned", "players"]].sum().astype(int).reset_index()
    columns = (total[name].tolist() for name in ("weeks", "returned", "players"))
    return {weeks: Share(returned, players) for weeks, returned, players in zip(*columns, strict=True)}


def staying_away(frame: pd.DataFrame) -> Finding:
    """Whether players stay away after buying one item more than after others of its kind.

    Args:
        frame: `kind`, `item`, `buyers`, `gone`, `others`, `others_gone` (counts).
    """
    pairs = after_buying(frame)
    if not pairs:
        return absent("whether an item drives players away", "no item that could be compared with others of its kind")
    clear = {name: pair for name, pair in pairs.items() if _is_worse(*pair, tries=len(pairs))}
    if not clear:
        return _none_drives_away(pairs)
    worst = max(clear, key=lambda name: (clear[name][0].value - clear[name][1].value, name))
    item, rest = clear[worst]
    kind, bought = worst.rsplit(" ", 1)[1], with_article(worst)
    return Finding(
        title=f"After {bought} {percent(item.value)} stay away for a week, after another {kind} {percent(rest.value)}",
        sentence=f"Of the times that somebody bought {bought}, {item} were followed by a week without them; "
        f"of those with another {kind}, {rest}.",
        figure=f"{percent(item.value)} stay away",
        recommendation=f"Take the {worst} out of the shop for half of the players, and compare: "
        f"{(item.value - rest.value) * 100:.0f} points more stay away after it.",
        confidence=f"{sureness(item.whole, 'times that it was bought')} Whether it is the cause, a trial would show.",
    )


def _none_drives_away(pairs: dict[str, tuple[Share, Share]]) -> Finding:
    times = sum(item.whole for item, _ in pairs.values())
    return Finding(
        title="After no item do players clearly stay away more than after others of its kind",
        sentence=f"Compared: {counted(len(pairs), 'item')}, bought {counted(times, 'time')}.",
        figure=f"{counted(len(pairs), 'item')} compared",
        recommendation="Leave the shop as it is on this account: no item stands out.",
        confidence=sureness(min(item.whole for item, _ in pairs.values()), "purchases of the rarest item"),
    )


def _is_worse(item: Share, rest: Share, tries: int) -> bool:
    return item.whole >= FEWEST and item.value > rest.value and shares_differ(item, rest, tries)


def after_buying(frame: pd.DataFrame) -> dict[str, tuple[Share, Share]]:
    """By item: who stayed away after it, and after another of its kind; items without a comparison are left out."""
    names = frame["item"].astype(str) + " " + frame["kind"].astype(str)
    columns = (frame[name].astype(int) for name in ("buyers", "gone", "others", "others_gone"))
    rows = zip(names, *columns, strict=True)
    return {name: (Share(gone, all_), Share(lost, rest)) for name, all_, gone, rest, lost in rows if all_ and rest}


def revenue_by_segment(frame: pd.DataFrame) -> Finding:
    """Which segment of the players, told by what they did, spends the most gold for each player.

    Args:
        frame: `segment`, `players` (count, the same in each row of a segment), `kind`, `item`, `buyers`, `pieces`
            (counts), `gold` (gold).
    """
    segments = spending(frame)
    gold, players = int(segments["gold"].sum()), int(segments["players"].sum())
    if not gold:
        return absent("who spends", "no purchase that cost gold")
    best = segments.iloc[0]
    spent, size = Share(int(best["gold"]), gold), Share(int(best["players"]), players)
    return Finding(
        title=f"{PLURALS[best['segment']]} spend most: {best['gold_per_player']:,.0f} gold each",
        sentence=f"They are {percent(size.value)} of {counted(players, 'player')} and spend {percent(spent.value)} of "
        f"the gold; "
        f"the average player spends {gold / players:,.0f}.",
        figure=f"{best['gold_per_player']:,.0f} gold each",
        recommendation=f"Ask them first what they want, {counted(size.part, 'player')}: they bring "
        f"{percent(spent.value)} of the gold.",
        confidence=f"{sureness(size.part, 'players')} Who stays longer has more time to spend, and to fit the segment.",
    )


def spending(frame: pd.DataFrame) -> pd.DataFrame:
    """A row a segment: `segment`, `players`, `gold`, `gold_per_player`, the most gold for a player first."""
    total = frame.groupby("segment").agg(players=("players", "max"), gold=("gold", "sum")).astype(int).reset_index()
    each = total["gold"] / total["players"]
    return total.assign(gold_per_player=each).sort_values(["gold_per_player", "segment"], ascending=[False, True])


def bots(frame: pd.DataFrame) -> Finding:
    """How many players are programs, and what they add to the events.

    Args:
        frame: `who` (programs or people), `players`, `events` (counts).
    """
    known = frame.set_index("who")[["players", "events"]].reindex(["programs", "people"], fill_value=0).astype(int)
    if not known["players"].sum():
        return absent("programs among the players", "no players")
    players, events = (Share(int(known[name]["programs"]), int(known[name].sum())) for name in ("players", "events"))
    if not players.part:
        return Finding(
            title="No player behaves like a program",
            sentence=f"Of {counted(players.whole, 'player')} none has only pauses that are too short for people.",
            figure="0 programs",
            recommendation="Nothing to do: the counts of players are of people, as far as their pauses tell.",
            confidence=sureness(players.whole, "players"),
        )
    return Finding(
        title=f"{percent(players.value)} of the players are programs, with {percent(events.value)} of the events",
        sentence=f"{players.part:,} of {counted(players.whole, 'player')} never made a pause as long as people do; the "
        f"events from there: {events.part:,}.",
        figure=counted(players.part, "program"),
        recommendation=f"Limit the rate of {counted(players.part, 'player')}, and count visits without them.",
        confidence=sureness(players.whole, "players"),
    )

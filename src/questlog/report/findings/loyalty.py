"""Findings about who stays, who stays away after a purchase, and who spends."""

from __future__ import annotations

import pandas as pd

from questlog.report.evidence import (
    FEWEST,
    SMALL,
    Share,
    counted,
    listed,
    percent,
    shares_differ,
    sureness,
    with_article,
    within,
)
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
PROGRAMS, UNCLEAR = "programs", "unclear"
"""Players as the query `bots` names them."""
ALIKE = 0.9
"""A segment that spends this part of what the first does is named beside it: the answer has no spread to judge by."""


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
    title = f"{percent(soon.value)} of new players come back in the week after their first"
    action, reason = _hold(soon, late, name)
    return Finding(
        title=f"{title}, {percent(late.value)} in the {name} week after it" if late else title,
        sentence=f"Of all who could be, {soon} were seen in the week after their first"
        + (f", and {late} in the {name} week after." if late else "; the data reach no further."),
        figure=f"{percent(soon.value)} after a week",
        action=action,
        reason=reason,
        confidence=f"{sureness(soon.whole, 'players')} {within(soon, 'players', 'the share after a week')}",
    )


def _hold(soon: Share, late: Share | None, last: str) -> tuple[str, str]:
    at_once = 1 - soon.value
    if not late:
        return "Look again when there are more weeks", f"so far {percent(at_once)} do not come back in the second one"
    slowly = soon.value - late.value
    if at_once > slowly:
        return (
            "Work on the first days",
            f"{percent(at_once)} are not seen in the week after, more than are lost from there to the {last} week "
            f"({counted(round(max(slowly, 0) * 100), 'point')})",
        )
    lost = counted(round(slowly * 100), "point is", "points are")
    return "Work on the weeks after the first", f"{lost} lost from the next week to the {last}"


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
        sentence=f"Of the counted days on which a player bought {bought}, {item} were followed by a week without that "
        f"player; of those with another {kind} and not this one, {rest}.",
        figure=f"{percent(item.value)} stay away",
        action=f"Take the {worst} out of the shop for half of the players, and compare",
        reason=f"{counted(round((item.value - rest.value) * 100), 'point')} more stay away after it",
        confidence=f"{sureness(item.whole, 'days on which a player bought it')} Whether it is the cause, a trial would "
        "show.",
    )


def _none_drives_away(pairs: dict[str, tuple[Share, Share]]) -> Finding:
    known = [item.whole for item, _ in pairs.values() if item.whole >= FEWEST]
    if not known:
        return absent("whether an item drives players away", f"no item that was bought on {FEWEST} of the counted days")
    rare = len(pairs) - len(known)
    too_rare = f" {counted(rare, 'more was', 'more were')} bought too rarely to tell." if rare else ""
    return Finding(
        title="After no item do players clearly stay away more than after others of its kind",
        sentence=f"{counted(len(known), 'item')} can be compared, bought {counted(sum(known), 'time')} on the counted "
        f"days.{too_rare}",
        figure=f"{counted(len(known), 'item')} compared",
        action="Leave the shop as it is on this account",
        reason="no item stands out",
        confidence=sureness(min(known), "purchases of the rarest item", differ=False),
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
    most = segments[segments["gold_per_player"] >= ALIKE * segments["gold_per_player"].max()]
    spent, size = Share(int(most["gold"].sum()), gold), Share(int(most["players"].sum()), players)
    title, action = _most(most, len(segments))
    return Finding(
        title=title,
        sentence=f"They are {percent(size.value)} of {counted(players, 'player')} and spend {percent(spent.value)} of "
        f"the gold; the average player spends {gold / players:,.0f}.",
        figure=f"{listed(_each(most))} gold each",
        action=action,
        reason=f"{percent(spent.value)} of the gold comes from {counted(size.part, 'player')}",
        confidence=f"{sureness(size.part, 'players')} Who stays longer has more time to spend, and to fit the segment.",
    )


def _most(most: pd.DataFrame, segments: int) -> tuple[str, str]:
    """The title, and what to do, about the segments that spend most for each player, and about alike."""
    if len(most) == segments > 1:
        return f"All kinds of players spend about alike: {listed(_each(most))} gold each", "Make offers for everybody"
    first, *more = (PLURALS[name] for name in most["segment"])
    who = listed([first, *(name.lower() for name in more)])
    return f"{who} spend most: {listed(_each(most))} gold each", f"Ask {who.lower()} first what they want"


def _each(segments: pd.DataFrame) -> list[str]:
    return [f"{gold:,.0f}" for gold in segments["gold_per_player"]]


def spending(frame: pd.DataFrame) -> pd.DataFrame:
    """A row a segment: `segment`, `players`, `gold`, `gold_per_player`, the most gold for a player first."""
    total = frame.groupby("segment").agg(players=("players", "max"), gold=("gold", "sum")).astype(int).reset_index()
    each = total["gold"] / total["players"]
    return total.assign(gold_per_player=each).sort_values(["gold_per_player", "segment"], ascending=[False, True])


def bots(frame: pd.DataFrame) -> Finding:
    """How many players are known to be programs, what they add to the events, and of how many nobody can tell.

    Args:
        frame: `who` (programs, people or unclear), `players`, `events` (counts).
    """
    counts = frame.set_index("who")[["players", "events"]].reindex([PROGRAMS, "people", UNCLEAR], fill_value=0)
    counts = counts.astype(int)
    every, unclear = (int(number) for number in (counts["players"].sum(), counts["players"][UNCLEAR]))
    if every == unclear:
        return absent("programs among the players", "no player who did enough to be told from a program")
    players, events = (Share(int(counts[name][PROGRAMS]), int(counts[name].sum())) for name in ("players", "events"))
    seen = f"Of {counted(every, 'player')} {every - unclear:,} did enough at a stretch to be told from programs."
    if unclear:
        seen += f" Of {counted(unclear, 'other')} nobody can tell, and no program among them is counted."
    sure = _sure_of_all(every - unclear, unclear, players.part)
    return _programs(players, events, seen, sure) if players.part else _no_programs(seen, sure)


def _sure_of_all(told: int, unclear: int, programs: int) -> str:
    if told < SMALL or unclear <= programs:
        return sureness(told, "players who did enough to tell", differ=bool(programs))
    word = "Low" if unclear > told else "Medium"
    return f"{word}: among those of whom nobody can tell there can be more programs than were found."


def _no_programs(seen: str, sure: str) -> Finding:
    return Finding(
        title="No player is known to behave like a program",
        sentence=f"{seen} Each of those made a pause that is long enough for people.",
        figure="0 programs",
        action="Nothing to do",
        reason="the counts of players are of people, as far as their pauses tell",
        confidence=sure,
    )


def _programs(players: Share, events: Share, seen: str, sure: str) -> Finding:
    share, who = percent(events.value), percent(players.value)
    return Finding(
        title=f"{who} of the players are known to behave like programs, and send {share} of the events",
        sentence=f"{seen} Never a pause as long as people make: {counted(players.part, 'player')}, who sent "
        f"{counted(events.part, 'event')}.",
        figure=counted(players.part, "program"),
        action="Limit how fast they may send, and count visits without them",
        reason=f"{share} of the events are known not to be of people",
        confidence=sure,
    )

"""Findings about players: how many come, how far they get, and whether they return."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

import pandas as pd

from questlog.report.evidence import Share, counted, counts_differ, percent, sureness, within
from questlog.report.findings.finding import Finding, absent

FEWEST_DAYS = 4
A_WEEK = 7


@dataclasses.dataclass(frozen=True)
class _Steps:
    """The steps of new players: how many take all of them, and how many stop between the two that lose the most."""

    names: list[str]
    whole: Share
    stop: Share
    before: str
    after: str


def players_by_day(frame: pd.DataFrame) -> Finding:
    """Whether fewer or more new players come in the second half of the days than in the first.

    Args:
        frame: `day` (datetime), `players`, `events`, `new_players` (counts), a row a day.
    """
    days = every_day(frame)
    if len(days) < FEWEST_DAYS:
        return absent(
            "whether more or fewer new players come", f"{counted(len(days), 'day')}, and it takes {FEWEST_DAYS}"
        )
    half = len(days) // 2
    halves = days[:half], days[-half:]
    early, late = (int(part["new_players"].sum()) for part in halves)
    busiest, mean = int(days["players"].max()), days["players"].mean()
    title, figure, action, reason = _arrivals(early, late, half, *map(_span, halves))
    return Finding(
        title=title,
        sentence=f"In the first {half} days came {counted(early, 'new player')}, in the last {half} days {late:,}. "
        f"The busiest day saw {counted(busiest, 'player')}, the average day {mean:,.1f}.",
        figure=figure,
        action=action,
        reason=reason,
        confidence=sureness(early + late, "new players", differ=counts_differ(early, late)),
    )


def _span(days: pd.DataFrame) -> str:
    first, last = days.index.min(), days.index.max()
    return f"{first:%-d %B} to {last:%-d %B}"


def _arrivals(early: int, late: int, half: int, first: str, last: str) -> tuple[str, str, str, str]:
    if not counts_differ(early, late):
        return (
            f"New players do not clearly become more or fewer: {early:,} from {first}, {late:,} from {last}",
            f"{(early + late) / (2 * half):,.1f} new players a day",
            "Leave as it is what brings players in",
            f"{early:,} against {late:,} is within chance",
        )
    figure = f"{late / half:,.1f} new players a day"
    change = f"from {early / half:,.1f} a day ({first}) to {late / half:,.1f} ({last})"
    if late < early:
        return (
            f"New players fell {change}",
            figure,
            "Find out where new players come from, and bring in more",
            f"from {last} {early - late:,} fewer came than from {first}",
        )
    return (
        f"New players rose {change}",
        figure,
        "Check what the servers hold beyond the busiest day",
        f"from {last} {late - early:,} more came than from {first}",
    )


def funnel(frame: pd.DataFrame) -> Finding:
    """How many new players take the last step, and at which one the most stop.

    Args:
        frame: `step` (from 1), `name`, `players` (count), `share` and `share_of_previous` (0 to 1), in order.
    """
    return _told(frame, _how_far)


def _how_far(steps: _Steps) -> str:
    went = f"{percent(steps.whole.value)} of those who {steps.names[0]} came as far as '{steps.names[-1]}'"
    return f"{went}; no step loses more than the one to '{steps.after}'"


def _largest_loss(steps: _Steps) -> str:
    stopped = f"{percent(steps.stop.value)} of those who {steps.before} never {steps.after}"
    return f"No step loses more new players than this one: {stopped}"


def _told(frame: pd.DataFrame, title: Callable[[_Steps], str]) -> Finding:
    players, names = [int(count) for count in frame["players"]], frame["name"].tolist()
    if not players or not players[0]:
        return absent("how far new players come", "nobody who created a player")
    whole = Share(players[-1], players[0])
    lost = [before - after for before, after in itertools.pairwise(players)]
    worst = lost.index(max(lost)) if lost else 0
    if not lost or lost[worst] <= 0:
        return _nobody_stops(names, whole)
    steps = _Steps(names, whole, Share(lost[worst], players[worst]), names[worst], names[worst + 1])
    stopped = f"Before '{steps.after}' {steps.stop.part:,} of {steps.stop.whole:,} stop."
    return Finding(
        title=title(steps),
        sentence=f"{_all_the_way(names, whole)} {stopped}",
        figure=f"{percent(whole.value)} go all the way",
        action=f"Work on the step to '{steps.after}' first",
        reason=f"it loses {counted(steps.stop.part, 'player')}, no step loses more",
        confidence=sureness(steps.stop.whole, "players at that step"),
    )


def purchase_funnel(frame: pd.DataFrame) -> Finding:
    """At which step to a second purchase the most new players stop, and which one takes the longest.

    Args:
        frame: as that of `funnel`, and `median_hours` (since the step before).
    """
    found = _told(frame, _largest_loss)
    took = frame["median_hours"].astype(float)
    if took.isna().all():
        return found
    slowest = frame["name"].tolist()[int(took.argmax())]
    wait = f"The longest wait is before '{slowest}': half of those who get there take {hours(took.max())} or more."
    return dataclasses.replace(found, sentence=f"{found.sentence} {wait}")


def hours(count: float) -> str:
    """A duration as people say it: 3 minutes, 5.4 hours, 2.1 days."""
    if count < 1:
        minutes = round(count * 60)
        return "under a minute" if not minutes else f"{minutes} minute{'s' if minutes > 1 else ''}"
    return f"{count:.1f} hours" if count < 48 else f"{count / 24:.1f} days"


def _nobody_stops(names: list[str], whole: Share) -> Finding:
    return Finding(
        title=f"No player is lost between '{names[0]}' and '{names[-1]}'",
        sentence=_all_the_way(names, whole),
        figure=f"{percent(whole.value)} go all the way",
        action="Look at what comes after the last step",
        reason="on the way there nobody is lost",
        confidence=sureness(whole.whole, "new players"),
    )


def _all_the_way(names: list[str], whole: Share) -> str:
    went = f"{whole.part:,} went all the way to '{names[-1]}', {percent(whole.value)}"
    return f"Of {whole.whole:,} who {names[0]}, {went}."


def players_returning(frame: pd.DataFrame) -> Finding:
    """How many new players are seen again after a day and after a week, and where the larger loss is.

    Args:
        frame: `days` (since the first event), `eligible`, `returned` (counts), `share` (0 to 1), in order.
    """
    if frame.empty:
        return absent("how many players come back", "no player who could have been seen a day later")
    shares = {int(day): Share(int(part), int(whole)) for day, part, whole in _columns(frame)}
    first, later = min(shares), max(day for day in shares if day <= max(A_WEEK, min(shares)))
    action, reason = _keep(shares[first], shares[later], first, later)
    return Finding(
        title=_comes_back(shares, first, later),
        sentence=f"Of the new players {shares[first]} were seen on day {first} after their first, "
        f"and {shares[later]} on day {later}.",
        figure=f"{percent(shares[later].value)} on day {later}",
        action=action,
        reason=reason,
        confidence=f"{sureness(shares[later].whole, 'players')} {within(shares[later], 'players', f'day {later}')}",
    )


def _columns(frame: pd.DataFrame) -> zip[tuple[int, int, int]]:
    return zip(frame["days"], frame["returned"], frame["eligible"], strict=True)


def _comes_back(shares: dict[int, Share], first: int, later: int) -> str:
    title = f"{percent(shares[later].value)} of new players are seen again on day {later}"
    return title if later == first else f"{title}, {percent(shares[first].value)} on day {first}"


def _keep(first: Share, last: Share, first_day: int, last_day: int) -> tuple[str, str]:
    at_once, slowly = 1 - first.value, first.value - last.value
    if at_once >= slowly:
        return (
            "Give a reason to come back at once",
            f"{percent(at_once)} were not seen on day {first_day}, more than what is lost from there to day {last_day} "
            f"({counted(round(slowly * 100), 'point')})",
        )
    lost = counted(round(slowly * 100), "point is", "points are")
    return "Give a reason to stay", f"{lost} lost between day {first_day} and day {last_day}"


def every_day(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its `day` as index and a row for each day from the first to the last; 0 where there was none."""
    indexed = frame.set_index("day")
    return indexed.resample("D").sum() if len(indexed) else indexed

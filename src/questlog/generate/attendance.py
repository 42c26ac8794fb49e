"""Who plays on which day, from when on, and how many events the visit has.

Drawn for all players at once, before anything is played: the visits' sizes add up to exactly the events asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from questlog.generate.world import World

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
SATURDAY = 5

WEEK_RHYTHM = (0.85, 0.80, 0.85, 0.90, 1.05, 1.35, 1.30)
"""Inclination to play, Monday to Sunday."""
WORKDAY_HOURS = (2, 1, 1, 1, 1, 1, 2, 4, 4, 3, 3, 4, 6, 5, 4, 5, 7, 10, 13, 17, 20, 18, 11, 5)
"""Visits that begin in each hour of a working day, as weights."""
WEEKEND_HOURS = (5, 3, 2, 1, 1, 1, 2, 3, 5, 8, 10, 11, 11, 12, 13, 13, 13, 14, 15, 17, 18, 16, 12, 8)
"""The same for Saturday and Sunday."""
ARRIVAL_DECAY = 9.0
"""Days in which the rush after the launch falls to a third."""
ARRIVAL_FLOOR = 0.15
"""Arrivals a day long after the launch, against those of the first day."""
HABIT = (1.7, 1.9)
"""Beta distribution of a player's chance to play on an ordinary day."""
STAY_DAYS = 9.0
"""Mean days from arrival until a player lapses."""
SOCIABLE_SHARE = 0.45
"""Players who seek company: they are the ones who join guilds."""
SOCIABLE_STAY = 2.2
"""How many times longer they stay."""
ENGAGEMENT_SPREAD = 0.5
"""Sigma of the lognormal by which players' visits differ in length."""
EVENT_ROOM_MS = 75_000
"""Room that a visit keeps before midnight, for each of its events."""
MOST_ARRIVALS_SHARE = 2
"""At most one event in so many creates a player; the others of a world's players never arrive."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Attendance:
    """The visits, in the order of their beginning; one array element for each.

    `day` counts from 0, `start` is in milliseconds since midnight, `size` in events (1 or more). `sociable` has one
    element for each player who arrives; their numbers are those of their arrival.
    """

    day: Integers
    player: Integers
    start: Integers
    size: Integers
    sociable: NDArray[np.bool_]


@dataclass(frozen=True)
class _Habits:
    arrival: Integers
    stay: NDArray[np.float64]
    chance: NDArray[np.float64]
    engagement: NDArray[np.float64]
    sociable: NDArray[np.bool_]


def attend(world: World, events: int, rng: np.random.Generator) -> Attendance:
    """The visits of a world in which `events` events happen."""
    habits = _habits(world, min(world.players, max(1, events // MOST_ARRIVALS_SHARE)), rng)
    day, player = _visits(world, habits, rng)
    weight = habits.engagement[player] * rng.gamma(2.0, 0.5, len(player))
    first = day == habits.arrival[player]
    size = rng.multinomial(events - len(habits.arrival), weight / weight.sum()) + first
    held = size > 0
    day, player, size = day[held], player[held], size[held]
    start = _starts(world, day, size, rng)
    order = np.lexsort((player, start, day))
    return Attendance(day[order], player[order], start[order], size[order], habits.sociable)


def weekday(world: World, day: int) -> int:
    """Day of the week, Monday is 0."""
    return (world.start + timedelta(days=day)).weekday()


def _habits(world: World, players: int, rng: np.random.Generator) -> _Habits:
    days = np.arange(world.days)
    rush = np.array([WEEK_RHYTHM[weekday(world, day)] for day in range(world.days)])
    rush = rush * (ARRIVAL_FLOOR + np.exp(-days / ARRIVAL_DECAY))
    sociable = rng.random(players) < SOCIABLE_SHARE
    return _Habits(
        arrival=np.sort(rng.choice(days, size=players, p=rush / rush.sum())),
        stay=rng.exponential(STAY_DAYS, players) * np.where(sociable, SOCIABLE_STAY, 1.0),
        chance=rng.beta(*HABIT, players),
        engagement=rng.lognormal(0.0, ENGAGEMENT_SPREAD, players),
        sociable=sociable,
    )


def _visits(world: World, habits: _Habits, rng: np.random.Generator) -> tuple[Integers, Integers]:
    players = [_present(world, day, habits, rng) for day in range(world.days)]
    days = np.repeat(np.arange(world.days), [len(present) for present in players])
    return days, np.concatenate(players)


def _present(world: World, day: int, habits: _Habits, rng: np.random.Generator) -> Integers:
    arrived = int(np.searchsorted(habits.arrival, day, side="right"))
    since = day - habits.arrival[:arrived]
    wants = rng.random(arrived) < habits.chance[:arrived] * WEEK_RHYTHM[weekday(world, day)]
    return np.flatnonzero((since == 0) | (wants & (since <= habits.stay[:arrived])))


def _starts(world: World, day: Integers, size: Integers, rng: np.random.Generator) -> Integers:
    start = np.empty(len(day), dtype=np.int64)
    weekend = np.array([weekday(world, number) >= SATURDAY for number in range(world.days)])[day]
    for chosen, hours in ((weekend, WEEKEND_HOURS), (~weekend, WORKDAY_HOURS)):
        weights = np.array(hours) / sum(hours)
        start[chosen] = rng.choice(len(hours), size=int(chosen.sum()), p=weights) * HOUR_MS
    start += rng.integers(0, HOUR_MS, len(day))
    return np.clip(start, 0, np.maximum(DAY_MS - size * EVENT_ROOM_MS, 0))

"""Who plays on which day, from when on, and how many events the visit has.

Who would come is drawn for all players at once; the visits' sizes day by day, since a player may lapse in between. They
add up to exactly the events asked for, whoever lapses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from questlog.generate.effects import BOT_ENGAGEMENT, BOT_SHARE, LAPSING_SHARE
from questlog.generate.segments import ALIKE, SEGMENTS, Segment
from questlog.generate.world import World

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
SATURDAY = 5

WEEK_RHYTHM = (0.63, 0.59, 0.63, 0.67, 0.78, 1.0, 0.96)
"""Inclination to play, Monday to Sunday, against that on Saturday."""
WORKDAY_HOURS = (2, 1, 1, 1, 1, 1, 2, 4, 4, 3, 3, 4, 6, 5, 4, 5, 7, 10, 13, 17, 20, 18, 11, 5)
"""Visits that begin in each hour of a working day, as weights."""
WEEKEND_HOURS = (5, 3, 2, 1, 1, 1, 2, 3, 5, 8, 10, 11, 11, 12, 13, 13, 13, 14, 15, 17, 18, 16, 12, 8)
"""The same for Saturday and Sunday."""
ARRIVAL_DECAY = 9.0
"""Days in which the rush after the launch falls to a third."""
ARRIVAL_FLOOR = 0.35
"""Arrivals a day long after the launch, against those of the first day."""
HABIT = (2.6, 1.9)
"""Beta distribution of a player's chance to play on a Saturday."""
GRACE_DAYS = 7
"""Days from arrival in which nobody lapses who comes back at all."""
STAY_DAYS = 6.0
"""Mean days after these until a player lapses."""
ENGAGEMENT_SPREAD = 0.5
"""Sigma of the lognormal by which players' visits differ in length."""
EVENT_ROOM_MS = 75_000
"""Room that a visit keeps before midnight, for each of its events."""
MOST_ARRIVALS_SHARE = 2
"""At most one event in so many creates a player; the others of a world's players never arrive."""

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Visit(NamedTuple):
    """One player on one day: `start` is in milliseconds since midnight, `size` in events (1 or more)."""

    player: int
    start: int
    size: int


@dataclass(frozen=True)
class _Habits:
    """One array element a player; their numbers are those of their arrival. `stay` is in days, `kind` a rank."""

    arrival: Integers
    stay: Floats
    chance: Floats
    engagement: Floats
    kind: Integers
    bot: Bools


class Attendance:
    """The visits of a world in which `events` events happen, to be asked for one day after the other."""

    def __init__(self, world: World, events: int, rng: np.random.Generator) -> None:
        self._world, self._rng = world, rng
        self._kinds = kinds(world)
        self._habits = _habits(world, self._kinds, min(world.players, max(1, events // MOST_ARRIVALS_SHARE)), rng)
        players = len(self._habits.arrival)
        self._present = [_present(world, day, self._habits, rng) for day in range(world.days)]
        self._weights = [self._habits.engagement[who] * rng.gamma(2.0, 0.5, len(who)) for who in self._present]
        self._left = events - players
        self._gone = np.zeros(players, dtype=bool)
        everyone = np.concatenate(self._present)
        self._visits_left = np.bincount(everyone, minlength=players)
        self._least = int(self._left >= len(everyone))
        self._weight_left = np.bincount(everyone, np.concatenate(self._weights), minlength=players).astype(float)

    def visits(self, day: int) -> list[Visit]:
        """The visits of a day, in the order of their beginning."""
        stay = ~self._gone[self._present[day]]
        player, weight = self._present[day][stay], self._weights[day][stay]
        size = self._sizes(player, weight) + (self._habits.arrival[player] == day)
        player, size = player[size > 0], size[size > 0]
        start = _starts(self._world, day, size, self._rng)
        order = np.lexsort((player, start))
        return list(map(Visit, player[order].tolist(), start[order].tolist(), size[order].tolist()))

    def lapse(self, player: int) -> None:
        """The player does not come back after this day, unless nobody would be left to do what has to happen yet."""
        others = self._visits_left.sum() - self._visits_left[self._gone].sum() - self._visits_left[player]
        if others > 0:
            self._gone[player] = True

    def kind(self, player: int) -> Segment:
        """What kind of player this is."""
        return self._kinds[int(self._habits.kind[player])]

    def is_bot(self, player: int) -> bool:
        """Whether this player is a program."""
        return bool(self._habits.bot[player])

    def _sizes(self, player: Integers, weight: Floats) -> Integers:
        """Events of each visit, beside that of an arrival: what is left, shared by weight with the days to come.

        Where there are enough events, every visit has one at least.
        """
        if not len(player):
            return np.zeros(0, dtype=np.int64)
        here = ~self._gone
        all_weight, visits = self._weight_left[here].sum(), int(self._visits_left[here].sum())
        self._visits_left[player] -= 1
        self._weight_left[player] = self._weight_left[player] - weight
        share = min(1.0, weight.sum() / all_weight) if visits > len(player) else 1.0
        today = self._rng.binomial(self._left - self._least * visits, share)
        self._left -= today + self._least * len(player)
        return self._rng.multinomial(today, weight / weight.sum()) + self._least


def weekday(world: World, day: int) -> int:
    """Day of the week, Monday is 0."""
    return (world.start + timedelta(days=day)).weekday()


def rhythm(world: World) -> tuple[float, ...]:
    """Inclination to play, Monday to Sunday; the same on all days where the world lacks the effect `week`."""
    return WEEK_RHYTHM if "week" in world.effects else (sum(WEEK_RHYTHM) / len(WEEK_RHYTHM),) * len(WEEK_RHYTHM)


def kinds(world: World) -> tuple[Segment, ...]:
    """The kinds of players that the world has."""
    return tuple(SEGMENTS.values()) if "segments" in world.effects else (ALIKE,)


def _habits(world: World, known: tuple[Segment, ...], players: int, rng: np.random.Generator) -> _Habits:
    days = np.arange(world.days)
    rush = np.array([rhythm(world)[weekday(world, day)] for day in range(world.days)])
    rush = rush * (ARRIVAL_FLOOR + np.exp(-days / ARRIVAL_DECAY))
    kind = rng.choice(len(known), size=players, p=[segment.share for segment in known])
    stays = np.array([segment.stay for segment in known])[kind]
    lapsing = (rng.random(players) < LAPSING_SHARE) & ("lapsing" in world.effects)
    bot = (rng.random(players) < BOT_SHARE) & ("bots" in world.effects)
    return _Habits(
        arrival=np.sort(rng.choice(days, size=players, p=rush / rush.sum())),
        stay=np.where(lapsing, 0.0, GRACE_DAYS + rng.exponential(STAY_DAYS, players) * stays),
        chance=rng.beta(*HABIT, players),
        engagement=rng.lognormal(0.0, ENGAGEMENT_SPREAD, players) * np.where(bot, BOT_ENGAGEMENT, 1.0),
        kind=kind,
        bot=bot,
    )


def _present(world: World, day: int, habits: _Habits, rng: np.random.Generator) -> Integers:
    arrived = int(np.searchsorted(habits.arrival, day, side="right"))
    since = day - habits.arrival[:arrived]
    wants = rng.random(arrived) < habits.chance[:arrived] * rhythm(world)[weekday(world, day)]
    return np.flatnonzero((since == 0) | (wants & (since <= habits.stay[:arrived])))


def _starts(world: World, day: int, size: Integers, rng: np.random.Generator) -> Integers:
    hours = np.array(WEEKEND_HOURS if weekday(world, day) >= SATURDAY else WORKDAY_HOURS)
    start = rng.choice(len(hours), size=len(size), p=hours / hours.sum()) * HOUR_MS
    start += rng.integers(0, HOUR_MS, len(size))
    return np.clip(start, 0, np.maximum(DAY_MS - size * EVENT_ROOM_MS, 0))

"""The events of a world: players arrive, come back, quest, buy, gather in guilds, and lapse.

Pure and seeded: no clock, no I/O. Times are the model's own, within the simulated days, in UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from operator import itemgetter

import numpy as np

from questlog.events.catalogue import CATALOGUE, Catalogue
from questlog.events.fields import Value
from questlog.events.validation import timestamp
from questlog.generate import actions
from questlog.generate.attendance import DAY_MS, SATURDAY, Attendance, Visit, weekday
from questlog.generate.bad import BadRequest, Spoiler
from questlog.generate.dice import Dice
from questlog.generate.effects import CAMPAIGN_ANSWERED, CHURN, CHURN_ITEM
from questlog.generate.filling import complete
from questlog.generate.players import Player, arrive
from questlog.generate.prices import WEEKEND_SALE
from questlog.generate.stray import StrayRecord
from questlog.generate.world import World

Event = dict[str, Value]
"""A good event as a client sends it: ``event_type``, ``event_id``, ``event_time``, ``user_id``, its type's fields."""
Generated = Event | BadRequest | StrayRecord

LEAST_DIGITS = 4
"""Digits of a player's number in `user_id`, at least."""
EVENT_DIGITS = 8
"""Digits of an event's number in `event_id`."""


@dataclass(frozen=True)
class Simulation:
    """The events of a world, made anew, and the same, each time it is iterated; `len` knows how many."""

    world: World
    catalogue: Catalogue

    def __len__(self) -> int:
        return self.world.events

    def __iter__(self) -> Iterator[Generated]:
        return _generate(self.world, self.catalogue)


def simulate(world: World, catalogue: Catalogue = CATALOGUE) -> Simulation:
    """Exactly `world.events` events in the order of their time, `world.bad` of them bad; the same for the same world.

    A bad one follows the good one that it was made from, and has its time.
    """
    return Simulation(world, catalogue)


def _generate(world: World, catalogue: Catalogue) -> Iterator[Generated]:
    good = _good(world, catalogue, np.random.default_rng([world.seed, 0]))
    dice = Dice(np.random.default_rng([world.seed, 1]))
    spoiler, bad_left, template = Spoiler(catalogue, dice), world.bad, Event()
    prefix = world.fingerprint
    for index in range(world.events):
        event_id = f"{prefix}-{index:0{EVENT_DIGITS}d}"
        # selection sampling: every place but the first is as likely, and the count comes out exactly
        if index and dice.chance(bad_left / (world.events - index)):
            bad_left -= 1
            yield spoiler.spoil({**template, "event_id": event_id})
        else:
            template = next(good)
            template["event_id"] = event_id
            yield template


def _good(world: World, catalogue: Catalogue, rng: np.random.Generator) -> Iterator[Event]:
    attendance = Attendance(world, world.good, rng)
    game = _Game(world, attendance, actions.Scene(catalogue, Dice(rng)))
    for day in range(world.days):
        game.begin(day)
        played = [event for visit in attendance.visits(day) for event in game.play(visit)]
        played.sort(key=itemgetter(0))
        yield from (event for _, event in played)


class _Game:
    """The players who have arrived, and the scene on which they act."""

    def __init__(self, world: World, attendance: Attendance, scene: actions.Scene) -> None:
        self.world, self.attendance, self.scene = world, attendance, scene
        self.digits = max(LEAST_DIGITS, len(str(world.players)))
        self.players: dict[int, Player] = {}
        self.midnight = datetime.combine(world.start, time(), UTC)

    def begin(self, day: int) -> None:
        """A new day, with what is planted on it."""
        scene, effects = self.scene, self.world.effects
        self.midnight = datetime.combine(self.world.date_of(day), time(), UTC)
        scene.day = day
        scene.sale = WEEKEND_SALE if "sale" in effects and weekday(self.world, day) >= SATURDAY else 1.0
        scene.dear = "price" in effects and day >= self.world.price_day

    def play(self, visit: Visit) -> list[tuple[int, Event]]:
        """The visit's events, each with its time in milliseconds since midnight."""
        again = visit.player in self.players
        played = list(self._play(visit))
        driven = again and "churn" in self.world.effects and any(_drives_away(event) for _, event in played)
        if driven and self.scene.dice.chance(CHURN):
            self.attendance.lapse(visit.player)
        return played

    def _play(self, visit: Visit) -> Iterator[tuple[int, Event]]:
        scene, now, left = self.scene, visit.start, visit.size
        scene.called = False
        if visit.player not in self.players:
            event = self._arrive(visit.player, self.midnight + timedelta(milliseconds=now))
            if event:
                yield now, event
                left -= 1
        player = self.players[visit.player]
        for remaining in range(left, 0, -1):
            scene.last = remaining == 1
            event_type = actions.next_type(scene, player)
            # a visit ends before midnight: its last events come closer together if they must
            room = (DAY_MS - 1 - now) / remaining
            now += max(1, int(min(1000 * actions.pause(scene, player, event_type), room)))
            moment = self.midnight + timedelta(milliseconds=now)
            fields = actions.play(scene, player, event_type, now, moment)
            yield now, _event(event_type.name, moment, player, fields)

    def _arrive(self, number: int, moment: datetime) -> Event | None:
        name = f"player-{number + 1:0{self.digits}d}"
        created_by = next((known for known in self.scene.catalogue if known.name == actions.CREATE), None)
        kind, bot = self.attendance.kind(number), self.attendance.is_bot(number)
        player, told = arrive(name, kind, bot, created_by, self.scene.dice)
        self.players[number] = player
        running = "campaign" in self.world.effects and self.scene.day in self.world.campaign_days
        self.scene.called = running and not bot and self.scene.dice.chance(CAMPAIGN_ANSWERED)
        if created_by is None:
            return None
        return _event(created_by.name, moment, player, complete(created_by, told, moment, self.scene.dice))


def _drives_away(event: Event) -> bool:
    return (event["event_type"], event.get("item")) == CHURN_ITEM


def _event(name: str, moment: datetime, player: Player, fields: dict[str, Value]) -> Event:
    known = {"event_type": name, "event_id": "", "event_time": timestamp(moment), "user_id": player.user_id}
    return {**known, **fields}

"""What a player does next, and what the event says of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from questlog.events.catalogue import Catalogue
from questlog.events.fields import EventType, Value
from questlog.generate import guilds, prices, quests
from questlog.generate.dice import Dice
from questlog.generate.effects import BOT_PAGE, BOT_PAUSE, PRICE_CHANGE, PRICE_RESPONSE, PRICED
from questlog.generate.filling import Wanted, complete, options
from questlog.generate.players import Player
from questlog.generate.segments import INTEREST

CREATE, FINISH, VIEW, JOIN = "create_player", "finish_quest", "page_view", "join_guild"

WEIGHTS = {
    VIEW: 3.2,
    "start_quest": 3.4,
    FINISH: 6.0,
    "purchase_sword": 1.5,
    "purchase_shield": 1.1,
    "purchase_potion": 0.9,
    JOIN: 1.4,
    "leave_guild": 0.09,
}
"""How inclined players are to each action that they can take."""
OTHER_WEIGHT = 0.3
"""The same for an event type that the catalogue has and the model does not know."""
PAUSES = {VIEW: 20, "start_quest": 25, "purchase_sword": 45, "purchase_shield": 45, JOIN: 60}
"""Median seconds before an action."""
OTHER_PAUSE = 30
"""The same for every other action."""
PAGES = {"/": 25, "/shop": 22, "/quests": 20, "/guilds": 16, "/leaderboard": 9, "/profile": 6, "/news": 2}
"""Pages that players look at, as weights."""
PAUSE_SPREAD = 0.8
"""Sigma of the lognormal of the pause before an action."""
LAST_QUEST = 0.15
"""Factor on setting out when it would be the visit's last event."""
LONER_JOINS = 0.08
"""Factor on joining a guild for players who do not seek company."""
IN_QUEST = 0.35
"""Factor on everything else while a quest is under way."""


@dataclass
class Scene:
    """What the actions share: the dice, the guilds, the day, what is planted on it, and the place in the visit.

    `sale` is a factor on prices, `dear` tells whether swords have their new price, `called` whether the player answers
    the guild campaign now, `last` whether this is the visit's last event.
    """

    catalogue: Catalogue
    dice: Dice
    guilds: guilds.Guilds = field(default_factory=guilds.Guilds)
    day: int = 0
    sale: float = 1.0
    dear: bool = False
    called: bool = False
    last: bool = False

    def charge(self, event_type: EventType) -> prices.Charge:
        """What the shop asks today for items of this type, against its list."""
        return prices.Charge(PRICE_CHANGE if self.dear and event_type.name == PRICED else 1.0, self.sale)


class Action(NamedTuple):
    """When an action can be, and what it does.

    `fits` gives a factor on the weight, 0 when the player cannot do it; `play` changes the player, `now` is in
    milliseconds since midnight.
    """

    fits: Callable[[Scene, Player, EventType], float]
    play: Callable[[Scene, Player, EventType, int], Wanted]


def next_type(scene: Scene, player: Player) -> EventType:
    """The type of the player's next event; any type if the model knows none that is possible."""
    known = scene.catalogue.types
    if scene.called or player.bot:
        wanted, scene.called = JOIN if scene.called else VIEW, False
        if wanted in scene.catalogue:
            return scene.catalogue[wanted]
    weights = [_weight(scene, player, event_type) for event_type in known]
    return scene.dice.weighted(known, weights) if any(weights) else scene.dice.of(known)


def pause(scene: Scene, player: Player, event_type: EventType) -> float:
    """Seconds from the player's last event to the next one, which is of this type."""
    if player.bot:
        return BOT_PAUSE
    if event_type.name == FINISH and player.quest and player.quest.day == scene.day:
        return quests.seconds(player.quest, scene.dice)
    return PAUSES.get(event_type.name, OTHER_PAUSE) * math.exp(PAUSE_SPREAD * scene.dice.normal())


def play(scene: Scene, player: Player, event_type: EventType, now: int, moment: datetime) -> dict[str, Value]:
    """The player acts; the fields of the event. `now` and `moment` are the same time."""
    action = ACTIONS.get(event_type.name, OTHER_ACTION)
    possible = action.fits(scene, player, event_type) > 0
    wanted = action.play(scene, player, event_type, now) if possible else {}
    return complete(event_type, wanted, moment, scene.dice)


def _weight(scene: Scene, player: Player, event_type: EventType) -> float:
    name = event_type.name
    action = ACTIONS.get(name, OTHER_ACTION)
    fits = action.fits(scene, player, event_type)
    if not fits:
        return 0.0
    busy = IN_QUEST if player.quest and name != FINISH else 1.0
    dear = PRICE_RESPONSE if scene.dear and name == PRICED else 1.0
    return WEIGHTS.get(name, OTHER_WEIGHT) * fits * player.taste.get(name, 1.0) * busy * dear


def _always(scene: Scene, player: Player, event_type: EventType) -> float:
    return 1.0


def _never(scene: Scene, player: Player, event_type: EventType) -> float:
    return 0.0


def _can_set_out(scene: Scene, player: Player, event_type: EventType) -> float:
    if player.quest:
        return 0.0
    return LAST_QUEST if scene.last else 1.0


def _can_finish(scene: Scene, player: Player, event_type: EventType) -> float:
    return 1.0 if player.quest else 0.0


def _can_buy_gear(scene: Scene, player: Player, event_type: EventType) -> float:
    best = prices.affordable(event_type, player.gold, scene.charge(event_type).factor)
    return 1.0 if best > player.rank(event_type.name) else 0.0


def _can_buy_potions(scene: Scene, player: Player, event_type: EventType) -> float:
    return 1.0 if prices.affordable(event_type, player.gold, scene.charge(event_type).factor) >= 0 else 0.0


def _can_join(scene: Scene, player: Player, event_type: EventType) -> float:
    if player.guild:
        return 0.0
    return 1.0 if player.kind.sociable else LONER_JOINS


def _can_leave(scene: Scene, player: Player, event_type: EventType) -> float:
    return guilds.strife(player.guild) if player.guild else 0.0


def _view(scene: Scene, player: Player, event_type: EventType, now: int) -> Wanted:
    if player.bot:
        return {"page": BOT_PAGE}
    known = options(event_type, "page") or tuple(PAGES)
    liked = player.kind.page
    weights = [PAGES.get(page, 1) * (INTEREST if page == liked else 1.0) for page in known]
    return {"page": scene.dice.weighted(known, weights)}


def _set_out(scene: Scene, player: Player, event_type: EventType, now: int) -> Wanted:
    return quests.set_out(event_type, player, scene.day, now, scene.dice)


def _finish(scene: Scene, player: Player, event_type: EventType, now: int) -> Wanted:
    return quests.return_from(player, scene.day, now, scene.dice)


def _buy_gear(scene: Scene, player: Player, event_type: EventType, now: int) -> Wanted:
    return prices.buy_gear(event_type, player, scene.charge(event_type), scene.dice)


def _buy_potions(scene: Scene, player: Player, event_type: EventType, now: int) -> Wanted:
    return prices.buy_potions(event_type, player, scene.charge(event_type), scene.dice)


def _join(scene: Scene, player: Player, event_type: EventType, now: int) -> Wanted:
    return scene.guilds.join(event_type, player, scene.dice)


def _leave(scene: Scene, player: Player, event_type: EventType, now: int) -> Wanted:
    return scene.guilds.leave(player, scene.dice)


def _unknown(scene: Scene, player: Player, event_type: EventType, now: int) -> Wanted:
    return {}


ACTIONS = {
    CREATE: Action(_never, _unknown),
    VIEW: Action(_always, _view),
    "start_quest": Action(_can_set_out, _set_out),
    FINISH: Action(_can_finish, _finish),
    "purchase_sword": Action(_can_buy_gear, _buy_gear),
    "purchase_shield": Action(_can_buy_gear, _buy_gear),
    "purchase_potion": Action(_can_buy_potions, _buy_potions),
    JOIN: Action(_can_join, _join),
    "leave_guild": Action(_can_leave, _leave),
}
OTHER_ACTION = Action(_always, _unknown)

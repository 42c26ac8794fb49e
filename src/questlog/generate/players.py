"""A player: what they own, what they are in the middle of, and what their character likes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from questlog.events.fields import EventType, Value
from questlog.generate.dice import Dice
from questlog.generate.filling import Wanted, options
from questlog.generate.segments import Segment

START_GOLD = 80
"""Gold of a new player."""
NOTHING_OWNED = -1

CHARACTER_WEIGHTS = (4.0, 3.0, 2.5, 1.5)
"""How often each character is chosen, in the catalogue's order; further ones as often as the last."""
TASTES: tuple[Mapping[str, float], ...] = (
    {"purchase_sword": 1.8, "start_quest": 1.1},
    {"purchase_potion": 1.9, "purchase_sword": 0.6},
    {"page_view": 1.2, "purchase_sword": 1.2, "purchase_shield": 0.5},
    {"purchase_shield": 1.7, "purchase_potion": 1.4, "join_guild": 1.4},
)
"""Factor on the weight of an action, by character in the catalogue's order; 1 where none is given."""
COUNTRIES = {"NL": 24, "DE": 20, "US": 18, "GB": 12, "FR": 10, "BR": 8, "PL": 5, "JP": 3}
"""Players of each country, as weights."""


@dataclass(slots=True)
class Quest:
    """A quest under way. `hardness` goes from 0 to 1; `started` is in milliseconds since that day's midnight."""

    name: str
    hardness: float
    day: int
    started: int


@dataclass(slots=True)
class Player:
    """One player's state. `gear` gives the rank of the best item owned, by the type of event that bought it."""

    user_id: str
    kind: Segment
    taste: Mapping[str, float]
    bot: bool = False
    gold: int = START_GOLD
    wins: int = 0
    potions: int = 0
    guild: str | None = None
    quest: Quest | None = None
    gear: dict[str, int] = field(default_factory=dict)

    def rank(self, bought_by: str) -> int:
        """Rank of the best item owned of one kind, `NOTHING_OWNED` for none."""
        return self.gear.get(bought_by, NOTHING_OWNED)


def arrive(user_id: str, kind: Segment, bot: bool, created_by: EventType | None, dice: Dice) -> tuple[Player, Wanted]:
    """A new player, and what they tell of themselves."""
    characters = options(created_by, "character") if created_by else ()
    ranks = range(max(1, len(characters)))
    rank = dice.weighted(ranks, [CHARACTER_WEIGHTS[min(rank, len(CHARACTER_WEIGHTS) - 1)] for rank in ranks])
    told: dict[str, Value] = {"country": dice.weighted(tuple(COUNTRIES), tuple(COUNTRIES.values()))}
    if characters:
        told["character"] = characters[rank]
    return Player(user_id, kind, _tastes(TASTES[rank % len(TASTES)], kind.tastes), bot), told


def _tastes(*factors: Mapping[str, float]) -> Mapping[str, float]:
    names = {name for known in factors for name in known}
    return {name: math.prod(known.get(name, 1.0) for known in factors) for name in names}

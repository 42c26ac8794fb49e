"""The shop: what items cost, what a player can afford, and what they take."""

from __future__ import annotations

import functools
import math
from bisect import bisect_right
from collections.abc import Mapping
from typing import NamedTuple

from questlog.events.fields import EventType
from questlog.generate.dice import Dice
from questlog.generate.filling import Wanted, options
from questlog.generate.players import Player


class PriceLevel(NamedTuple):
    """Price of the first item of a kind, and the factor from each item to the next dearer one."""

    base: float
    growth: float


class Charge(NamedTuple):
    """Factors on the list's prices on a day: the lasting one, and that of the day's sale."""

    factor: float = 1.0
    sale: float = 1.0


PRICE_LEVELS: Mapping[str, PriceLevel] = {
    "purchase_sword": PriceLevel(40, 2.7),
    "purchase_shield": PriceLevel(30, 3.1),
    "purchase_potion": PriceLevel(9, 1.9),
}
"""Gold, by type of event: the catalogue lists a kind's items from the cheapest to the dearest."""
GEAR = ("purchase_sword", "purchase_shield")
"""Bought once, and again only for something better."""
PRICE_SPREAD = 0.06
"""Sigma of the lognormal by which a price differs from its level."""
PRICE_ROOM = 1.2
"""How many times an item's price level a player holds who takes it: its price may be above its level."""
WEEKEND_SALE = 0.9
"""Factor on prices on Saturday and Sunday."""
TAKES_DEAREST = 0.75
"""How often a player takes the dearest affordable item rather than any better one."""
NEXT_PIECE = 0.45
"""Chance of one more potion in the same purchase."""
POTION_PURSE = 0.5
"""Largest part of their gold that a player spends on potions at once."""


def price_list(event_type: EventType) -> tuple[float, ...]:
    """Price levels of the type's items, in the catalogue's order, in gold."""
    return _prices(event_type.name, len(options(event_type, "item")))


def affordable(event_type: EventType, gold: float, factor: float = 1.0) -> int:
    """Rank of the dearest item that the gold covers, with room, when prices are `factor` times the list's; or -1."""
    return bisect_right(price_list(event_type), gold / (factor * PRICE_ROOM)) - 1


def buy_gear(event_type: EventType, player: Player, charge: Charge, dice: Dice) -> Wanted:
    """A sword or shield better than the player's own; the player pays."""
    worst, best = player.rank(event_type.name) + 1, affordable(event_type, player.gold, charge.factor)
    rank = best if dice.chance(TAKES_DEAREST) else worst + dice.below(best - worst + 1)
    price = min(player.gold, _price(event_type, rank, charge, dice))
    player.gold -= price
    player.gear[event_type.name] = rank
    return {"item": options(event_type, "item")[rank], "price": price}


def buy_potions(event_type: EventType, player: Player, charge: Charge, dice: Dice) -> Wanted:
    """One or more potions of a kind, the cheaper the likelier; the player pays."""
    ranks = range(affordable(event_type, player.gold, charge.factor) + 1)
    rank = dice.weighted(ranks, [1 / (rank + 1) for rank in ranks])
    price = min(player.gold, _price(event_type, rank, charge, dice))
    most = max(1, math.floor(player.gold * POTION_PURSE / max(price, 1)))
    quantity = 1
    while quantity < most and dice.chance(NEXT_PIECE):
        quantity += 1
    player.gold -= price * quantity
    player.potions += quantity
    return {"item": options(event_type, "item")[rank], "price": price, "quantity": quantity}


@functools.cache
def _prices(bought_by: str, items: int) -> tuple[float, ...]:
    level = PRICE_LEVELS[bought_by]
    return tuple(level.base * level.growth**rank for rank in range(items))


def _price(event_type: EventType, rank: int, charge: Charge, dice: Dice) -> int:
    level = price_list(event_type)[rank] * charge.factor * charge.sale
    return max(1, round(level * math.exp(PRICE_SPREAD * dice.normal())))

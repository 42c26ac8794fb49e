"""Guilds: some attract more than others, members attract members, and in some there is strife."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from questlog.events.fields import EventType
from questlog.generate.dice import Dice
from questlog.generate.filling import Wanted, options
from questlog.generate.players import Player


class GuildKind(NamedTuple):
    """How much a guild attracts, and how much more often than elsewhere its members leave."""

    appeal: float
    strife: float


GUILDS = {
    "Night Watch": GuildKind(3.0, 0.7),
    "Iron Wolves": GuildKind(2.4, 1.0),
    "Silver Dawn": GuildKind(1.8, 0.6),
    "Crimson Tide": GuildKind(1.8, 3.0),
    "Lantern Keepers": GuildKind(1.0, 0.8),
    "Pixel Pirates": GuildKind(0.7, 1.6),
}
"""The guilds, where the catalogue does not list its own."""
OTHER_GUILD = GuildKind(1.0, 1.0)
"""A guild that the catalogue offers and the table above does not know."""
COMPANY = 0.5
"""Power of a guild's size by which it attracts further members."""
REASONS = {"too quiet": 5, "too strict": 3, "friends left": 3, "found a better guild": 4, "no time": 2}
"""Why players leave, as weights."""


class Guilds:
    """Who is a member of what, in one simulated world."""

    def __init__(self) -> None:
        self.members: Counter[str] = Counter()

    def join(self, event_type: EventType, player: Player, dice: Dice) -> Wanted:
        """The player joins a guild."""
        names = options(event_type, "guild") or tuple(GUILDS)
        player.guild = dice.weighted(names, [self._pull(name) for name in names])
        self.members[player.guild] += 1
        return {"guild": player.guild}

    def leave(self, player: Player, dice: Dice) -> Wanted:
        """The player leaves their guild, and says why."""
        guild = player.guild
        assert guild is not None
        player.guild = None
        self.members[guild] -= 1
        return {"guild": guild, "reason": dice.weighted(tuple(REASONS), tuple(REASONS.values()))}

    def _pull(self, name: str) -> float:
        return GUILDS.get(name, OTHER_GUILD).appeal * float((1 + self.members[name]) ** COMPANY)


def strife(guild: str) -> float:
    """How much more often than elsewhere the guild's members leave."""
    return GUILDS.get(guild, OTHER_GUILD).strife

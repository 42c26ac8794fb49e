"""Quests: which one, how hard, how it ends, what it pays."""

from __future__ import annotations

import math
from typing import NamedTuple

from questlog.events.fields import EventType
from questlog.generate.dice import Dice
from questlog.generate.filling import Wanted, options
from questlog.generate.players import NOTHING_OWNED, Player, Quest
from questlog.generate.prices import GEAR

WON, LOST, ABANDONED = "won", "lost", "abandoned"


class QuestKind(NamedTuple):
    """How often a quest is chosen, its seconds at medium hardness, what it takes off the chance to win, how it pays."""

    popularity: float
    median_seconds: float
    peril: float
    pay: float


QUESTS = {
    "Goblin Market": QuestKind(5.0, 240, peril=0.0, pay=0.7),
    "Wolves of the North": QuestKind(4.0, 330, peril=0.05, pay=1.0),
    "The Dragon's Lair": QuestKind(3.5, 640, peril=0.3, pay=1.8),
    "The Sunken Library": QuestKind(2.0, 480, peril=0.05, pay=1.1),
    "The Clockwork Tower": QuestKind(1.5, 560, peril=0.15, pay=1.2),
}
"""The quests, where the catalogue does not list its own."""
OTHER_QUEST = QuestKind(2.0, 400, peril=0.05, pay=1.0)
"""A quest that the catalogue offers and the table above does not know."""

DURATION_SPREAD = 0.35
"""Sigma of the lognormal of a quest's duration."""
SKILL_WINS = 6
"""Wins after which a player prefers the middle of the difficulties."""
PICKINESS = 0.15
"""How far players stray from the difficulty that suits them; smaller is pickier."""
WIN_EASY = 0.86
"""Chance to win the easiest quest with bare hands, where there is no peril."""
WIN_HARD = 0.4
"""Chance to win the hardest quest with bare hands, where there is no peril."""
GEAR_HELPS = 0.05
"""What each rank of sword and shield adds to the chance to win."""
POTION_HELPS = 0.08
"""What a potion adds to the chance to win."""
WIN_MOST = 0.96
"""The most that the chance to win can be."""
GIVES_UP = (0.04, 0.12)
"""Chance to abandon the easiest and the hardest quest."""
BREAKS = 0.25
"""Chance that a lost quest costs a rank of sword or shield."""
REWARD_EASY = 55
"""Median gold for winning the easiest quest, where it pays as usual."""
REWARD_GROWTH = 6.0
"""Factor on that gold from the easiest to the hardest quest."""
REWARD_SPREAD = 0.3
"""Sigma of the lognormal of a quest's gold."""


def set_out(event_type: EventType, player: Player, day: int, now: int, dice: Dice) -> Wanted:
    """The player begins a quest."""
    names = options(event_type, "quest") or tuple(QUESTS)
    name = dice.weighted(names, [QUESTS.get(name, OTHER_QUEST).popularity for name in names])
    levels = options(event_type, "difficulty") or ("",)
    rank = dice.weighted(range(len(levels)), [_suits(_hardness(rank, levels), player) for rank in range(len(levels))])
    player.quest = Quest(name, _hardness(rank, levels), day, now)
    return {"quest": name, "difficulty": levels[rank]}


def return_from(player: Player, day: int, now: int, dice: Dice) -> Wanted:
    """The player's quest ends; one of an earlier day is abandoned, and nobody knows how long it took."""
    quest = player.quest
    assert quest is not None
    player.quest = None
    if quest.day != day:
        return {"quest": quest.name, "outcome": ABANDONED, "gold": 0, "duration": None}
    outcome = _outcome(player, quest, dice)
    gold = _reward(quest, dice) if outcome == WON else 0
    player.gold += gold
    return {"quest": quest.name, "outcome": outcome, "gold": gold, "duration": (now - quest.started) // 1000}


def seconds(quest: Quest, dice: Dice) -> float:
    """How long the rest of the quest takes."""
    return _kind(quest).median_seconds * (0.75 + 0.5 * quest.hardness) * math.exp(DURATION_SPREAD * dice.normal())


def _kind(quest: Quest) -> QuestKind:
    return QUESTS.get(quest.name, OTHER_QUEST)


def _outcome(player: Player, quest: Quest, dice: Dice) -> str:
    if dice.chance(_between(*GIVES_UP, quest.hardness)):
        return ABANDONED
    helped = player.potions > 0
    player.potions -= helped
    ranks = sum(player.rank(bought_by) + 1 for bought_by in GEAR)
    helps = GEAR_HELPS * ranks + POTION_HELPS * helped - _kind(quest).peril
    if dice.chance(min(WIN_MOST, _between(WIN_EASY, WIN_HARD, quest.hardness) + helps)):
        player.wins += 1
        return WON
    if dice.chance(BREAKS):
        broken = dice.of(GEAR)
        player.gear[broken] = max(player.rank(broken) - 1, NOTHING_OWNED)
    return LOST


def _reward(quest: Quest, dice: Dice) -> int:
    median: float = REWARD_EASY * _kind(quest).pay * REWARD_GROWTH**quest.hardness
    return round(median * math.exp(REWARD_SPREAD * dice.normal()))


def _suits(hardness: float, player: Player) -> float:
    skill = player.wins / (player.wins + SKILL_WINS)
    return math.exp(-((hardness - skill) ** 2) / PICKINESS)


def _hardness(rank: int, levels: tuple[str, ...]) -> float:
    return rank / (len(levels) - 1) if len(levels) > 1 else 0.5


def _between(first: float, last: float, share: float) -> float:
    return first + (last - first) * share

"""What kinds of players there are: explorers, collectors, social players."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Segment(NamedTuple):
    """One kind: its share of the players, the page it likes, factors on actions' weights, who joins, who stays.

    `sociable` players seek a guild, others rarely join one; `stay` is a factor on the days until a player lapses.
    """

    share: float
    page: str
    tastes: Mapping[str, float]
    sociable: bool
    stay: float


SEGMENTS = {
    "explorer": Segment(
        0.35,
        "/quests",
        {"start_quest": 1.5, "purchase_sword": 0.6, "purchase_shield": 0.6, "purchase_potion": 0.6},
        sociable=False,
        stay=1.0,
    ),
    "collector": Segment(
        0.25,
        "/shop",
        {"purchase_sword": 2.0, "purchase_shield": 2.0, "purchase_potion": 2.0},
        sociable=False,
        stay=1.0,
    ),
    "social": Segment(0.4, "/guilds", {}, sociable=True, stay=2.2),
}
"""The kinds, where the world has the effect `segments`."""
ALIKE = Segment(1.0, "", {}, sociable=True, stay=1.4)
"""What everybody is where it has not."""
INTEREST = 6.0
"""How many times as often as other players those of a segment look at the page it likes."""

"""The truth of what is planted in a world, in the quantities that an analysis would measure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from questlog.generate import effects, prices
from questlog.generate.actions import PAGES
from questlog.generate.attendance import SATURDAY, WEEK_RHYTHM
from questlog.generate.segments import INTEREST, SEGMENTS
from questlog.generate.world import World


class Planted(NamedTuple):
    """One quantity: its value where the world has the `effect`, and `without` it."""

    effect: str
    measure: str
    value: float
    without: float
    meaning: str


def planted(world: World) -> pd.DataFrame:
    """A row for each quantity that can be measured: what is true of this world.

    Columns: ``effect`` (of `effects.EFFECTS`), ``measure``, ``meaning`` (strings), ``truth`` and ``without``, what it
    is in a world that lacks the effect: the two are equal where this one does.
    """
    rows = [
        (one.effect, one.measure, one.meaning, one.value if one.effect in world.effects else one.without, one.without)
        for one in _quantities()
    ]
    return pd.DataFrame(rows, columns=["effect", "measure", "meaning", "truth", "without"])


def _quantities() -> Iterator[Planted]:
    week = np.mean(WEEK_RHYTHM[SATURDAY:]) / np.mean(WEEK_RHYTHM[:SATURDAY])
    yield Planted("week", "weekend", float(week), 1, "players on a day of a weekend: factor against a workday")
    yield Planted("sale", "sale", prices.WEEKEND_SALE, 1, "prices of swords at weekends: factor against workdays")
    yield Planted("segments", "interest", _interest(), 0, "same page liked: excess over chance")
    yield Planted("lapsing", "lapsing", effects.LAPSING_SHARE, 0, "new players who never come back: share")
    yield Planted("price", "price", effects.PRICE_CHANGE, 1, "prices of swords after the change: factor")
    yield Planted("price", "demand", effects.PRICE_RESPONSE, 1, "odds that a first purchase is a sword: factor")
    yield Planted("campaign", "campaign", effects.CAMPAIGN_ANSWERED, 0, "new players who join for the campaign: share")
    yield Planted("churn", "churn", effects.CHURN, 0, "buyers whom haste potions drive away: share")
    yield Planted("bots", "bots", effects.BOT_SHARE, 0, "players who are programs: share")


def _interest() -> float:
    """How much likelier two views of one player are of the same page than two of different players.

    Of the pages that a segment likes; the chances of each follow from `PAGES`, `INTEREST` and the segments' shares.
    """
    liked = [segment.page for segment in SEGMENTS.values()]
    weights = np.array([[PAGES[page] * (INTEREST if page == own else 1) for page in liked] for own in liked])
    chances = weights / weights.sum(axis=1, keepdims=True)
    shares = np.array([segment.share for segment in SEGMENTS.values()])
    return float(shares @ (chances**2).sum(axis=1) - ((shares @ chances) ** 2).sum())

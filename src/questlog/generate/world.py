"""A world to simulate: how many players, events and days, what is planted in it, and the seed that fixes the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta

from questlog.errors import SettingsError
from questlog.events.validation import EARLIEST, LATEST
from questlog.generate.effects import CAMPAIGN_DAYS, EFFECTS, PRICE_DAY
from questlog.generate.limits import check

MOST_PLAYERS = 1_000_000
MOST_EVENTS = 10_000_000
MOST_DAYS = 366
MOST_SEED = 2**63 - 1
MOST_BAD = 0.5
FINGERPRINT_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class World:
    """What is simulated; the same world gives the same events, byte for byte.

    `players` arrive in the course of the `days` from `start` on (fewer, if there are not two events for each), and send
    `events` in all, of which `bad_share` are bad: one half requests that are refused, the other stray records.
    `effects` names what is planted for analysis to find, of `EFFECTS`; they are kept in that order.

    Raises:
        SettingsError: names the field, its value and its limits.
    """

    players: int = 1_000
    events: int = 20_000
    days: int = 28
    start: date = date(2026, 1, 5)
    seed: int = 1
    bad_share: float = 0.0
    effects: Sequence[str] = EFFECTS

    def __post_init__(self) -> None:
        check("players", self.players, 1, MOST_PLAYERS)
        check("events", self.events, 1, MOST_EVENTS)
        check("days", self.days, 1, MOST_DAYS)
        check("seed", self.seed, 0, MOST_SEED)
        check("bad_share", self.bad_share, 0, MOST_BAD)
        check("start", self.start, EARLIEST.date(), LATEST.date() - timedelta(days=self.days))
        object.__setattr__(self, "effects", _known(self.effects))

    @property
    def price_day(self) -> int:
        """The day from which on swords have their new price, counted from 0."""
        return int(PRICE_DAY * self.days)

    @property
    def campaign_days(self) -> range:
        """The days of the guild campaign, counted from 0; at least one."""
        first, end = (int(share * self.days) for share in CAMPAIGN_DAYS)
        return range(first, max(first + 1, end))

    @property
    def price_date(self) -> date:
        """The date of `price_day`."""
        return self.date_of(self.price_day)

    @property
    def campaign_dates(self) -> tuple[date, date]:
        """The first and the last date of `campaign_days`."""
        return self.date_of(self.campaign_days[0]), self.date_of(self.campaign_days[-1])

    def date_of(self, day: int) -> date:
        """The date of a day that is counted from 0."""
        return self.start + timedelta(days=day)

    @property
    def bad(self) -> int:
        """How many of the events are bad: requests that are refused, and stray records."""
        return round(self.bad_share * self.events)

    @property
    def good(self) -> int:
        """How many of the events the API accepts."""
        return self.events - self.bad

    @property
    def strays(self) -> int:
        """How many of the bad ones are stray records; the others are requests that the API refuses."""
        return self.bad // 2

    @property
    def fingerprint(self) -> str:
        """Names the world in its events' ids, so that two worlds never share one."""
        values = repr([(field.name, str(getattr(self, field.name))) for field in fields(self)])
        return hashlib.sha256(values.encode()).hexdigest()[:FINGERPRINT_DIGITS]


def _known(effects: Sequence[str]) -> tuple[str, ...]:
    given = {effects} if isinstance(effects, str) else set(effects)
    if unknown := sorted(given - set(EFFECTS)):
        raise SettingsError(
            f"effects has {unknown[0]!r}; give names of {', '.join(EFFECTS)}, or an empty list for a world without any"
        )
    return tuple(name for name in EFFECTS if name in given)

"""A world's limits, and what follows from them."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from questlog.errors import SettingsError
from questlog.generate.effects import EFFECTS
from questlog.generate.world import MOST_EVENTS, MOST_PLAYERS, World


@pytest.mark.parametrize(
    ("field", "value", "limit"),
    [
        ("players", 0, "1"),
        ("players", MOST_PLAYERS + 1, "1000000"),
        ("events", 0, "1"),
        ("events", MOST_EVENTS + 1, "10000000"),
        ("days", 0, "1"),
        ("days", 367, "366"),
        ("seed", -1, "0"),
        ("bad_share", -0.1, "0"),
        ("bad_share", 0.51, "0.5"),
        ("start", date(2019, 12, 31), "2020-01-01"),
        ("start", date(2099, 12, 20), "2099-12-04"),
    ],
)
def test_a_value_out_of_its_limits_is_refused_with_value_and_limit(field: str, value: object, limit: str) -> None:
    with pytest.raises(SettingsError, match=f"{field} is {value}; .*{limit}"):
        World(**{field: value})  # type: ignore[arg-type]


def test_good_and_bad_events_add_up_to_all() -> None:
    world = World(events=5001, bad_share=0.02)

    assert (world.good, world.bad, world.strays) == (4901, 100, 50)


@pytest.mark.parametrize(
    "change", [{"players": 201}, {"events": 4999}, {"days": 27}, {"seed": 2}, {"bad_share": 0.1}, {"effects": ()}]
)
def test_worlds_that_differ_have_different_fingerprints(change: dict[str, Any]) -> None:
    world = World()

    assert replace(world, **change).fingerprint != world.fingerprint
    assert replace(world).fingerprint == world.fingerprint


def test_an_effect_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(SettingsError, match=r"effects has 'moon'; give names of week, sale, segments, .*bots"):
        World(effects=["week", "moon"])


def test_effects_are_kept_in_one_order_so_that_the_same_ones_are_the_same_world() -> None:
    first, second = World(effects=["bots", "week"]), World(effects=("week", "bots", "week"))

    assert first == second
    assert first.fingerprint == second.fingerprint
    assert World(effects="week").effects == ("week",)
    assert World().effects == EFFECTS


@pytest.mark.parametrize("days", [1, 2, 28, 366])
def test_the_known_days_exist_in_a_world_of_any_length(days: int) -> None:
    world = World(days=days, start=date(2026, 1, 5))
    first, last = world.campaign_dates

    assert world.date_of(0) <= world.price_date <= world.date_of(days - 1)
    assert world.date_of(0) <= first <= last <= world.date_of(days - 1)

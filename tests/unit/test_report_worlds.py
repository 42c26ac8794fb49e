"""The report's sentences are true and whole in any world: small ones, long ones, those in which nothing is planted."""

import dataclasses
import re
from typing import Any

import pandas as pd
import pytest
from simulated_report import answers

from questlog.generate.planted import planted
from questlog.generate.world import World
from questlog.query import library
from questlog.report import recovery, telling
from questlog.report.figures import recovered, timelines
from questlog.report.findings import Finding

WORLDS: list[dict[str, Any]] = [
    {},
    {"effects": ()},
    {"players": 1, "events": 1, "days": 1},
    {"players": 2, "events": 9, "days": 3},
    {"players": 20, "events": 300, "days": 7},
    {"players": 60, "events": 60},
    {"players": 100, "events": 3_000, "days": 14},
    {"days": 84},
    {"effects": (), "days": 84},
    {"effects": ("lapsing",), "days": 36},
]
HOLES = re.compile(r"\bnan\b|\binf\b|None\b(?!:)|\(0 of 0\)|\b1 (?:players|events|items|days|weeks|programs)\b|  ")

every_world = pytest.mark.parametrize("size", WORLDS, ids=str)


def told(world: World) -> dict[str, Finding]:
    return telling.tell(answers(world), known_days(world))


def known_days(world: World) -> recovery.KnownDays:
    return recovery.KnownDays(world.price_date, world.campaign_dates)


def compared(world: World) -> pd.DataFrame:
    return recovery.compare(planted(world), answers(world), known_days(world))


@every_world
def test_no_sentence_has_a_hole_or_counts_one_as_many(size: dict[str, Any]) -> None:
    world = World(**size)
    for name, finding in {**told(world), "recovery": recovery.summary(compared(world))}.items():
        text = " ".join(filter(None, dataclasses.astuple(finding)))
        assert not HOLES.search(text), (name, text)


@every_world
def test_what_cannot_be_measured_is_recommended_nothing(size: dict[str, Any]) -> None:
    for finding in told(World(**size)).values():
        assert finding.title.startswith("Nothing to say about") == finding.confidence.startswith("None")


@every_world
def test_its_charts_can_be_drawn(size: dict[str, Any]) -> None:
    world = World(**size)
    found, known = answers(world), known_days(world)
    timelines.price_change(found["prices_by_day"], found["first_purchases"], known.price).draw_without_rendering()
    timelines.campaign(found["new_players_joining"], known.campaign).draw_without_rendering()
    recovered.recovered(compared(world), compared(World(**{**size, "effects": ()}))).draw_without_rendering()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_world_without_effects_is_told_none_of_them(seed: int) -> None:
    finding = told(World(seed=seed, effects=()))
    assert "do not clearly choose swords more or less often" in finding["price_change"].title
    assert finding["campaign"].title == "The guild campaign shows no clear effect on who joins"
    assert finding["staying_away"].title.startswith("After no item")
    assert finding["bots"].title == "No player is known to behave like a program"


def test_the_frames_of_these_tests_have_the_columns_of_the_named_query() -> None:
    for name, frame in answers(World()).items():
        assert list(frame.columns) == list(library.describe(name).columns)

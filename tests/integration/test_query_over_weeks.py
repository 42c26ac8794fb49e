"""Questions whose answers take weeks of events: each has a known answer for five players in three weeks."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import landed
import pytest
from test_query import day, new_tables, rows

from questlog import pipeline
from questlog.lake.hdfs import Hdfs
from questlog.query import library
from questlog.settings import Settings

NOON = landed.NOON


def at(days: int, minutes: float = 0) -> datetime:
    return NOON + timedelta(days=days, minutes=minutes)


def potion(user: str, days: int, item: str, quantity: int = 1) -> dict[str, Any]:
    return landed.event(user, at(days, 30), item=item, price=10, quantity=quantity)


STORY = {
    # The first day is a Monday. Ada comes the day after, on the Saturday, and twice later. Bob is back after two weeks.
    # Cy looks in once. Dan is a program. Eve comes in the second week, and stays to the end of the third.
    "create_player": [
        landed.event("ada", at(0), character="mage", country="NL"),
        landed.event("bob", at(0), character="rogue", country="NL"),
        landed.event("cy", at(1), character="mage", country="NL"),
        landed.event("dan", at(7), character="mage", country="NL"),
        landed.event("eve", at(7), character="mage", country="NL"),
    ],
    "page_view": [
        landed.event("ada", at(0, 1), page="/shop"),
        landed.event("ada", at(0, 2), page="/shop"),
        landed.event("ada", at(5), page="/quests"),
        landed.event("bob", at(0, 1), page="/guilds"),
        landed.event("bob", at(15), page="/"),
        *(landed.event("dan", at(7, seconds / 60), page="/leaderboard") for seconds in (2, 4, 6, 8)),
        landed.event("eve", at(16), page="/"),
        landed.event("eve", at(20), page="/"),
    ],
    "start_quest": [
        landed.event("ada", at(0, 3), quest="Lair", difficulty="hard"),
        landed.event("bob", at(0, 3), quest="Lair", difficulty="hard"),
        landed.event("eve", at(7, 3), quest="Lair", difficulty="hard"),
    ],
    "join_guild": [landed.event("ada", at(0, 4), guild="Owls"), landed.event("eve", at(8), guild="Owls")],
    "leave_guild": [landed.event("ada", at(8, 1), guild="Owls", reason="too quiet")],
    "purchase_sword": [
        landed.event("ada", at(0, 63), item="iron", price=40),
        landed.event("eve", at(16, 40), item="iron", price=90),
        landed.event("ada", at(16, 5), item="iron", price=160),
    ],
    "purchase_shield": [landed.event("eve", at(7, 23), item="kite", price=50)],
    "purchase_potion": [
        potion("ada", 1, "haste", quantity=2),
        potion("ada", 8, "mana"),
        potion("bob", 2, "haste"),
        potion("bob", 2, "mana"),
        potion("eve", 8, "mana"),
    ],
}

ANSWERS: dict[str, list[tuple[object, ...]]] = {
    # Cy has no pause that could tell.
    "bots": [("people", 3, 25), ("programs", 1, 5), ("unclear", 1, 1)],
    "first_purchases": [(day(0), "mage", "sword", 1), (day(2), "rogue", "potion", 1), (day(7), "mage", "shield", 1)],
    # Cy and Dan are not seen again; Bob and Eve on one workday; Ada on a workday and a Saturday.
    "first_week": [(0, 0, False, 2), (1, 0, True, 2), (1, 1, True, 1)],
    "guild_growth": [(day(0), "Owls", 1, 0, 1), (day(8), "Owls", 1, 1, 1)],
    # Cy did nothing but come, and does not count.
    "new_players_joining": [(day(0), 2, 1), (day(7), 2, 0)],
    "page_interests": [(0, 0, 0, 2), (0, 0, 1, 1), (2, 1, 0, 1)],
    "players_by_week": [(day(0), 3, 3, 0, 0, 2), (day(7), 3, 2, 1, 0, 1), (day(14), 3, 0, 2, 1, None)],
    # The geometric mean of 90 and 160 is 120.
    "prices_by_day": [(day(0), "iron", 1, 40, 40.0), (day(16), "iron", 2, 250, 120.0)],
    "purchase_funnel": [
        (1, "created a player", 5, 1.0, 1.0, None),
        (2, "started a quest", 3, 3 / 5, 3 / 5, 3 / 60),
        (3, "bought an item", 3, 3 / 5, 1.0, 1.0),
        (4, "bought again", 3, 3 / 5, 1.0, 23.45),
    ],
    "repeat_purchases": [
        (1, 3, 1.0, None),
        (2, 3, 1.0, 23.45),
        (3, 2, 2 / 3, 7 * 24.0),
        (4, 1, 1 / 2, pytest.approx(8 * 24 - 25 / 60)),
    ],
    "retention_by_cohort": [
        (day(0), 0, 3, 3, 1.0),
        (day(0), 1, 3, 1, 1 / 3),
        (day(0), 2, 3, 2, 2 / 3),
        (day(7), 0, 2, 2, 1.0),
        (day(7), 1, 2, 1, 1 / 2),
    ],
    "returning_by_joining": [(day(0), "no", 1, 0, 20), (day(0), "yes", 1, 1, 70), (day(7), "no", 2, 1, 150)],
    # Bob bought more often than he set out; Cy and Dan were there on one day.
    "revenue_by_segment": [
        ("collector", 1, "potion", "haste", 1, 1, 10),
        ("collector", 1, "potion", "mana", 1, 1, 10),
        ("passer-by", 2, None, None, 0, 0, 0),
        ("social", 2, "sword", "iron", 2, 3, 290),
        ("social", 2, "shield", "kite", 1, 1, 50),
        ("social", 2, "potion", "haste", 1, 2, 20),
        ("social", 2, "potion", "mana", 2, 2, 20),
    ],
    # Half an hour without an event is still the same session, 40 minutes are not.
    "sessions": [
        (0, 11, 5, 16, 11 / 16),
        (1, 2, 2, 8, 2 / 16),
        (5, 0, 0, 0, 0.0),
        (10, 0, 0, 0, 0.0),
        (20, 2, 2, 5, 2 / 16),
        (30, 1, 1, 2, 1 / 16),
        (60, 0, 0, 0, 0.0),
    ],
    # Of the days with a haste potion, Bob's was followed by a week's absence, Ada's was not.
    "staying_away": [("potion", "haste", 2, 1, 2, 2), ("potion", "mana", 3, 3, 1, 0)],
    "stickiness": [
        (day(0), 2, 2, 1, 1.0),
        (day(1), 2, 3, 2, 2 / 3),
        (day(2), 1, 3, 3, 1 / 3),
        (day(5), 1, 3, 6, 1 / 3),
        (day(7), 2, 5, 8, 2 / 5),
        (day(8), 2, 5, 9, 2 / 5),
        (day(15), 1, 5, 16, 1 / 5),
        (day(16), 2, 5, 17, 2 / 5),
        (day(20), 1, 5, 21, 1 / 5),
    ],
}


@pytest.fixture(scope="module")
def tables_of_three_weeks(settings: Settings) -> Iterator[Settings]:
    with new_tables(settings.in_namespace("test_query_weeks")) as here:
        tell(here, STORY)
        yield here


def tell(settings: Settings, story: Mapping[str, list[dict[str, Any]]]) -> None:
    landed.land_story(Hdfs(settings), settings, story)
    pipeline.announce(settings)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_query_gives_its_known_answer_with_the_columns_it_describes(
    tables_of_three_weeks: Settings, name: str
) -> None:
    frame = library.run(tables_of_three_weeks, name)
    assert list(frame.columns) == list(library.describe(name).columns)
    assert rows(frame) == ANSWERS[name]


def test_a_shorter_month_forgets_earlier_players(tables_of_three_weeks: Settings) -> None:
    last = library.run(tables_of_three_weeks, "stickiness", days=4).iloc[-1]
    assert (last["players_of_window"], last["window_days"]) == (1, 4)


def test_a_week_that_the_data_do_not_hold_to_its_end_is_left_out(settings: Settings) -> None:
    to_saturday = {name: [event for event in events if event["event_time"] < at(20)] for name, events in STORY.items()}
    with new_tables(settings.in_namespace("test_query_cut_week")) as here:
        tell(here, to_saturday)
        assert rows(library.run(here, "players_by_week")) == [(day(0), 3, 3, 0, 0, 2), (day(7), 3, 2, 1, 0, None)]


def test_a_shorter_gap_makes_more_sessions(tables_of_three_weeks: Settings) -> None:
    half_an_hour, ten_minutes = (library.run(tables_of_three_weeks, "sessions", gap=gap) for gap in (30, 10))
    assert (half_an_hour["sessions"].sum(), ten_minutes["sessions"].sum()) == (16, 19)


def test_another_kind_has_prices_too(tables_of_three_weeks: Settings) -> None:
    assert rows(library.run(tables_of_three_weeks, "prices_by_day", kind="shield")) == [(day(7), "kite", 1, 50, 50.0)]

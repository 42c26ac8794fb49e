"""What is planted in a world is found again, and nothing is found where nothing is planted."""

import math
import re
from datetime import date

import numpy as np
import pandas as pd
import pytest
from simulated_answers import answers

from questlog.generate.effects import EFFECTS
from questlog.generate.planted import planted
from questlog.generate.world import World
from questlog.query import library
from questlog.report import estimates, recovery
from questlog.report.evidence import Share
from questlog.report.figures import recovered
from questlog.report.recovery import UNCLEAR

FEW = {"players": 200, "events": 5_000}
"""A size at which not every effect is found."""


def compared(world: World) -> pd.DataFrame:
    known = recovery.KnownDays(world.price_date, world.campaign_dates)
    return recovery.compare(planted(world), answers(world), known)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_planted_quantity_is_found_with_the_truth_in_its_interval(seed: int) -> None:
    frame = compared(World(seed=seed))
    assert frame[~frame["within"] | (frame["verdict"] != "planted, and found")].to_dict("records") == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_is_found_where_everything_is_switched_off(seed: int) -> None:
    frame = compared(World(seed=seed, effects=()))
    assert frame[~frame["within"] | (frame["verdict"] != "not planted, not found")].to_dict("records") == []


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_that_alone_is_switched_off_is_the_only_one_not_found(name: str) -> None:
    world = World(seed=4, effects=[known for known in EFFECTS if known != name])
    frame = compared(world).assign(effect=planted(world)["effect"])
    verdicts = frame["verdict"].groupby(frame["effect"] == name).unique().map(list).to_dict()
    assert verdicts == {True: ["not planted, not found"], False: ["planted, and found"]}


def test_tables_without_rows_tell_nothing_and_that_is_said() -> None:
    empty = {name: pd.DataFrame(columns=list(library.describe(name).columns)) for name in recovery.QUERIES}
    world = World(players=1, events=1)
    frame = recovery.compare(planted(world), empty, recovery.KnownDays(world.price_date, world.campaign_dates))
    assert set(frame["verdict"]) == {UNCLEAR}
    assert not frame["within"].any()
    assert recovery.summary(frame).title == "Too few data to find anything again"


@pytest.mark.parametrize("days", [1, 3, 9, 20])
def test_a_small_world_leaves_some_quantities_open(days: int) -> None:
    frame = compared(World(players=40, events=400, days=days))
    assert UNCLEAR in set(frame["verdict"])
    assert "could not be estimated" in recovery.summary(frame).sentence


def test_the_frames_of_these_tests_have_the_columns_of_the_named_query() -> None:
    for name, frame in answers(World(seed=1)).items():
        assert list(frame.columns) == list(library.describe(name).columns)


def test_the_summary_says_what_was_found_though_it_was_not_planted() -> None:
    frame = compared(World(seed=1))
    wrong = frame.assign(within=False, verdict="found, though not planted")
    assert "9 found that were not planted" in recovery.summary(wrong).title
    assert "9 of 9 intervals miss the truth; a miss that comes again with other seeds" in recovery.summary(wrong).reason
    assert recovery.summary(frame).title == "9 of 9 quantities that were planted were found again"


@pytest.mark.parametrize("seed", range(1, 6))
def test_at_the_default_size_the_truth_is_in_each_interval_and_what_is_not_found_is_not_claimed(seed: int) -> None:
    there, not_there = compared(World(seed=seed)), compared(World(seed=seed, effects=()))
    assert there["within"].all()
    assert set(there["verdict"]) <= {"planted, and found", "not found: too few data"}
    assert not_there["within"].all()
    assert set(not_there["verdict"]) == {"not planted, not found"}


def test_what_is_not_found_for_want_of_players_is_said_to_be_that() -> None:
    finding = recovery.summary(compared(World(seed=1, **FEW)))
    assert finding.title == "7 of 9 quantities that were planted were found again, 2 not: too few data"
    assert finding.recommendation.startswith("Claim nothing about 2 of them, and simulate more players or events")


def test_a_world_without_effects_is_said_to_show_none() -> None:
    frame = compared(World(seed=1, effects=(), **FEW))
    assert recovery.summary(frame).title == "Nothing was planted, and nothing was found"
    wrong = frame.assign(verdict=["found, though not planted", *frame["verdict"][1:]])
    assert recovery.summary(wrong).title == "Nothing was planted, and 1 found all the same"


def test_the_table_shows_each_estimate_with_its_interval_beside_the_truth() -> None:
    tables = [recovery.shown(compared(World(seed=1, effects=effects, **FEW))) for effects in (EFFECTS, ())]
    there, not_there = (table.set_index("measured").loc["new players who never come back: share"] for table in tables)
    assert re.fullmatch(r"0\.\d\d\s\(0\.\d\d\sto\s0\.\d\d\)", there["estimate"])
    assert " " not in there["estimate"]
    assert (there["truth"], there["verdict"]) == ("0.30", "planted, and found")
    assert (not_there["truth"], not_there["verdict"]) == ("0.00", "not planted, not found")


def test_the_chart_of_both_worlds_marks_the_truth_and_fits_its_picture() -> None:
    chart = recovered.recovered(compared(World(seed=1, **FEW)), compared(World(seed=1, effects=(), **FEW)))
    chart.draw_without_rendering()
    drawn, (width, height) = chart.get_tightbbox(), chart.get_size_inches()
    assert 0 <= drawn.x0 <= drawn.x1 <= width
    assert 0 <= drawn.y0 <= drawn.y1 <= height
    assert [label.get_text() for label in chart.legends[0].texts] == ["effects as planted", "truth", "all switched off"]
    assert chart.said.startswith("7 of 9 quantities")


def test_the_chart_leaves_out_what_could_not_be_estimated() -> None:
    small = compared(World(players=1, events=1, days=1))
    assert recovered.recovered(small, small).png()


def test_programs_among_those_who_did_too_little_to_tell_are_within_the_interval() -> None:
    # 60 of 2,000 are programs, but only 20 of them did enough to be known as one.
    rows = [("people", 480, 3_000), ("programs", 20, 100), ("unclear", 1_500, 2_000)]
    value, low, high = estimates.bots(pd.DataFrame(rows, columns=["who", "players", "events"]))
    assert value == 20 / 2_000
    assert 0 < low < value < 60 / 2_000 < 1_520 / 2_000 < high


def test_how_often_the_intervals_hold_is_said_of_all_and_of_each() -> None:
    sure = recovery.summary(compared(World(seed=1, **FEW))).confidence
    assert "all of them hold in 95 of 100 such worlds" in sure
    assert "each of them in 99.4 of 100 such worlds" in sure


def test_an_excess_is_abbotts() -> None:
    # Of 100 treated 64 die, of 100 others 20: 1 - 36/80 = 55% by the treatment.
    value, low, high = estimates.excess(Share(64, 100), Share(20, 100))
    assert value == pytest.approx(0.55)
    assert low < 0.55 < high
    assert math.isnan(estimates.excess(Share(0, 0), Share(1, 2)).value)
    assert math.isnan(estimates.excess(Share(1, 2), Share(2, 2)).value)
    assert estimates.excess(Share(20, 20), Share(5, 20)).value == 1


@pytest.mark.parametrize(
    ("treated", "others", "usual", "added"), [(45, 155, 0.2, 0.3), (25, 110, 0.15, 0.35), (40, 200, 0.06, 0.0)]
)
def test_the_interval_of_an_excess_holds_for_few_players(treated: int, others: int, usual: float, added: float) -> None:
    rng = np.random.default_rng(1)
    done = rng.binomial(treated, 1 - (1 - usual) * (1 - added), 2_000)
    anyway = rng.binomial(others, usual, 2_000)
    pairs = [(Share(int(one), treated), Share(int(other), others)) for one, other in zip(done, anyway, strict=True)]
    intervals = [estimates.excess(*pair) for pair in pairs]
    held = sum(low <= added <= high for _, low, high in intervals)
    assert held / len(intervals) == pytest.approx(1 - estimates.ALPHA, abs=0.005)


def test_the_demand_is_the_pooled_odds_ratio() -> None:
    # One stratum: before 40 of 80 are swords, after 20 of 80: odds 1/3 against 1.
    rows = [(1, "sword", 40), (1, "potion", 40), (9, "sword", 20), (9, "potion", 60)]
    frame = pd.DataFrame(
        [(pd.Timestamp(2026, 1, day), "mage", kind, players) for day, kind, players in rows],
        columns=["day", "character", "kind", "players"],
    )
    value, low, high = estimates.demand(frame, date(2026, 1, 5))
    assert value == pytest.approx(1 / 3)
    assert low < 1 / 3 < high < 1


def test_like_interests_are_no_excess_and_one_page_each_is_the_most() -> None:
    alike = pd.DataFrame([(1, 1, 0, 50), (2, 0, 0, 25), (0, 2, 0, 25)], columns=["shop", "quests", "guilds", "players"])
    apart = pd.DataFrame([(2, 0, 0, 50), (0, 2, 0, 50)], columns=["shop", "quests", "guilds", "players"])
    assert estimates.interest(alike).value == pytest.approx(0, abs=0.01)
    assert estimates.interest(apart).value == pytest.approx(0.5, abs=0.01)

"""Findings about known days, loyalty and spending: they say what is there, and that nothing is where nothing is."""

import dataclasses
import re

import pandas as pd
import pytest
from simulated_answers import answers
from test_report_frames import purchase_funnel, retention_by_cohort, revenue_by_segment, staying_away

from questlog.generate.world import World
from questlog.query import library
from questlog.report import findings
from questlog.report.figures import timelines

BOOK = {"players": 1_000, "events": 30_000, "days": 42}
WORLD, PLAIN = World(**BOOK), World(effects=(), **BOOK)


def without_rows(name: str) -> pd.DataFrame:
    frame = pd.DataFrame(columns=list(library.describe(name).columns))
    return frame.astype({"day": "datetime64[s]"}) if "day" in frame else frame


def price_change(world: World) -> findings.Finding:
    found = answers(world)
    return findings.price_change(found["prices_by_day"], found["first_purchases"], world.price_date)


def test_dearer_swords_are_chosen_less_where_that_is_so() -> None:
    finding = price_change(WORLD)
    assert re.fullmatch(r"Since 21 January fewer new buyers choose a sword: \d\d% instead of \d\d%", finding.title)
    assert "costs 25% more" in finding.sentence
    assert "do not clearly choose swords more or less often" in price_change(PLAIN).title


def price_changed(before: int, after: int, price: float) -> findings.Finding:
    """So many of 1,000 first purchases were swords before the change, and after it, at a price so many times higher."""
    days = [pd.Timestamp(WORLD.price_date) + pd.Timedelta(days=day) for day in range(-5, 5)]
    prices = pd.DataFrame({"day": days, "item": "iron", "purchases": 10, "gold": 1.0})
    prices["price"] = [100.0 + day % 2 if day < 5 else (100 + day % 2) * price for day in range(10)]
    rows = [(days[0], "sword", before), (days[0], "potion", 1_000 - before)]
    rows += [(days[-1], "sword", after), (days[-1], "potion", 1_000 - after)]
    first = pd.DataFrame(rows, columns=["day", "kind", "players"]).assign(character="mage")
    return findings.price_change(prices, first, WORLD.price_date)


def test_what_the_price_changes_is_said_in_points_with_their_interval() -> None:
    finding = price_changed(400, 200, price=1.25)
    assert finding.title.endswith("fewer new buyers choose a sword: 20% instead of 40%")
    assert finding.figure == "\N{MINUS SIGN}20 points"
    assert finding.confidence.endswith("between \N{MINUS SIGN}25 and \N{MINUS SIGN}14 points, in 99.4 of 100 cases.")


@pytest.mark.parametrize(
    ("before", "after", "price", "action"),
    [
        (400, 200, 1.25, "Try the old price of swords on half of the players"),
        (400, 330, 1.5, "Keep the new price of swords, and show half of the players the old one"),
        (400, 200, 1.0, "Look for another cause than the price"),
        (200, 400, 1.25, "Keep the new price of swords, and show half of the players the old one"),
        (300, 300, 1.25, "Keep the price of swords"),
    ],
)
def test_what_to_do_about_the_price_follows_from_what_swords_earn(
    before: int, after: int, price: float, action: str
) -> None:
    assert price_changed(before, after, price).action == action


def test_swords_that_are_chosen_less_at_the_old_price_are_not_called_dear() -> None:
    prices, first = answers(PLAIN)["prices_by_day"], answers(WORLD)["first_purchases"]
    finding = findings.price_change(prices, first, WORLD.price_date)
    assert "fewer new buyers choose a sword" in finding.title
    assert "costs about as much as before" in finding.sentence
    assert finding.recommendation.startswith("Look for another cause")


def test_a_campaign_is_said_to_work_only_where_it_does() -> None:
    said = [findings.campaign(answers(one)["new_players_joining"], one.campaign_dates).title for one in (WORLD, PLAIN)]
    assert said[0].startswith("During the guild campaign more new players joined a guild at once: ")
    assert said[1] == "The guild campaign shows no clear effect on who joins"


def returning(*, outside: tuple[int, int], inside: tuple[int, int], called: int = 200) -> pd.DataFrame:
    """Members and others who came back: of 100 and 300 who arrived on other days, `called` and 100 in the campaign."""
    day = WORLD.campaign_days[0]
    rows = [(2, "yes", 100, outside[0]), (2, "no", 300, outside[1])]
    rows += [(day, "yes", called, inside[0]), (day, "no", 100, inside[1])]
    frame = pd.DataFrame(rows, columns=["day", "joined", "players", "returned"])
    return frame.assign(day=[pd.Timestamp(WORLD.date_of(day)) for day in frame["day"]], gold=0)


@pytest.mark.parametrize(
    ("outside", "inside", "title", "advice"),
    [
        ((85, 105), (110, 32), "come back more often", "Do not count on guilds"),
        ((20, 180), (60, 90), "come back less often", "Do not count on guilds"),
        ((45, 135), (90, 45), "do not clearly come back more or less often", "Do not count on guilds"),
        ((40, 120), (140, 70), "come back more often", "Look closer"),
    ],
)
def test_joining_is_called_a_cause_only_if_the_campaign_says_so(
    outside: tuple[int, int], inside: tuple[int, int], title: str, advice: str
) -> None:
    finding = findings.joining(returning(outside=outside, inside=inside), WORLD.campaign_dates)
    assert title in finding.title
    assert finding.recommendation.startswith(advice)


def test_a_campaign_that_made_nobody_join_leaves_the_cause_open() -> None:
    frame = returning(outside=(85, 105), inside=(22, 35), called=33)
    finding = findings.joining(frame, WORLD.campaign_dates)
    assert finding.recommendation.startswith("Leave the cause open")


def test_a_second_week_that_is_not_in_the_data_yet_is_said_to_be_missing() -> None:
    frame = returning(outside=(85, 105), inside=(0, 0))
    finding = findings.joining(frame[frame["day"] < pd.Timestamp(WORLD.campaign_dates[0])], WORLD.campaign_dates)
    assert finding.sentence.endswith("Nobody of them arrived during the campaign.")
    assert finding.recommendation.startswith("Ask again when the data hold more days")


def test_too_few_players_are_said_to_be_too_few() -> None:
    small = World(players=20, events=300, days=7)
    found = answers(small)
    change, campaign = price_change(small), findings.campaign(found["new_players_joining"], small.campaign_dates)
    assert change.sentence.startswith("Too few swords were sold to tell")
    assert change.recommendation.endswith("these are too few to tell.")
    assert campaign.sentence.startswith("On 9 January ")
    assert campaign.recommendation.startswith("Decide nothing about the guild campaign yet")
    assert "between \N{MINUS SIGN}28 and +69 points" in campaign.confidence


def test_enough_players_are_not_called_too_few() -> None:
    frame = pd.DataFrame({"day": [WORLD.date_of(day) for day in (2, WORLD.campaign_days[0])]}).astype("datetime64[s]")
    told = findings.campaign(frame.assign(players=9_000, joined=3_000), WORLD.campaign_dates)
    assert told.recommendation == "Do not repeat the guild campaign on these numbers: 33% join without it."


def test_days_without_players_or_purchases_have_no_findings_and_their_charts_say_so() -> None:
    prices, first, joining, returned = map(
        without_rows, ("prices_by_day", "first_purchases", "new_players_joining", "returning_by_joining")
    )
    dates = WORLD.campaign_dates
    told = [
        findings.price_change(prices, first, WORLD.price_date),
        findings.campaign(joining, dates),
        findings.joining(returned, dates),
        findings.bots(without_rows("bots")),
    ]
    assert all(finding.title.startswith("Nothing to say about") for finding in told)
    assert timelines.campaign(joining, dates).said == told[1].title
    assert timelines.price_change(prices, first, WORLD.price_date).said == told[0].title


def test_the_known_days_are_marked_on_their_charts() -> None:
    found = answers(WORLD)
    change = timelines.price_change(found["prices_by_day"], found["first_purchases"], WORLD.price_date)
    campaign = timelines.campaign(found["new_players_joining"], WORLD.campaign_dates)
    assert "new prices, 21 Jan" in [text.get_text().strip() for text in change.axes[0].texts]
    assert [str(line.get_label()).split(":")[0] for line in change.axes[0].lines[:2]] == ["before", "since"]
    assert any("during the campaign" in str(line.get_label()) for line in campaign.axes[0].lines)
    assert campaign.png()


def test_an_item_that_drives_players_away_is_named_and_none_where_none_does() -> None:
    assert findings.staying_away(staying_away(60)).title == (
        "After a haste potion 40% stay away for a week, after another potion 15%"
    )
    none = findings.staying_away(staying_away(20))
    assert none.title.startswith("After no item")
    assert none.sentence == "3 items can be compared, bought 530 times on the counted days."
    assert none.confidence == "Medium: 80 purchases of the rarest item would show a large difference, not a small one."


def test_items_that_were_bought_too_rarely_to_tell_are_counted_apart() -> None:
    rare = staying_away(20).iloc[:1].assign(item="luck", buyers=9, gone=9)
    with_one = findings.staying_away(pd.concat([staying_away(20), rare]))
    assert with_one.sentence.endswith("530 times on the counted days. 1 more was bought too rarely to tell.")
    assert findings.staying_away(rare).title == "Nothing to say about whether an item drives players away"


def test_an_item_that_begins_with_a_vowel_has_its_article() -> None:
    iron = staying_away(60).assign(item="iron").head(1)
    assert findings.staying_away(iron).title.startswith("After an iron potion 40% stay away")


def test_the_larger_loss_decides_what_to_do_about_staying() -> None:
    assert "first days" in findings.retention_by_cohort(retention_by_cohort(30, 20)).recommendation
    assert "weeks after" in findings.retention_by_cohort(retention_by_cohort(90, 20)).recommendation


def test_one_week_after_the_first_is_told_without_those_that_follow() -> None:
    frame = retention_by_cohort(60, 20)
    finding = findings.retention_by_cohort(frame[frame["weeks"] < 2])
    assert finding.title == "60% of new players come back in the week after their first"
    assert finding.sentence.endswith("; the data reach no further.")
    assert finding.recommendation.startswith("Look again when there are more weeks: so far 40%")


def test_passers_by_have_a_plural_of_their_own() -> None:
    frame = revenue_by_segment().assign(gold=[9_000, 1, 1, 1])
    assert findings.revenue_by_segment(frame).title == "Passers-by spend most: 100 gold each"


def test_segments_that_spend_about_alike_are_named_together() -> None:
    finding = findings.revenue_by_segment(revenue_by_segment().assign(gold=[0, 5_000, 1_000, 4_750]))
    assert finding.title == "Social players and explorers spend most: 100 and 95 gold each"
    assert finding.sentence.startswith("They are 55% of 200 players and spend 100% of the gold")
    assert finding.action == "Ask social players and explorers first what they want"


def test_no_segment_is_said_to_spend_most_where_all_spend_about_alike() -> None:
    finding = findings.revenue_by_segment(revenue_by_segment().assign(gold=[4_500, 3_000, 0, 2_500]))
    assert finding.title == "All kinds of players spend about alike: 50, 50 and 50 gold each"
    assert finding.action == "Make offers for everybody"


def test_the_segment_that_spends_most_for_each_player_is_named() -> None:
    finding = findings.revenue_by_segment(revenue_by_segment())
    assert finding.title == "Social players spend most: 100 gold each"
    assert "30% of 200 players and spend 75% of the gold" in finding.sentence
    unsold = revenue_by_segment().assign(gold=0)
    assert findings.revenue_by_segment(unsold).title == "Nothing to say about who spends"


def test_the_funnel_names_the_longest_wait() -> None:
    said = findings.purchase_funnel(purchase_funnel()).sentence
    assert said.endswith("before 'bought again': half of those who get there take 30.0 hours or more.")
    assert "longest wait" not in findings.purchase_funnel(purchase_funnel(5)).sentence


def test_programs_are_counted_and_none_is_said_to_be_none() -> None:
    frame = pd.DataFrame([("people", 90, 500), ("programs", 10, 500)], columns=["who", "players", "events"])
    told = "10% of the players are known to behave like programs, and send 50% of the events"
    assert findings.bots(frame).title == told
    assert findings.bots(frame.iloc[:1]).title == "No player is known to behave like a program"


def bots(*, people: int, programs: int, unclear: int) -> findings.Finding:
    players = {"people": people, "programs": programs, "unclear": unclear}
    return findings.bots(pd.DataFrame({"who": players.keys(), "players": players.values(), "events": 500}))


def test_of_whom_nobody_can_tell_whether_they_are_programs_is_said_and_makes_less_sure() -> None:
    few = bots(people=400, programs=20, unclear=10)
    assert "Of 430 players 420 did enough at a stretch to be told from programs. Of 10 others nobody" in few.sentence
    assert few.sureness == "high"
    assert bots(people=400, programs=20, unclear=30).sureness == "medium"
    assert bots(people=400, programs=20, unclear=500).sureness == "low"
    assert bots(people=400, programs=0, unclear=500).title == "No player is known to behave like a program"
    assert bots(people=0, programs=0, unclear=9).title == "Nothing to say about programs among the players"


def test_no_direction_is_told_where_no_difference_is_claimed() -> None:
    told = [
        findings.joining(returning(outside=(45, 135), inside=(90, 45)), WORLD.campaign_dates),
        findings.campaign(answers(PLAIN)["new_players_joining"], WORLD.campaign_dates),
        price_change(PLAIN),
        findings.staying_away(staying_away(20)),
    ]
    for finding in told:
        assert "clear" in finding.title
        assert re.search(
            "a large difference, not a small one|only a small difference|are too few to tell", finding.confidence
        )


def test_who_counts_as_coming_back_is_said_with_the_finding() -> None:
    said = findings.joining(returning(outside=(45, 135), inside=(90, 45)), WORLD.campaign_dates).sentence
    assert said.startswith("Counted are players who did more than arrive on day one, and whose second week ")
    assert "Of those who arrived during the campaign, members or not, 45% (135 of 300) came back" in said


def test_every_part_of_these_findings_says_something() -> None:
    told = [price_change(WORLD), findings.joining(returning(outside=(45, 135), inside=(90, 45)), WORLD.campaign_dates)]
    assert all(all(dataclasses.astuple(finding)) for finding in told)

"""Findings are true of their frame, whatever is in it."""

import dataclasses

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_report_frames import (
    FRAMES,
    events_by_type,
    funnel,
    guilds,
    hours_of_day,
    players_by_day,
    players_returning,
    purchase_funnel,
    quests,
    revenue_by_day,
    sales_by_item,
    top_spenders,
)

from questlog.events import CATALOGUE
from questlog.report import findings
from questlog.report.findings import Finding, markdown


def find(name: str, frame: pd.DataFrame) -> Finding:
    return getattr(findings, name)(frame)


@pytest.mark.parametrize("name", FRAMES)
def test_every_part_of_a_finding_says_something(name: str) -> None:
    assert all(dataclasses.astuple(find(name, FRAMES[name]())))


@pytest.mark.parametrize("name", FRAMES)
def test_what_to_do_is_a_clause_with_its_reason_and_how_sure_a_word(name: str) -> None:
    finding = find(name, FRAMES[name]())
    assert not finding.action.endswith(".")
    assert not finding.reason.endswith(".")
    assert finding.recommendation == f"{finding.action}: {finding.reason}."
    assert finding.sureness in {"high", "medium", "low"}


@pytest.mark.parametrize("name", [name for name in FRAMES if name != "dead_letters_by_reason"])
def test_a_frame_without_rows_has_no_finding_and_asks_for_nothing(name: str) -> None:
    finding = find(name, FRAMES[name]().iloc[:0])
    assert finding.title.startswith("Nothing to say about")
    assert finding.figure == ""
    assert finding.recommendation.startswith("Decide nothing yet")
    assert finding.confidence.startswith("None")


def test_no_rejected_record_is_a_finding_of_its_own() -> None:
    frame = FRAMES["dead_letters_by_reason"]().iloc[:0]
    assert findings.dead_letters_by_reason(frame).title == "No record was rejected"


@pytest.mark.parametrize(
    ("early", "late", "begins"),
    [
        (10, 2, "New players fell from 10.0 a day (5 January to 11 January) to 2.0 (12 January to 18 January)"),
        (2, 10, "New players rose from 2.0 a day (5 January to 11 January) to 10.0 (12 January to 18 January)"),
        (
            5,
            5,
            "New players do not clearly become more or fewer: 35 from 5 January to 11 January, 35 from 12 January to "
            "18 January",
        ),
        (5, 4, "New players do not clearly become more or fewer"),
    ],
)
def test_new_players_fall_rise_or_stay(early: int, late: int, begins: str) -> None:
    assert findings.players_by_day(players_by_day(early, late)).title.startswith(begins)


def test_three_days_are_too_few_to_compare() -> None:
    assert "3 days, and it takes 4" in findings.players_by_day(players_by_day().iloc[:3]).sentence


def test_a_day_without_players_counts_as_a_day() -> None:
    finding = findings.players_by_day(players_by_day().drop(index=[2, 3]))
    assert "New players fell from 7.1 a day (5 January to 11 January) to 2.0" in finding.title


def test_the_funnel_names_the_step_that_loses_the_most_players() -> None:
    finding = findings.funnel(funnel(200, 180, 150, 60))
    assert finding.title == (
        "30% of those who created a player came as far as 'joined a guild'; "
        "no step loses more than the one to 'joined a guild'"
    )
    assert "Before 'joined a guild' 90 of 150 stop" in finding.sentence
    assert "it loses 90 players" in finding.recommendation
    assert "60 went all the way to 'joined a guild', 30%" in finding.sentence


def test_a_funnel_that_loses_nobody_says_so() -> None:
    assert findings.funnel(funnel(5, 5, 5, 5)).title.startswith("No player is lost")


def test_a_funnel_that_ends_early_is_no_error() -> None:
    assert "no step loses more than the one to 'started a quest'" in findings.funnel(funnel(5, 0, 0, 0)).title


def test_both_funnels_have_a_title_of_their_own() -> None:
    other = findings.purchase_funnel(purchase_funnel(200, 180, 150, 60)).title
    assert other.startswith("No step loses more new players than this one: ")
    assert other.endswith(": 60% of those who bought an item never bought again")


def test_two_steps_that_lose_as_many_are_told_in_words_that_are_true_of_both() -> None:
    title = findings.funnel(funnel(200, 150, 100, 100)).title
    assert title.endswith("; no step loses more than the one to 'started a quest'")


def test_the_larger_loss_decides_what_to_do_about_returning() -> None:
    assert "come back at once" in findings.players_returning(players_returning(80, 60)).recommendation
    assert "reason to stay" in findings.players_returning(players_returning(160, 20)).recommendation


def test_returning_is_told_for_the_last_day_there_is_within_a_week() -> None:
    assert "day 3, 40% on day 1" in findings.players_returning(players_returning().iloc[:3]).title


def test_a_peak_is_told_only_where_there_is_one() -> None:
    finding = findings.hours_of_day(hours_of_day())
    assert finding.title.startswith("Play peaks at 18:00 UTC")
    assert "00:00 to 03:00 UTC" in finding.recommendation
    assert "clearly stands out" in findings.hours_of_day(hours_of_day(evening=70)).title


def test_the_quietest_hours_may_lie_across_midnight() -> None:
    frame = hours_of_day()
    frame["events"] = [10, 10] + [90] * 17 + [300] * 4 + [10]
    assert "23:00 to 02:00 UTC" in findings.hours_of_day(frame).recommendation


def test_many_events_of_one_player_make_no_peak() -> None:
    frame = hours_of_day().assign(events=[0] * 23 + [5], players=[0] * 23 + [1])
    assert "No hour" in findings.hours_of_day(frame).title


def test_an_item_that_earns_by_its_price_is_to_be_shown_and_one_that_earns_by_number_kept() -> None:
    finding = findings.sales_by_item(sales_by_item())
    assert finding.title == "The steel sword earns most: 58% of the gold, from 9% of the pieces"
    assert finding.recommendation.startswith("Show the steel sword")
    cheap = sales_by_item().assign(gold=[10, 10, 9_000, 10])
    assert findings.sales_by_item(cheap).recommendation.startswith("Keep the healing potion easy to buy")


@pytest.mark.parametrize(
    ("weekend", "workday", "said"),
    [
        (900, 500, "gold a day on weekend days and"),
        (500, 900, "gold a day on workdays and"),
        (500, 500, "weekends do not clearly differ from workdays"),
    ],
)
def test_weekends_earn_more_less_or_the_same(weekend: int, workday: int, said: str) -> None:
    assert said in findings.revenue_by_day(revenue_by_day(weekend, workday)).title


def test_days_without_a_weekend_are_not_compared_with_one() -> None:
    finding = findings.revenue_by_day(revenue_by_day().iloc[:6])
    assert "do not clearly differ" in finding.title
    assert "All of them are workdays" in finding.sentence


def test_depending_on_few_spenders_is_said_from_half_of_the_gold_on() -> None:
    assert "Keep selling to everybody" in findings.top_spenders(top_spenders(10_000)).recommendation
    assert "Widen the base" in findings.top_spenders(top_spenders(5_000)).recommendation
    assert findings.top_spenders(top_spenders().iloc[:1]).title == "The top spender spends 15% of all gold"


def test_one_of_something_is_told_as_one() -> None:
    spender = findings.top_spenders(top_spenders().iloc[:1].assign(purchases=1))
    item = findings.sales_by_item(sales_by_item().iloc[:1].assign(purchases=1, pieces=1))
    guild = findings.guilds(guilds().iloc[:1].assign(joined=1, departed=0, members=1))
    assert spender.sentence == "The first spent 1,500 gold in 1 purchase."
    assert item.title == "The steel sword is the only item that sells: 100% of the gold, from 100% of the pieces"
    assert item.sentence.startswith("The shop sold 1 piece for ")
    assert guild.title == "Night Watch is the only guild: 0% leave it again"
    assert guild.sentence.startswith("Players joined 1 guild 1 time, and left 0 times.")


def test_guilds_of_the_same_size_are_the_largest_together() -> None:
    alike = findings.guilds(guilds(9).assign(members=30))
    assert alike.title.endswith("; Crimson Tide, Iron Wolves and Night Watch are the largest")
    assert "have each 33% (30 of 90) of the members" in alike.sentence


def test_a_guild_that_loses_clearly_more_members_is_named() -> None:
    assert findings.guilds(guilds(30)).title == "Crimson Tide loses more of its members: 50% leave, elsewhere 10%"
    assert findings.guilds(guilds(9)).title.startswith("No guild clearly loses more members")


def test_a_tiny_guild_does_not_hide_the_one_that_stands_out() -> None:
    tiny = guilds().iloc[:1].assign(guild="Two of Us", joined=2, departed=2, members=0)
    frame = pd.concat([guilds(30), tiny], ignore_index=True)
    assert findings.guilds(frame).title.startswith("Crimson Tide")


def test_a_quest_that_is_clearly_harder_is_named() -> None:
    assert findings.quests(quests(60)).title == "The Dragon's Lair is won least: 30% of the time, elsewhere 70%"
    assert "no quest is clearly harder" in findings.quests(quests(135)).title


def test_types_of_the_catalogue_that_never_arrived_are_named() -> None:
    frame = events_by_type()
    assert "no event of 4 types arrived, purchase_shield," in findings.events_by_type(frame).recommendation
    every = pd.concat([frame.iloc[:1].assign(event_type=name) for name in CATALOGUE.names])
    assert findings.events_by_type(every).recommendation.startswith("Nothing to mend")


LEDGER = pd.DataFrame(
    [("page_view", 92, 97, 92, 90, 0, 5, 2, 90, 90), ("total", 92, 97, 92, 90, 0, 5, 2, 90, 90)],
    columns=[
        "event_type",
        "accepted",
        "in_kafka",
        "from_api",
        "landed",
        "filtered",
        "rejected",
        "duplicates",
        "in_presto",
        "distinct",
    ],
)


def test_a_ledger_without_problems_balances() -> None:
    finding = findings.ledger(LEDGER, problems=())
    assert finding.title == "The account balances: no event is lost, none is there twice"
    assert "Of 97 in Kafka, valid or not, 90 landed, 5 were rejected and 2 were duplicates; none was filtered." in (
        finding.sentence
    )


@pytest.mark.parametrize(
    ("filtered", "rejected", "duplicates", "said"),
    [
        (1, 0, 1, "90 landed, 1 was filtered and 1 was a duplicate; none was rejected."),
        (2, 3, 4, "90 landed, 2 were filtered, 3 were rejected and 4 were duplicates."),
        (0, 0, 0, "90 landed; none was filtered, rejected or a duplicate."),
    ],
)
def test_what_became_of_the_events_is_told_for_one_for_many_and_for_none(
    filtered: int, rejected: int, duplicates: int, said: str
) -> None:
    frame = LEDGER.assign(filtered=filtered, rejected=rejected, duplicates=duplicates)
    assert f"valid or not, {said}" in findings.ledger(frame, problems=()).sentence


def test_a_ledger_with_problems_forbids_to_act_on_the_report() -> None:
    finding = findings.ledger(LEDGER, problems=("page_view: 2 wait", "join_guild: 1 waits"))
    assert finding.title == "The account does not balance: 2 problems"
    assert findings.ledger(LEDGER, problems=("join_guild: 1 waits",)).figure == "1 problem"
    assert "page_view: 2 wait. And 1 more." in finding.sentence
    assert finding.recommendation.startswith("Do not act")


def test_refused_requests_are_counted_by_reason() -> None:
    finding = findings.refused({"field": 40, "body": 10}, accepted=4_900)
    assert finding.title == "50 requests were refused, 4,900 events accepted"
    assert "body 10, field 40" in finding.sentence
    assert finding.recommendation == "Tell the makers of the clients: each answer says what is wrong."
    assert findings.refused({}, accepted=3).title == "No request was refused; 3 events were accepted"
    assert findings.refused({"body": 1}, accepted=1).title == "1 request was refused, 1 event accepted"


def test_reasons_that_differ_only_by_the_wrong_value_are_one_cause() -> None:
    reasons = ["price='much': must be an integer", "price='a': b': must be an integer", "value='': must be JSON"]
    frame = pd.DataFrame({"event_type": "x", "reason": reasons, "records": [3, 2, 4]})
    finding = findings.dead_letters_by_reason(frame)
    assert finding.title == "9 records were rejected, 56% for the most frequent reason"
    assert finding.sentence == "The most frequent reason, told 5 times, is 'price: must be an integer'."


def test_a_missing_value_is_one_cause_whatever_would_be_allowed() -> None:
    missing = "item: required, but missing; must be one of"
    frame = pd.DataFrame({"event_type": "x", "reason": [f"{missing} a, b", f"{missing} c, d"], "records": [3, 1]})
    finding = findings.dead_letters_by_reason(frame)
    assert finding.title == "4 records were rejected"
    assert finding.sentence == "The reason, told 4 times, is 'item: required, but missing'."


def test_one_rejected_record_is_told_as_one() -> None:
    frame = pd.DataFrame({"event_type": ["x"], "reason": ["not JSON"], "records": [1]})
    assert findings.dead_letters_by_reason(frame).reason == "it would have refused this one at once"


def test_headlines_say_what_to_do_and_why_and_lead_to_their_sections() -> None:
    first, second = findings.guilds(guilds()), findings.quests(quests())
    lines = findings.headlines({"the_guilds": first, "quests": second}).splitlines()
    assert lines == [
        f"1. **{first.action}.** [{first.title}](#finding-the-guilds). How sure: medium.",
        f"2. **{second.action}.** [{second.title}](#finding-quests). How sure: medium.",
    ]


def test_small_samples_are_said_to_be_small() -> None:
    assert findings.funnel(funnel(12, 10, 5, 1)).confidence.startswith("Low: 10 players")
    assert findings.funnel(funnel(400, 390, 350, 100)).confidence.startswith("High")


def test_names_from_outside_are_text_in_the_markdown() -> None:
    frame = guilds(30).assign(guild=["a", "**b** <img src=x> [c](d) {{e}} $f$", "g"])
    text = markdown([findings.guilds(frame)])
    assert r"\*\*b\*\* &lt;img src=x&gt; \[c\](d) \{\{e\}\} \$f\$ loses more of its members" in text


def test_markdown_holds_each_finding_with_what_to_do_and_how_sure() -> None:
    text = markdown([findings.guilds(guilds()), findings.quests(quests())])
    assert text.count("**What to do:**") == text.count("**How sure we are:**") == 2


counts = st.integers(min_value=0, max_value=10_000)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(counts, counts, counts, counts), min_size=1, max_size=8))
def test_guilds_and_quests_of_any_counts_give_sentences_without_holes(rows: list[tuple[int, ...]]) -> None:
    names = [f"name {place}" for place in range(len(rows))]
    frame = pd.DataFrame(rows, columns=["joined", "departed", "members", "members_gold"]).assign(guild=names)
    ended = pd.DataFrame(rows, columns=["started", "won", "lost", "abandoned"]).assign(quest=names)
    for finding in (findings.guilds(frame), findings.quests(ended)):
        assert not {"nan", "inf", "None"} & set(" ".join(dataclasses.astuple(finding)[:4]).split())


@settings(max_examples=60, deadline=None)
@given(st.lists(counts, min_size=4, max_size=4), st.lists(counts, min_size=24, max_size=24))
def test_funnels_and_hours_of_any_counts_give_sentences(steps: list[int], events: list[int]) -> None:
    steps.sort(reverse=True)
    frame = funnel().assign(players=steps)
    assert findings.funnel(frame).title
    assert findings.hours_of_day(hours_of_day().assign(events=events)).title

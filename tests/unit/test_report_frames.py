"""Small frames as the named queries give them, for the tests of the report; their columns are the queries' own."""

from collections.abc import Callable

import pandas as pd
import pytest

from questlog.query import library
from questlog.report import figures, findings

DAYS = pd.date_range("2026-01-05", periods=14).astype("datetime64[s]")


def events_by_type() -> pd.DataFrame:
    rows = [
        ("page_view", 400, 60),
        ("start_quest", 200, 50),
        ("create_player", 60, 60),
        ("purchase_sword", 40, 30),
        ("join_guild", 20, 20),
    ]
    frame = pd.DataFrame(rows, columns=["event_type", "events", "players"])
    return frame.assign(first_day=DAYS[0], last_day=DAYS[-1])


def players_by_day(early: int = 10, late: int = 2) -> pd.DataFrame:
    new = [early] * 7 + [late] * 7
    counts = {"players": [20 + n for n in new], "events": [90] * 14, "new_players": new}
    return pd.DataFrame({"day": DAYS, **counts})


def funnel(*players: int) -> pd.DataFrame:
    counts = pd.Series(players or (200, 180, 150, 60))
    names = ["created a player", "started a quest", "bought an item", "joined a guild"][: len(counts)]
    shares = {"share": counts / counts[0], "share_of_previous": (counts / counts.shift()).fillna(1.0)}
    return pd.DataFrame({"step": range(1, len(counts) + 1), "name": names, "players": counts, **shares})


def players_returning(first: int = 80, last: int = 40) -> pd.DataFrame:
    returned = [round(first + (last - first) * day / 6) for day in range(7)]
    counts = {"eligible": [200] * 7, "returned": returned}
    return pd.DataFrame({"days": range(1, 8), **counts, "share": [count / 200 for count in returned]})


def hours_of_day(evening: int = 300) -> pd.DataFrame:
    events = [20] * 3 + [60] * 15 + [evening] * 4 + [60] * 2
    return pd.DataFrame({"hour": range(24), "events": events, "players": [count // 10 for count in events]})


def sales_by_item() -> pd.DataFrame:
    rows = [
        ("sword", "steel", 40, 40, 11_000),
        ("sword", "wooden", 90, 90, 3_600),
        ("potion", "healing", 150, 300, 2_700),
        ("shield", "kite", 20, 20, 1_800),
    ]
    frame = pd.DataFrame(rows, columns=["kind", "item", "purchases", "pieces", "gold"])
    return frame.assign(gold_per_piece=frame["gold"] / frame["pieces"])


def revenue_by_day(weekend: int = 900, workday: int = 500) -> pd.DataFrame:
    gold = [(weekend if day.dayofweek >= 5 else workday) + 7 * place for place, day in enumerate(DAYS)]
    rows = [(day, kind, 5, earned // 2) for day, earned in zip(DAYS, gold, strict=True) for kind in ("potion", "sword")]
    return pd.DataFrame(rows, columns=["day", "kind", "pieces", "gold"]).astype({"day": "datetime64[s]"})


def top_spenders(all_gold: int = 10_000) -> pd.DataFrame:
    rows = [("player-0007", 9, 12, 1_500), ("player-0003", 8, 8, 1_000), ("player-0011", 4, 4, 500)]
    frame = pd.DataFrame(rows, columns=["user_id", "purchases", "pieces", "gold"])
    return frame.assign(share=frame["gold"] / all_gold)


def guilds(departed: int = 30) -> pd.DataFrame:
    rows = [("Night Watch", 80, 8), ("Crimson Tide", 60, departed), ("Iron Wolves", 40, 4)]
    frame = pd.DataFrame(rows, columns=["guild", "joined", "departed"])
    members = frame["joined"] - frame["departed"]
    frame = frame.assign(members_net=members, members=members, members_gold=members * 100)
    return frame.assign(gold_per_member=100.0)


def quests(won: int = 60) -> pd.DataFrame:
    rows = [("Goblin Market", 210, 140, 40, 20), ("The Dragon's Lair", 205, won, 180 - won, 20)]
    frame = pd.DataFrame(rows, columns=["quest", "started", "won", "lost", "abandoned"])
    ended = frame["won"] + frame["lost"] + frame["abandoned"]
    return frame.assign(win_rate=frame["won"] / ended, median_duration=[240.0, 640.5], gold=frame["won"] * 90)


def dead_letters_by_reason() -> pd.DataFrame:
    rows = [("(unknown)", "not JSON", 21), ("page_view", "event_time: missing", 14), ("(unknown)", "not UTF-8", 8)]
    return pd.DataFrame(rows, columns=["event_type", "reason", "records"])


def purchase_funnel(*players: int) -> pd.DataFrame:
    frame = funnel(*players)
    names = ["created a player", "started a quest", "bought an item", "bought again"][: len(frame)]
    return frame.assign(name=names, median_hours=[None, 0.05, 0.5, 30.0][: len(frame)]).astype({"median_hours": float})


def retention_by_cohort(first: int = 60, later: int = 20) -> pd.DataFrame:
    weeks = [(cohort, week) for cohort in (0, 1, 2) for week in range(3 - cohort)]
    rows = [(DAYS[0] + pd.Timedelta(weeks=cohort), week, 100, (100, first, later)[week]) for cohort, week in weeks]
    frame = pd.DataFrame(rows, columns=["cohort", "weeks", "players", "returned"])
    return frame.assign(share=frame["returned"] / frame["players"])


def staying_away(gone: int = 60) -> pd.DataFrame:
    rows = [
        ("potion", "haste", 150, gone, 600, 90),
        ("potion", "mana", 300, 50, 450, 60 + gone),
        ("sword", "iron", 80, 9, 90, 11),
    ]
    return pd.DataFrame(rows, columns=["kind", "item", "buyers", "gone", "others", "others_gone"])


def revenue_by_segment() -> pd.DataFrame:
    rows = [
        ("passer-by", 90, None, None, 0, 0, 0),
        ("social", 60, "sword", "iron", 30, 40, 5_000),
        ("social", 60, "potion", "mana", 20, 90, 1_000),
        ("explorer", 50, "shield", "kite", 20, 25, 2_000),
    ]
    return pd.DataFrame(rows, columns=["segment", "players", "kind", "item", "buyers", "pieces", "gold"])


FRAMES: dict[str, Callable[[], pd.DataFrame]] = {
    made.__name__: made
    for made in (
        events_by_type,
        players_by_day,
        funnel,
        players_returning,
        hours_of_day,
        sales_by_item,
        revenue_by_day,
        top_spenders,
        guilds,
        quests,
        purchase_funnel,
        retention_by_cohort,
        staying_away,
        revenue_by_segment,
        dead_letters_by_reason,
    )
}


@pytest.mark.parametrize("name", FRAMES)
def test_the_frames_of_these_tests_have_the_columns_of_the_named_query(name: str) -> None:
    assert tuple(FRAMES[name]().columns) == tuple(library.describe(name).columns)


def test_each_chart_has_a_finding_and_a_named_query_of_the_same_name() -> None:
    assert set(figures.__all__) == set(FRAMES)
    assert set(FRAMES) <= set(findings.__all__)
    assert set(FRAMES) <= set(library.names())

"""What the other named queries of the report would answer about a simulated world, computed from its events."""

import functools
import itertools

import pandas as pd
import simulated_answers
from simulated_answers import WEEK, events_of

from questlog.generate.world import World
from questlog.query import library

WEEKS, FORTNIGHT = 61, 14
KINDS = ["kind", "item"]


@functools.cache
def answers(world: World) -> dict[str, pd.DataFrame]:
    events = events_of(world)
    made = (players_by_day, retention_by_cohort, purchase_funnel, revenue_by_segment, returning_by_joining)
    letters = pd.DataFrame(columns=list(library.describe("dead_letters_by_reason").columns))
    mine = {one.__name__: one(events) for one in made}
    return {**simulated_answers.answers(world), **mine, "dead_letters_by_reason": letters}


def players_by_day(events: pd.DataFrame) -> pd.DataFrame:
    by_day = events.groupby("day")
    new = events[events["since"] == 0].groupby("day")["user_id"].nunique()
    counts = {"players": by_day["user_id"].nunique(), "events": by_day.size(), "new_players": new}
    return pd.DataFrame(counts).fillna(0).astype(int).reset_index()


def retention_by_cohort(events: pd.DataFrame) -> pd.DataFrame:
    seen = events.assign(week=_monday(events["day"])).drop_duplicates(["user_id", "week"])
    seen = seen.assign(cohort=seen.groupby("user_id")["week"].transform("min"))
    last = events["day"].max() - pd.Timedelta(days=WEEK - 1)
    rows = []
    for cohort, of_cohort in seen.groupby("cohort"):
        players = of_cohort["user_id"].nunique()
        for weeks in range(WEEKS):
            week = cohort + pd.Timedelta(weeks=weeks)
            if week <= last:
                rows.append((cohort, weeks, players, int((of_cohort["week"] == week).sum())))
    frame = pd.DataFrame(rows, columns=["cohort", "weeks", "players", "returned"])
    return frame.assign(share=frame["returned"] / frame["players"])


def purchase_funnel(events: pd.DataFrame) -> pd.DataFrame:
    created = _first(events[events["event_type"] == "create_player"])
    played = _first(_after(events[events["event_type"] == "start_quest"], created))
    bought = _after(events[events["kind"].notna()], played)
    steps = {
        "created a player": created,
        "started a quest": played,
        "bought an item": _first(bought),
        "bought again": _first(bought, place=1),
    }
    players = pd.Series({name: len(step) for name, step in steps.items()})
    frame = pd.DataFrame({"step": range(1, 5), "name": players.index, "players": players.to_numpy()})
    frame["share"] = frame["players"] / max(frame["players"].iloc[0], 1)
    frame["share_of_previous"] = frame["players"] / frame["players"].shift(fill_value=len(created)).clip(lower=1)
    waits = [(later - before).dropna().dt.total_seconds() for before, later in itertools.pairwise(steps.values())]
    hours = [wait.quantile(interpolation="lower") / 3600 for wait in waits]
    return frame.assign(median_hours=[None, *hours]).astype({"median_hours": float})


def revenue_by_segment(events: pd.DataFrame) -> pd.DataFrame:
    types = pd.crosstab(events["user_id"], events["event_type"])
    counts = types.reindex(columns=["join_guild", "start_quest"], fill_value=0)
    times = events[events["kind"].notna()].groupby("user_id").size().reindex(counts.index, fill_value=0)
    segment = pd.Series("explorer", index=counts.index)
    segment[times > counts["start_quest"]] = "collector"
    segment[counts["join_guild"] > 0] = "social"
    segment[events.groupby("user_id")["day"].nunique() == 1] = "passer-by"
    sold = events[events["kind"].notna()]
    sold = sold.assign(segment=sold["user_id"].map(segment))
    pieces = sold["quantity"].fillna(1).astype(int)
    sold = sold.assign(pieces=pieces, gold=pieces * sold["price"].astype(int))
    by_item = sold.groupby(["segment", *KINDS])
    frame = by_item.agg(buyers=("user_id", "nunique"), pieces=("pieces", "sum"), gold=("gold", "sum")).reset_index()
    sizes = segment.value_counts().rename("players").rename_axis("segment").reset_index()
    frame = sizes.merge(frame, how="left").fillna({"buyers": 0, "pieces": 0, "gold": 0})
    return frame[list(library.describe("revenue_by_segment").columns)]


def returning_by_joining(events: pd.DataFrame) -> pd.DataFrame:
    arrived = events[events["since"] == 0]
    joined = (arrived["event_type"] == "join_guild").groupby(arrived["user_id"]).any()
    second = events["since"].between(WEEK, FORTNIGHT - 1).groupby(events["user_id"]).any()
    players = pd.DataFrame({"day": arrived.groupby("user_id")["day"].min(), "returned": second})
    players["joined"] = joined.map({True: "yes", False: "no"})
    known = players["day"] + pd.Timedelta(days=FORTNIGHT - 1) <= events["day"].max()
    by_day = players[known & (arrived.groupby("user_id").size() > 1)].groupby(["day", "joined"])["returned"]
    frame = pd.DataFrame({"players": by_day.size(), "returned": by_day.sum()}).reset_index()
    return frame.assign(gold=0)


def _monday(days: "pd.Series[pd.Timestamp]") -> "pd.Series[pd.Timestamp]":
    return days - pd.to_timedelta(days.dt.dayofweek, unit="D")


def _first(events: pd.DataFrame, place: int = 0) -> "pd.Series[pd.Timestamp]":
    nth = events[events.groupby("user_id").cumcount() == place]
    return nth.set_index("user_id")["time"]


def _after(events: pd.DataFrame, moments: "pd.Series[pd.Timestamp]") -> pd.DataFrame:
    return events[events["time"] >= events["user_id"].map(moments)]

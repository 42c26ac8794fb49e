"""What the named queries of the recovery would answer about a simulated world, computed from its events with pandas."""

import functools

import numpy as np
import pandas as pd

from questlog.generate.model import simulate
from questlog.generate.world import World

WEEK = 7
PAGES = ["/shop", "/quests", "/guilds"]
FIELDS = ["page", "character", "item", "price", "quantity"]


@functools.cache
def answers(world: World) -> dict[str, pd.DataFrame]:
    events = events_of(world)
    return {
        made.__name__: made(events)
        for made in (
            first_week,
            prices_by_day,
            first_purchases,
            page_interests,
            new_players_joining,
            staying_away,
            bots,
        )
    }


def events_of(world: World) -> pd.DataFrame:
    events = pd.DataFrame([event for event in simulate(world) if isinstance(event, dict)])
    events = events.reindex(columns=list(dict.fromkeys([*events.columns, *FIELDS])))
    time = pd.to_datetime(events["event_time"]).dt.tz_localize(None)
    day = time.dt.normalize().astype("datetime64[s]")
    first = day.groupby(events["user_id"]).transform("min")
    kind = events["event_type"].where(events["event_type"].str.startswith("purchase_")).str.removeprefix("purchase_")
    return events.assign(time=time, day=day, since=(day - first).dt.days, kind=kind)


def _count(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    return frame.groupby(columns).size().rename("players").reset_index()


def first_week(events: pd.DataFrame) -> pd.DataFrame:
    last = events["day"].max()
    days = events.drop_duplicates(["user_id", "day"])
    days = days[days["day"] - pd.to_timedelta(days["since"] - WEEK, unit="D") <= last]
    inside, off = days["since"].between(1, WEEK), days["day"].dt.dayofweek >= 5
    marked = days.assign(workdays=inside & ~off, weekend_days=inside & off, stayed=days["since"] > WEEK)
    marks = {"workdays": "sum", "weekend_days": "sum", "stayed": "any"}
    return _count(marked.groupby("user_id").agg(marks), list(marks))


def prices_by_day(events: pd.DataFrame) -> pd.DataFrame:
    swords = events[events["kind"] == "sword"]
    found = swords["price"].astype(float).groupby([swords["day"], swords["item"]])
    price = found.agg(lambda prices: float(np.exp(np.log(prices).mean())))
    return pd.DataFrame({"purchases": found.size(), "gold": found.sum(), "price": price}).reset_index()


def first_purchases(events: pd.DataFrame) -> pd.DataFrame:
    characters = events.dropna(subset="character").set_index("user_id")["character"]
    first = events.dropna(subset="kind").drop_duplicates("user_id")
    return _count(first.assign(character=first["user_id"].map(characters)), ["day", "character", "kind"])


def page_interests(events: pd.DataFrame) -> pd.DataFrame:
    views = events[events["event_type"] == "page_view"]
    counts = pd.crosstab(views["user_id"], views["page"]).reindex(columns=PAGES, fill_value=0)
    return _count(counts, PAGES).rename(columns=lambda page: page.removeprefix("/"))


def new_players_joining(events: pd.DataFrame) -> pd.DataFrame:
    arrivals = events[events["since"] == 0]
    joins = (arrivals["event_type"] == "join_guild").groupby(arrivals["user_id"])
    players = pd.DataFrame({"day": arrivals.groupby("user_id")["day"].min(), "joined": joins.any()})
    by_day = players[joins.size() > 1].groupby("day")["joined"]
    return pd.DataFrame({"players": by_day.size(), "joined": by_day.sum()}).reset_index()


def staying_away(events: pd.DataFrame) -> pd.DataFrame:
    days = events.drop_duplicates(["user_id", "day"])[["user_id", "day"]].sort_values(["user_id", "day"])
    following = days.groupby("user_id")["day"].shift(-1)
    days["gone"] = ~((following - days["day"]).dt.days <= WEEK)
    held = (events["since"] > 0) & (events["day"] + pd.Timedelta(days=WEEK) <= events["day"].max())
    bought = events[held & events["kind"].notna()].merge(days, on=["user_id", "day"])
    rows = []
    for kind, of_kind in bought.groupby("kind"):
        baskets = of_kind.groupby(["user_id", "day"]).agg(items=("item", set), gone=("gone", "first"))
        for item in sorted(set(of_kind["item"])):
            has = baskets["items"].map(lambda items, item=item: item in items)
            gone = baskets["gone"]
            rows.append((kind, item, has.sum(), (has & gone).sum(), (~has).sum(), (~has & gone).sum()))
    return pd.DataFrame(rows, columns=["kind", "item", "buyers", "gone", "others", "others_gone"])


def bots(events: pd.DataFrame) -> pd.DataFrame:
    timed = events.sort_values(["user_id", "time"], kind="stable")
    pause = timed.groupby("user_id")["time"].diff().dt.total_seconds()
    within, short = (pause <= limit for limit in (30 * 60, 3))
    counts = pd.DataFrame({"user_id": timed["user_id"], "within": within, "short": short}).groupby("user_id").sum()
    who = pd.Series("unclear", index=counts.index, name="who")
    who[counts["short"] >= 3] = "programs"
    who[counts["within"] > counts["short"]] = "people"
    sizes = events.groupby("user_id").size().groupby(who).sum()
    return _count(who.to_frame(), ["who"]).assign(events=lambda frame: frame["who"].map(sizes))

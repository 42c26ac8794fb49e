"""Charts about players."""

from __future__ import annotations

import pandas as pd

from questlog.report import findings, style
from questlog.report.chart import Chart, chart, percents, whole_numbers, without_data
from questlog.report.evidence import Share, percent
from questlog.report.figures import draw
from questlog.report.findings.hours import HOURS, QUIET_HOURS, by_hour, quietest
from questlog.report.findings.players import every_day, hours


@style.styled
def players_by_day(frame: pd.DataFrame) -> Chart:
    """Players seen each day as a line, new ones as bars. Frame: `day`, `players`, `events`, `new_players`."""
    title = findings.players_by_day(frame).title
    if frame.empty:
        return without_data(title)
    daily = every_day(frame)
    days = pd.DatetimeIndex(daily.index)
    figure, axes = chart(title)
    new = style.colour("create_player")
    axes.bar(range(len(days)), daily["new_players"], width=0.8, color=new, linewidth=0, label="new players")
    axes.plot(range(len(days)), daily["players"], color=style.INK, marker="o", markersize=3.5, label="all players")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("players a day")
    whole_numbers(axes.yaxis)
    draw.over_days(axes, days)
    draw.below(figure, axes, columns=2)
    return figure


@style.styled
def funnel(frame: pd.DataFrame) -> Chart:
    """How many come to each step. Frame: `step`, `name`, `players`, `share`, `share_of_previous`."""
    title = findings.funnel(frame).title
    if frame.empty:
        return without_data(title)
    players = [int(count) for count in frame["players"]]
    texts = [f"{count:,} ({percent(Share(count, players[0]).value)})" for count in players]
    return draw.valued_bars(title, frame["name"].tolist(), "players", players, texts, room=1.35)


@style.styled
def purchase_funnel(frame: pd.DataFrame) -> Chart:
    """How many come to each step, and how long it takes: `funnel`'s frame with `median_hours`."""
    title = findings.purchase_funnel(frame).title
    if frame.empty:
        return without_data(title)
    players = [int(count) for count in frame["players"]]
    waits = ["" if pd.isna(took) else f" ({hours(float(took))})" for took in frame["median_hours"]]
    texts = [f"{count:,}{wait}" for count, wait in zip(players, waits, strict=True)]
    return draw.valued_bars(title, frame["name"].tolist(), "players (median wait)", players, texts, room=1.6)


@style.styled
def players_returning(frame: pd.DataFrame) -> Chart:
    """Share of new players seen again, with its interval. Frame: `days`, `eligible`, `returned`, `share`."""
    title = findings.players_returning(frame).title
    if frame.empty:
        return without_data(title)
    counts = zip(frame["returned"], frame["eligible"], strict=True)
    intervals = [Share(int(returned), int(eligible)).interval for returned, eligible in counts]
    lows, highs = zip(*intervals, strict=True)
    figure, axes = chart(title)
    axes.fill_between(frame["days"], lows, highs, color=style.PALE, linewidth=0, label="95% interval")
    axes.plot(frame["days"], frame["share"], color=style.ACCENT, marker="o", label="seen on that day")
    axes.set(ylim=(0, None), xlabel="days after the first event", ylabel="share of new players")
    whole_numbers(axes.xaxis)
    axes.yaxis.set_major_locator(draw.few_ticks())
    percents(axes.yaxis)
    draw.below(figure, axes, columns=2)
    return figure


@style.styled
def hours_of_day(frame: pd.DataFrame) -> Chart:
    """Events of each hour of the day, the quietest hours hatched. Frame: `hour`, `events`, `players`."""
    title = findings.hours_of_day(frame).title
    events = by_hour(frame)
    if not sum(events):
        return without_data(title)
    start, _ = quietest(events)
    quiet = [(start + later) % HOURS for later in range(QUIET_HOURS)]
    figure, axes = chart(title)
    busy = [hour for hour in range(HOURS) if hour not in quiet]
    axes.bar(busy, [events[hour] for hour in busy], color=style.ACCENT, width=0.8, linewidth=0)
    name, few = f"quietest {QUIET_HOURS} hours in a row", [events[hour] for hour in quiet]
    axes.bar(quiet, few, width=0.8, color=style.PALE, edgecolor=style.INK, hatch="///", label=name)
    axes.set(xlabel="hour of the day (UTC)", ylabel="events", xticks=range(0, HOURS, 4), xlim=(-0.7, HOURS - 0.3))
    axes.grid(visible=False, axis="x")
    whole_numbers(axes.yaxis)
    draw.below(figure, axes, columns=1)
    return figure

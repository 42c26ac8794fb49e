"""Charts over days with what is known to have happened on them: they take the dates, too."""

from __future__ import annotations

from datetime import date

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from questlog.report import findings, style
from questlog.report.chart import Chart, chart, percents, without_data
from questlog.report.evidence import Share, percent
from questlog.report.figures import draw
from questlog.report.findings.changes import during, of_swords, swords

HEIGHT = 3.8
ROOM = 1.2
LEAST_SHARE, MOST_SHOWN = 0.1, 1.1
EDGED = [withStroke(linewidth=4, foreground=style.PAPER)]  # a line is seen on a dark bar, too


@style.styled
def price_change(prices: pd.DataFrame, first_purchases: pd.DataFrame, changed_on: date) -> Chart:
    """Share of swords among each day's first purchases, the day of the new prices marked, the shares before and since.

    The frames are those of the finding of this name.
    """
    title = findings.price_change(prices, first_purchases, changed_on).title
    if first_purchases.empty:
        return without_data(title)
    before, since = swords(first_purchases, changed_on)
    daily = of_swords(first_purchases).set_index("day")[["players", "swords"]].resample("D").sum()
    figure, axes, days = _shares(title, daily, "swords", style.colour("purchase_sword"), "swords")
    changed = _place(days, changed_on) - 0.5
    _level(axes, (-0.5, changed), before, "before", "--")
    _level(axes, (changed, len(days) - 0.5), since, "since", "-")
    axes.set_ylabel("of first purchases")
    _mark(axes, days, changed_on, "new prices")
    draw.below(figure, axes, columns=3)
    return figure


@style.styled
def campaign(frame: pd.DataFrame, dates: tuple[date, date]) -> Chart:
    """Share of new players who join a guild on their first day, the campaign marked, with the shares in and outside."""
    title = findings.campaign(frame, dates).title
    if frame.empty:
        return without_data(title)
    daily = frame.set_index("day")[["players", "joined"]].resample("D").sum()
    figure, axes, days = _shares(title, daily, "joined", style.colour("join_guild"), "joined at once")
    inside, outside = during(frame, dates, "joined")
    first, last = (_place(days, day) for day in dates)
    _level(axes, (first - 0.5, last + 0.5), inside, "during the campaign", "-")
    _level(axes, (-0.5, len(days) - 0.5), outside, "on other days", "--")
    axes.set_ylabel("of new players")
    draw.below(figure, axes, columns=2)
    return figure


def _shares(
    title: str, daily: pd.DataFrame, counted: str, colour: str, label: str
) -> tuple[Chart, Axes, pd.DatetimeIndex]:
    """A bar a day: of its `players` those `counted`; the axis ends a little above the highest."""
    days = pd.DatetimeIndex(daily.index)
    figure, axes = chart(title, height=HEIGHT)
    share = (daily[counted] / daily["players"].where(daily["players"] > 0)).astype(float)
    axes.bar(range(len(days)), share, width=0.8, linewidth=0, color=colour, label=label)
    axes.set_ylim(0, min(max(share.max(), LEAST_SHARE) * ROOM, MOST_SHOWN))
    axes.yaxis.set_major_locator(draw.few_ticks())
    percents(axes.yaxis)
    draw.over_days(axes, days)
    return figure, axes, days


def _place(days: pd.DatetimeIndex, day: date) -> int:
    return (pd.Timestamp(day) - days[0]).days


def _level(axes: Axes, span: tuple[float, float], share: Share, name: str, line: str) -> None:
    if share.whole:
        label = f"{name}: {percent(share.value)}"
        axes.plot(span, [share.value] * 2, line, color=style.INK, linewidth=2, label=label, path_effects=EDGED)


def _mark(axes: Axes, days: pd.DatetimeIndex, day: date, what: str) -> None:
    place = _place(days, day) - 0.5
    if not -0.5 <= place <= len(days):
        return
    axes.axvline(place, color=style.ALERT, linewidth=2, linestyle="--")
    side = "left" if place < len(days) / 2 else "right"
    text = f" {what}, {day:%-d %b} "
    axes.text(place, axes.get_ylim()[1] * 0.99, text, ha=side, va="top", color=style.ALERT, size=style.SIZE - 1)

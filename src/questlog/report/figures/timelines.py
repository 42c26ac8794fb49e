"""Charts over days with what is known to have happened on them: they take the dates, too."""

from __future__ import annotations

from datetime import date

import pandas as pd
from matplotlib.axes import Axes

from questlog.report import findings, style
from questlog.report.chart import Chart, chart, percents, whole_numbers, without_data
from questlog.report.evidence import Share
from questlog.report.figures import draw
from questlog.report.findings.changes import during


@style.styled
def price_change(prices: pd.DataFrame, first_purchases: pd.DataFrame, changed_on: date) -> Chart:
    """Swords sold each day, the day of the new prices marked; the frames are those of the finding of this name."""
    title = findings.price_change(prices, first_purchases, changed_on).title
    if prices.empty:
        return without_data(title)
    sold = prices.groupby("day")["purchases"].sum().resample("D").sum()
    days = pd.DatetimeIndex(sold.index)
    figure, axes = chart(title)
    axes.bar(range(len(days)), sold, width=0.8, linewidth=0, color=style.colour("purchase_sword"), label="swords sold")
    axes.set_ylim(0, max(sold.max(), 1) * 1.2)
    axes.set_ylabel("swords a day")
    whole_numbers(axes.yaxis)
    draw.over_days(axes, days)
    _mark(axes, days, changed_on, "new prices")
    return figure


@style.styled
def campaign(frame: pd.DataFrame, dates: tuple[date, date]) -> Chart:
    """Share of new players who join a guild on their first day, the campaign marked, with the shares in and outside."""
    title = findings.campaign(frame, dates).title
    if frame.empty:
        return without_data(title)
    daily = frame.set_index("day")[["players", "joined"]].resample("D").sum()
    days = pd.DatetimeIndex(daily.index)
    figure, axes = chart(title)
    share = (daily["joined"] / daily["players"].where(daily["players"] > 0)).astype(float)
    axes.bar(range(len(days)), share, width=0.8, linewidth=0, color=style.colour("join_guild"), label="joined at once")
    inside, outside = during(frame, dates, "joined")
    first, last = ((pd.Timestamp(day) - days[0]).days for day in dates)
    _level(axes, (first - 0.5, last + 0.5), inside, "during the campaign", "-")
    _level(axes, (-0.5, len(days) - 0.5), outside, "on other days", "--")
    axes.set_ylim(0, 1)
    axes.set_ylabel("share of new players")
    percents(axes.yaxis)
    draw.over_days(axes, days)
    draw.below(figure, axes, columns=2)
    return figure


def _level(axes: Axes, span: tuple[float, float], share: Share, name: str, line: str) -> None:
    if share.whole:
        axes.plot(span, [share.value] * 2, line, color=style.INK, linewidth=2, label=f"{name}: {share.value:.0%}")


def _mark(axes: Axes, days: pd.DatetimeIndex, day: date, what: str) -> None:
    place = (pd.Timestamp(day) - days[0]).days - 0.5
    if not -0.5 <= place <= len(days):
        return
    axes.axvline(place, color=style.ALERT, linewidth=2, linestyle="--")
    side = "left" if place < len(days) / 2 else "right"
    text = f" {what}, {day:%-d %b} "
    axes.text(place, axes.get_ylim()[1] * 0.99, text, ha=side, va="top", color=style.ALERT, size=style.SIZE - 1)

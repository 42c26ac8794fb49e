"""What the charts have in common: bars with their values, days with their weekends."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from questlog.report import style
from questlog.report.chart import Chart, chart, whole_numbers

BAR_HEIGHT = 0.72
INCHES_A_BAR, INCHES_A_LINE = 0.36, 0.24
INCHES_AROUND = 1.35
MOST_BARS = 15
ROOM_FOR_VALUES = 1.22
LINE_CHARACTERS = 20
SATURDAY, A_WEEK = 5, 7
MOST_DATES = 5


def bars(
    title: str, names: Sequence[object], unit: str, extra: float = 0.0, wrap: Callable[[object], str] | None = None
) -> tuple[Chart, Axes]:
    """A chart for one horizontal bar a name, the first on top; `extra` inches are left for a legend.

    The `MOST_BARS` first names are shown; where there are more, the axis says so. The caller draws as many. `wrap`
    makes the lines of a name, by default `wrapped`.
    """
    shown = [(wrap or wrapped)(name) for name in names[:MOST_BARS]]
    lines = max(label.count("\n") + 1 for label in shown)
    each = max(INCHES_A_BAR, INCHES_A_LINE * lines)
    figure, axes = chart(title, height=INCHES_AROUND + extra + each * max(len(shown), 2))
    axes.set_yticks(range(len(shown)), shown)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    whole_numbers(axes.xaxis)
    axes.set_xlabel(unit if len(names) <= MOST_BARS else f"{unit}; {MOST_BARS} of {len(names):,} shown")
    return figure, axes


def valued_bars(
    title: str,
    names: Sequence[object],
    unit: str,
    widths: Sequence[float],
    texts: Sequence[str],
    *,
    room: float = ROOM_FOR_VALUES,
    colour: str = style.ACCENT,
    wrap: Callable[[object], str] | None = None,
) -> Chart:
    """A chart with a horizontal bar a name, all of one colour, each with its text behind its end."""
    figure, axes = bars(title, names, unit, wrap=wrap)
    axes.barh(range(len(widths)), widths, height=BAR_HEIGHT, color=colour)
    values(axes, widths, texts, room)
    return figure


def values(axes: Axes, widths: Sequence[float], texts: Sequence[str], room: float = ROOM_FOR_VALUES) -> None:
    """Writes each bar's value behind its end; the axis is `room` times as long as the longest bar."""
    most = max(*widths, 1.0)
    axes.set_xlim(0, most * room)
    for place, (width, text) in enumerate(zip(widths, texts, strict=True)):
        axes.text(width + most * 0.015, place, text, va="center", size=style.SIZE - 1)


def few_ticks() -> MaxNLocator:
    """Ticks of an axis of shares, few enough for a phone, at steps with short labels."""
    return MaxNLocator(nbins=4, steps=[1, 2, 5, 10])


def over_days(axes: Axes, days: pd.DatetimeIndex) -> None:
    """An axis of days, drawn at 0, 1, 2 ...: a date under every week's first or so, the weekends in grey behind."""
    step = math.ceil(len(days) / MOST_DATES)
    step = A_WEEK * math.ceil(step / A_WEEK) if step > A_WEEK / 2 else step
    axes.set_xticks(range(0, len(days), step), [f"{day:%-d %b}" for day in days[::step]])
    axes.set_xlim(-0.6, len(days) - 0.4)
    axes.grid(visible=False, axis="x")
    axes.set_xlabel(f"day of {_years(days)} (UTC), weekends in grey")
    for place in np.flatnonzero(days.dayofweek >= SATURDAY):
        axes.axvspan(place - 0.5, place + 0.5, color=style.PALE, alpha=0.55, linewidth=0, zorder=0)


def below(figure: Chart, axes: Axes, columns: int) -> None:
    """The legend under the axes, where it hides nothing."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, columnspacing=1.2, handlelength=1.4)


def _years(days: pd.DatetimeIndex) -> str:
    first, last = days.min().year, days.max().year
    return str(first) if first == last else f"{first} to {last}"


def wrapped(name: object, most: int = style.MOST_LABEL_CHARACTERS, line: int = LINE_CHARACTERS) -> str:
    """A name beside its bar, `most` characters of it, in lines that leave room for the bar."""
    return textwrap.fill(style.label(name, most), line)

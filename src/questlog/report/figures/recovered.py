"""The chart of what was planted in a world and found again: it takes two comparisons, not the answer to a query."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from questlog.report import recovery, style
from questlog.report.chart import Chart, blank
from questlog.report.figures import draw

INCHES_A_ROW, INCHES_AROUND = 0.52, 2.3
APART = 0.16
FACTORS = (0.125, 0.25, 0.5, 0.75, 1, 1.5, 2, 4, 8)
ROOM = 1.15


@style.styled
def recovered(compared: pd.DataFrame, switched_off: pd.DataFrame) -> Chart:
    """Each estimate with its interval and the truth, of a world with its effects and of one without any.

    Frames: of `recovery.compare`.
    """
    figure = blank(INCHES_AROUND + INCHES_A_ROW * len(compared))
    figure.say(recovery.summary(compared).title)
    factors = compared["without"] == 1
    sizes = [max(int(part.sum()), 1) for part in (factors, ~factors)]
    for axes, part in zip(figure.subplots(2, 1, height_ratios=sizes), (factors, ~factors), strict=True):
        _panel(axes, compared[part], switched_off[part])
    upper, lower = figure.axes
    upper.set_xscale("log", base=2)
    upper.xaxis.set_major_locator(FixedLocator(FACTORS))
    upper.xaxis.set_minor_locator(NullLocator())
    upper.xaxis.set_major_formatter(FuncFormatter(lambda factor, _: f"{factor:g}"))
    upper.set_xlabel("factor (1: no effect)")
    lower.set_xlabel("share or excess (0: no effect)")
    draw.below(figure, lower, columns=3)
    return figure


def _panel(axes: Axes, compared: pd.DataFrame, switched_off: pd.DataFrame) -> None:
    places = range(len(compared))
    axes.axvline(1 if (compared["without"] == 1).any() else 0, color=style.MUTED, linewidth=1, zorder=0)
    for frame, up, colour, marker, name in (
        (compared, -APART, style.ACCENT, "o", "effects as planted"),
        (switched_off, APART, style.MUTED, "s", "all switched off"),
    ):
        known = frame["estimate"].notna().to_numpy()
        rows = [place + up for place, told in zip(places, known, strict=True) if told]
        axes.hlines(rows, frame["low"][known], frame["high"][known], color=colour, linewidth=2.5)
        axes.plot(frame["estimate"][known], rows, marker, color=colour, markersize=6, label=name)
        true = [place + up for place in places]
        label = "truth" if frame is compared else None
        axes.plot(frame["truth"], true, "|", color=style.INK, markersize=13, markeredgewidth=2, label=label)
    axes.set_yticks(places, [draw.wrapped(what.partition(":")[0]) for what in compared["measured"]])
    axes.set_ylim(len(compared) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")

"""Charts about what arrives."""

from __future__ import annotations

import functools

import pandas as pd

from questlog.events import CATALOGUE, Catalogue
from questlog.report import findings, style
from questlog.report.chart import Chart, without_data
from questlog.report.figures import draw
from questlog.report.findings.account import causes
from questlog.report.findings.traffic import title_of

CAUSE_CHARACTERS, CAUSE_LINE = 75, 28
"""A cause ends in what is allowed, which tells it from others: its label is longer than a name's."""


@style.styled
def events_by_type(frame: pd.DataFrame, catalogue: Catalogue = CATALOGUE) -> Chart:
    """Events of each type, in its colour. Frame: `event_type`, `events`, `players`, `first_day`, `last_day`."""
    title = findings.events_by_type(frame, catalogue).title
    if frame.empty:
        return without_data(title)
    ordered = frame.sort_values(["events", "event_type"], ascending=[False, True])
    shown = ordered.head(draw.MOST_BARS)
    names = [title_of(event_type, catalogue) for event_type in ordered["event_type"]]
    figure, axes = draw.bars(title, names, "events")
    counts = [float(count) for count in shown["events"]]
    colours = [style.colour(event_type, catalogue) for event_type in shown["event_type"]]
    hatches = [style.hatch(event_type, catalogue) for event_type in shown["event_type"]]
    axes.barh(range(len(counts)), counts, height=draw.BAR_HEIGHT, color=colours, hatch=hatches)
    draw.values(axes, counts, [f"{count:,.0f}" for count in counts])
    return figure


@style.styled
def dead_letters_by_reason(frame: pd.DataFrame) -> Chart:
    """Rejected records by cause. Frame: `event_type`, `reason`, `records`."""
    title = findings.dead_letters_by_reason(frame).title
    if frame.empty:
        return without_data(title)
    by_cause = causes(frame)
    counts = [float(count) for count in by_cause.head(draw.MOST_BARS)]
    texts = [f"{count:,.0f}" for count in counts]
    wrap = functools.partial(draw.wrapped, most=CAUSE_CHARACTERS, line=CAUSE_LINE)
    names = by_cause.index.tolist()
    return draw.valued_bars(title, names, "records rejected", counts, texts, colour=style.ALERT, wrap=wrap)

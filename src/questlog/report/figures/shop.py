"""Charts about the shop."""

from __future__ import annotations

import pandas as pd
from matplotlib.patches import Patch

from questlog.report import findings, style
from questlog.report.chart import Chart, chart, whole_numbers, without_data
from questlog.report.evidence import Share, percent
from questlog.report.figures import draw


@style.styled
def sales_by_item(frame: pd.DataFrame) -> Chart:
    """Gold of each item, in its kind's colour.

    Frame: `kind`, `item`, `purchases`, `pieces`, `gold`, `gold_per_piece`.
    """
    title = findings.sales_by_item(frame).title
    if frame.empty:
        return without_data(title)
    ordered = frame.sort_values(["gold", "kind", "item"], ascending=[False, True, True])
    shown = ordered.head(draw.MOST_BARS)
    figure, axes = draw.bars(title, (ordered["item"] + " " + ordered["kind"]).tolist(), "gold earned", extra=0.35)
    gold, total = [float(earned) for earned in shown["gold"]], int(frame["gold"].sum())
    axes.barh(range(len(gold)), gold, height=draw.BAR_HEIGHT, color=[kind_colour(kind) for kind in shown["kind"]])
    draw.values(axes, gold, [percent(Share(int(earned), total).value) for earned in gold])
    kinds = sorted(set(shown["kind"]))
    patches = [Patch(facecolor=kind_colour(kind), edgecolor=style.INK, label=style.label(kind)) for kind in kinds]
    figure.legend(handles=patches, loc="outside lower center", ncols=4, columnspacing=1.2, handlelength=1.4)
    return figure


@style.styled
def revenue_by_day(frame: pd.DataFrame) -> Chart:
    """Gold a day, stacked by kind. Frame: `day`, `kind`, `pieces`, `gold`."""
    title = findings.revenue_by_day(frame).title
    if frame.empty:
        return without_data(title)
    gold = (
        frame.pivot_table(index="day", columns="kind", values="gold", aggfunc="sum").resample("D").sum().astype(float)
    )
    days = pd.DatetimeIndex(gold.index)
    figure, axes = chart(title)
    below = pd.Series(0.0, index=gold.index)
    for kind in gold.columns:
        name, fill = style.label(kind), kind_colour(kind)
        axes.bar(range(len(days)), gold[kind], bottom=below, width=0.85, linewidth=0.4, color=fill, label=name)
        below = below + gold[kind]
    axes.set_ylabel("gold a day")
    whole_numbers(axes.yaxis)
    draw.over_days(axes, days)
    draw.below(figure, axes, columns=4)
    return figure


@style.styled
def top_spenders(frame: pd.DataFrame) -> Chart:
    """Gold of each top spender. Frame: `user_id`, `purchases`, `pieces`, `gold`, `share`."""
    title = findings.top_spenders(frame).title
    if frame.empty:
        return without_data(title)
    shown = frame.head(draw.MOST_BARS)
    gold = [float(spent) for spent in shown["gold"]]
    return draw.valued_bars(title, frame["user_id"].tolist(), "gold spent", gold, [f"{spent:,.0f}" for spent in gold])


def kind_colour(kind: object) -> str:
    """The colour of a kind of item is that of the event that buys it."""
    return style.colour(f"purchase_{kind}")

"""Charts about who stays, who stays away after a purchase, and who spends."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib import colormaps

from questlog.report import findings, style
from questlog.report.chart import Chart, chart, percents, without_data
from questlog.report.evidence import percent
from questlog.report.figures import draw
from questlog.report.findings.loyalty import after_buying, spending

MOST_COHORTS = 12
MOST_WEEKS = 7
INCHES_A_COHORT = 0.42
SCALE = colormaps["cividis_r"]


@style.styled
def retention_by_cohort(frame: pd.DataFrame) -> Chart:
    """The triangle: a row a cohort, a column a week; where not all are shown, the axes say so.

    Frame: `cohort`, `weeks`, `players`, `returned`, `share`.
    """
    title = findings.retention_by_cohort(frame).title
    if frame.empty:
        return without_data(title)
    every = frame.pivot(index="cohort", columns="weeks", values="share")
    shares = every.iloc[-MOST_COHORTS:, : MOST_WEEKS + 1]
    sizes = frame.groupby("cohort")["players"].max()
    figure, axes = chart(title, height=1.5 + INCHES_A_COHORT * max(len(shares), 2))
    texts = shares.map(lambda share: "" if pd.isna(share) else _short(share))
    sns.heatmap(
        shares,
        annot=texts,
        fmt="",
        cmap=SCALE,
        vmin=0,
        vmax=1,
        cbar=False,
        linewidths=2,
        linecolor=style.PAPER,
        annot_kws={"size": style.SIZE - 1},
        yticklabels=[f"{cohort:%-d %b} ({sizes[cohort]:,})" for cohort in shares.index],
        ax=axes,
    )
    axes.set(xlabel=_shown(every, shares), ylabel="first week (players)")
    axes.tick_params(rotation=0)
    axes.set_facecolor(style.PAPER)
    axes.grid(visible=False)
    values = shares.to_numpy(float)
    for text in axes.texts:
        column, row = map(int, text.get_position())
        text.set_color(style.ink_on(SCALE(values[row, column])))
    return figure


def _shown(every: pd.DataFrame, shares: pd.DataFrame) -> str:
    """What the lower axis says: its unit, and of how many rows and columns which are shown."""
    (rows, columns), (shown_rows, shown_columns) = every.shape, shares.shape
    parts = [f"the last {shown_rows} of {rows} rows"] if shown_rows < rows else []
    parts += [f"{shown_columns} of {columns} columns"] if shown_columns < columns else []
    return f"weeks after the first\nshown: {', '.join(parts)}" if parts else "weeks after the first"


def _short(share: float) -> str:
    """A share as it fits into its cell: <1%."""
    return percent(share).replace("under ", "<").replace("over ", ">")


@style.styled
def staying_away(frame: pd.DataFrame) -> Chart:
    """Share of buyers who stay away, beside that of other items' buyers.

    Frame: `kind`, `item`, `buyers`, `gone`, `others`, `others_gone`.
    """
    title = findings.staying_away(frame).title
    pairs = dict(sorted(after_buying(frame).items(), key=lambda named: (-named[1][0].value, named[0])))
    if not pairs:
        return without_data(title)
    figure, axes = draw.bars(title, list(pairs), "share of buyers not seen for a week", extra=0.35)
    shown = list(pairs.values())[: draw.MOST_BARS]
    places = np.arange(len(shown))
    own, rest = ([pair[side].value for pair in shown] for side in (0, 1))
    axes.barh(places, own, height=draw.BAR_HEIGHT, color=style.ALERT, label="after this item")
    others = "after others of its kind"
    axes.plot(rest, places, "D", color=style.INK, markersize=6, markeredgecolor=style.PAPER, label=others)
    draw.values(axes, [max(pair) for pair in zip(own, rest, strict=True)], [f"of {pair[0].whole:,}" for pair in shown])
    axes.set_xlim(0, max(*own, *rest, 0.1) * draw.ROOM_FOR_VALUES)
    axes.xaxis.set_major_locator(draw.few_ticks())
    percents(axes.xaxis)
    draw.below(figure, axes, columns=2)
    return figure


@style.styled
def revenue_by_segment(frame: pd.DataFrame) -> Chart:
    """Gold for each player of a segment. Frame: `segment`, `players`, `kind`, `item`, `buyers`, `pieces`, `gold`."""
    title = findings.revenue_by_segment(frame).title
    if frame.empty:
        return without_data(title)
    segments = spending(frame)
    gold = segments["gold_per_player"].tolist()
    texts = [f"{each:,.0f} ({players:,} players)" for each, players in zip(gold, segments["players"], strict=True)]
    return draw.valued_bars(title, segments["segment"].tolist(), "gold for each player", gold, texts, room=1.6)

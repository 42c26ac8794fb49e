"""Charts about guilds and quests."""

from __future__ import annotations

import pandas as pd

from questlog.report import findings, style
from questlog.report.chart import Chart, percents, without_data
from questlog.report.evidence import percent
from questlog.report.figures import draw
from questlog.report.findings.game import failing, leaving

OUTCOMES = {"won": ("#117733", ""), "lost": ("#ddcc77", "//"), "abandoned": ("#dddddd", "..")}
"""Colour and hatch of each way that a quest ends: apart in print, too."""


@style.styled
def guilds(frame: pd.DataFrame) -> Chart:
    """How often players joined each guild, and left again.

    Frame: `guild`, `joined`, `departed`, `members_net`, `members`, `members_gold`, `gold_per_member`.
    """
    title = findings.guilds(frame).title
    shares = dict(sorted(leaving(frame).items(), key=lambda named: (-named[1].whole, named[0])))
    if not shares:
        return without_data(title)
    figure, axes = draw.bars(title, list(shares), "times that players joined", extra=0.35)
    shown = list(shares.values())[: draw.MOST_BARS]
    stayed, left = [share.whole - share.part for share in shown], [share.part for share in shown]
    places = range(len(shown))
    axes.barh(places, stayed, height=draw.BAR_HEIGHT, color=style.colour("join_guild"), label="stayed")
    leave = style.colour("leave_guild")
    axes.barh(places, left, left=stayed, height=draw.BAR_HEIGHT, color=leave, hatch="//", label="left again")
    draw.values(axes, [share.whole for share in shown], [f"{percent(share.value)} left" for share in shown])
    draw.below(figure, axes, columns=2)
    return figure


@style.styled
def quests(frame: pd.DataFrame) -> Chart:
    """How each quest ends, as shares.

    Frame: `quest`, `started`, `won`, `lost`, `abandoned`, `win_rate`, `median_duration`, `gold`.
    """
    title = findings.quests(frame).title
    known = frame[frame["quest"].isin(list(failing(frame)))].sort_values(["started", "quest"], ascending=[False, True])
    if known.empty:
        return without_data(title)
    shown = known.head(draw.MOST_BARS)
    ended = shown[list(OUTCOMES)].sum(axis=1)
    figure, axes = draw.bars(title, known["quest"].tolist(), "share of the quests that ended", extra=0.35)
    reached = pd.Series(0.0, index=shown.index)
    for outcome, (colour, hatch) in OUTCOMES.items():
        part = (shown[outcome] / ended).astype(float)
        axes.barh(
            range(len(shown)), part, left=reached, height=draw.BAR_HEIGHT, color=colour, hatch=hatch, label=outcome
        )
        reached = reached + part
    draw.values(axes, [1.0] * len(shown), [f"of {count:,}" for count in ended])
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    percents(axes.xaxis)
    draw.below(figure, axes, columns=3)
    return figure

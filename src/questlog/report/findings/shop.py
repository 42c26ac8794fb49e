"""Findings about the shop: what sells, when, and to whom."""

from __future__ import annotations

import pandas as pd

from questlog.report.evidence import Share, counted, means_differ, percent, sureness
from questlog.report.findings.finding import Finding, absent

DEAR = 1.5
HALF = 0.5
SATURDAY = 5
NO_SALES = "no purchase that cost gold"


def sales_by_item(frame: pd.DataFrame) -> Finding:
    """Which item earns the most gold, and whether by its price or by its number.

    Args:
        frame: `kind`, `item`, `purchases`, `pieces` (counts), `gold`, `gold_per_piece` (gold).
    """
    gold, pieces = int(frame["gold"].sum()), int(frame["pieces"].sum())
    if not gold:
        return absent("what sells", NO_SALES)
    best = frame.sort_values(["gold", "kind", "item"], ascending=[False, True, True]).iloc[0]
    name = f"{best['item']} {best['kind']}"
    earned, sold = Share(int(best["gold"]), gold), Share(int(best["pieces"]), pieces)
    action, reason = _sell(name, earned, sold)
    only = "is the only item that sells" if len(frame) == 1 else "earns most"
    return Finding(
        title=f"The {name} {only}: {percent(earned.value)} of the gold, from {percent(sold.value)} of the pieces",
        sentence=f"The shop sold {counted(pieces, 'piece')} for {gold:,} gold; the {name} made {earned.part:,} of it.",
        figure=f"{percent(earned.value)} of {gold:,} gold",
        action=action,
        reason=reason,
        confidence=sureness(int(best["purchases"]), f"purchases of the {name}"),
    )


def _sell(name: str, earned: Share, sold: Share) -> tuple[str, str]:
    times = earned.value / sold.value
    if times >= DEAR:
        return (
            f"Show the {name} to every player who has the gold for it",
            f"one earns as much as {times:.1f} average pieces, and {counted(sold.part, 'was', 'were')} sold",
        )
    return (
        f"Keep the {name} easy to buy, and try one dearer item beside it",
        f"it earns by its number, {counted(sold.part, 'piece')}",
    )


def revenue_by_day(frame: pd.DataFrame) -> Finding:
    """Whether the shop earns more on a day of the weekend than on a workday.

    Args:
        frame: `day` (datetime), `kind`, `pieces` (count), `gold` (gold); a day without sales earned 0.
    """
    if frame.empty or not frame["gold"].sum():
        return absent("what the shop earns in a day", NO_SALES)
    daily = daily_gold(frame)
    weekend = pd.DatetimeIndex(daily.index).dayofweek >= SATURDAY
    title, action, reason = _week(daily, daily[weekend], daily[~weekend])
    return Finding(
        title=title,
        sentence=f"The shop earned {daily.sum():,.0f} gold in {counted(len(daily), 'day')}, the most on "
        f"{daily.idxmax():%-d %B %Y}. {_means(daily[weekend], daily[~weekend])}",
        figure=f"{daily.mean():,.0f} gold a day",
        action=action,
        reason=reason,
        confidence=sureness(len(daily), "days", differ=means_differ(daily[weekend].tolist(), daily[~weekend].tolist())),
    )


def _week(daily: pd.Series[float], off: pd.Series[float], work: pd.Series[float]) -> tuple[str, str, str]:
    if not means_differ(off.tolist(), work.tolist()):
        title = f"The shop earns {daily.mean():,.0f} gold a day; weekends do not clearly differ from workdays"
        return title, "Do not time offers by the day of the week yet", "collect more weeks first"
    better, worse = ("weekend days", "workdays") if off.mean() > work.mean() else ("workdays", "weekend days")
    low, high = sorted((off.mean(), work.mean()))
    action = f"Try an offer on {worse}, and compare with the weeks before"
    reason = f"they earn {high - low:,.0f} gold a day less"
    return f"The shop earns {high:,.0f} gold a day on {better} and {low:,.0f} on {worse}", action, reason


def _means(off: pd.Series[float], work: pd.Series[float]) -> str:
    if off.empty or work.empty:
        return f"All of them are {'workdays' if off.empty else 'days of a weekend'}."
    return (
        f"A day of a weekend earned {off.mean():,.0f} gold (mean of {len(off)}), a workday {work.mean():,.0f} "
        f"(mean of {len(work)})."
    )


def top_spenders(frame: pd.DataFrame) -> Finding:
    """How much of all gold the top spenders spend.

    Args:
        frame: `user_id`, `purchases`, `pieces` (counts), `gold` (gold), `share` (of all gold, 0 to 1), from the top.
    """
    if frame.empty or not frame["gold"].sum():
        return absent("who spends", NO_SALES)
    share, top = float(frame["share"].sum()), frame.iloc[0]
    action, reason = _base(share, len(frame))
    who = "The top spender spends" if len(frame) == 1 else f"The {len(frame)} top spenders spend"
    return Finding(
        title=f"{who} {percent(share)} of all gold",
        sentence=f"The first spent {int(top['gold']):,} gold in {counted(int(top['purchases']), 'purchase')}.",
        figure=f"{percent(share)} of all gold",
        action=action,
        reason=reason,
        confidence=sureness(int(frame["purchases"].sum()), "purchases"),
    )


def _base(share: float, count: int) -> tuple[str, str]:
    if share >= HALF:
        return "Widen the base of buyers", f"without {counted(count, 'player')} {percent(share)} of the gold is gone"
    return "Keep selling to everybody", f"all but {counted(count, 'player')} spend {percent(1 - share)} of the gold"


def daily_gold(frame: pd.DataFrame) -> pd.Series[float]:
    """Gold a day, from the first day of the frame to its last; 0 on days without sales."""
    return frame.groupby("day")["gold"].sum().astype(float).resample("D").sum()

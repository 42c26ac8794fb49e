"""Findings about the account of the events: whether it balances, what was refused, what was rejected."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from questlog.report.evidence import Share, counted, listed, percent
from questlog.report.findings.finding import Finding

COMPLETE = "High: each record that is rejected is kept, and counted."
VALUE = re.compile(r"='.*': ", re.DOTALL)
MISSING = re.compile(r"(: required, but missing); must be .*", re.DOTALL)


def ledger(frame: pd.DataFrame, problems: Sequence[str]) -> Finding:
    """Whether accepted = landed + filtered + rejected + duplicates, for every event type.

    Args:
        frame: `event_type` and counts, the last row is their sum: `accepted`, `in_kafka`, `from_api`, `landed`,
            `filtered`, `rejected`, `duplicates`, `in_presto`, `distinct`.
        problems: sentences that say where it does not balance.
    """
    total = frame.iloc[-1]
    sentence = (
        f"The API server accepted {counted(int(total['accepted']), 'event')}. Of {total['in_kafka']:,} in Kafka, "
        f"valid or not, {_settled(total)}."
    )
    if problems:
        return _unbalanced(sentence, problems)
    return Finding(
        title="The account balances: no event is lost, none is there twice",
        sentence=f"{sentence} Presto sees {counted(int(total['in_presto']), 'row')}, each of another event.",
        figure=counted(int(total["in_presto"]), "row"),
        action="Trust the counts of this report",
        reason="they are of all events that were accepted",
        confidence="High: the counts come from independent witnesses, and agree for every event type.",
    )


def _settled(total: pd.Series[Any]) -> str:
    """What became of all: 90 landed and 5 were rejected; none was filtered or a duplicate."""
    counts = {outcome: int(total[outcome]) for outcome in ("filtered", "rejected", "duplicates")}
    one = {"filtered": "filtered", "rejected": "rejected", "duplicates": "a duplicate"}
    some = [counted(count, f"was {one[outcome]}", f"were {outcome}") for outcome, count in counts.items() if count]
    none = [one[outcome] for outcome, count in counts.items() if not count]
    told = listed([f"{total['landed']:,} landed", *some])
    return f"{told}; none was {listed(none, 'or')}" if none else told


def _unbalanced(sentence: str, problems: Sequence[str]) -> Finding:
    more = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
    return Finding(
        title=f"The account does not balance: {counted(len(problems), 'problem')}",
        sentence=f"{sentence} {problems[0]}.{more}",
        figure=counted(len(problems), "problem"),
        action="Do not act on this report until `questlog verify` is clean",
        reason="the counts contradict each other",
        confidence="High: the witnesses contradict each other.",
    )


def dead_letters_by_reason(frame: pd.DataFrame) -> Finding:
    """How many records were rejected, and the most frequent cause: the reason without the value that was wrong.

    Args:
        frame: `event_type`, `reason`, `records` (count).
    """
    by_cause = causes(frame)
    total = int(by_cause.sum())
    if not total:
        return _none_rejected()
    share = Share(int(by_cause.iloc[0]), total)
    rejected = f"{counted(total, 'record was', 'records were')} rejected"
    return Finding(
        title=f"{rejected}, {percent(share.value)} for the most frequent reason" if len(by_cause) > 1 else rejected,
        sentence=f"The {'most frequent ' if len(by_cause) > 1 else ''}reason, told {counted(share.part, 'time')}, is "
        f"'{by_cause.index[0]}'.",
        figure=f"{total:,} rejected",
        action="Find who writes past the API server",
        reason=f"it would have refused {'these' if total > 1 else 'this one'} at once",
        confidence=COMPLETE,
    )


def refused(by_reason: Mapping[str, int], accepted: int) -> Finding:
    """How many requests the API server refused, beside the events that it accepted.

    Args:
        by_reason: requests refused, by reason.
        accepted: events accepted.
    """
    count = sum(by_reason.values())
    reasons = ", ".join(f"{reason} {number:,}" for reason, number in sorted(by_reason.items()))
    events = counted(accepted, "event was", "events were")
    told = f"{counted(count, 'request was', 'requests were')} refused, {counted(accepted, 'event')} accepted"
    return Finding(
        title=told if count else f"No request was refused; {events} accepted",
        sentence=f"Refused were, by reason: {reasons}." if count else "Every request was valid.",
        figure=f"{count:,} refused",
        action="Tell the makers of the clients" if count else "Nothing to do",
        reason="each answer says what is wrong" if count else "every request was valid",
        confidence="High: each request is counted as it is answered.",
    )


def causes(frame: pd.DataFrame) -> pd.Series[int]:
    """Records by cause, the most frequent first: what is wrong with which field, whatever its value was.

    ``price='much': must be ...`` is counted as ``price: must be ...``, and of a missing value that it is missing.
    """
    cause = frame["reason"].astype(str).str.replace(VALUE, ": ", regex=True).str.replace(MISSING, r"\1", regex=True)
    counts = frame["records"].groupby(cause).sum().astype(int)
    return counts.sort_index().sort_values(ascending=False, kind="stable")


def _none_rejected() -> Finding:
    return Finding(
        title="No record was rejected",
        sentence="Every record of the topic could be read and was valid.",
        figure="0 rejected",
        action="Nothing to do",
        reason="whatever writes to the topic keeps to the catalogue",
        confidence=COMPLETE,
    )

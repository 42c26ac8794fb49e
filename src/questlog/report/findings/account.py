"""Findings about the account of the events: whether it balances, what was refused, what was rejected."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from questlog.report.evidence import Share, counted, percent
from questlog.report.findings.finding import Finding

COMPLETE = "High: every record of the topic is accounted for."
VALUE = re.compile(r"='.*': ", re.DOTALL)


def ledger(frame: pd.DataFrame, problems: Sequence[str]) -> Finding:
    """Whether accepted = landed + filtered + rejected + repeated, for every event type.

    Args:
        frame: `event_type` and counts, the last row is their sum: `accepted`, `in_kafka`, `from_api`, `landed`,
            `filtered`, `rejected`, `repeated`, `in_presto`, `distinct`.
        problems: sentences that say where it does not balance.
    """
    total = frame.iloc[-1]
    outcomes = ("landed", "filtered", "rejected", "repeated")
    settled = ", ".join(f"{total[outcome]:,} {outcome}" for outcome in outcomes)
    sentence = (
        f"The API server accepted {total['accepted']:,} events; of {total['in_kafka']:,} records in Kafka {settled}."
    )
    if problems:
        return _unbalanced(sentence, problems)
    return Finding(
        title="The account balances: no event is lost, none is there twice",
        sentence=f"{sentence} Presto sees {total['in_presto']:,} rows, each of another event.",
        figure=f"{total['in_presto']:,} rows",
        action="Trust the counts of this report",
        reason="they are of all events that were accepted",
        confidence="High: the counts come from independent witnesses, and agree for every event type.",
    )


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
    were = "record was" if total == 1 else "records were"
    return Finding(
        title=f"{total:,} {were} rejected, {percent(share.value)} for the most frequent reason",
        sentence=f"That reason, {share.part:,} times: {by_cause.index[0]}.",
        figure=f"{total:,} rejected",
        action="Find who writes past the API server",
        reason=f"it would have refused these {total:,} at once",
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
    told = f"{count:,} {'request was' if count == 1 else 'requests were'} refused, {accepted:,} events accepted"
    return Finding(
        title=told if count else f"No request was refused; {accepted:,} events were accepted",
        sentence=f"Refused were, by reason: {reasons}." if count else "Every request was valid.",
        figure=f"{count:,} refused",
        action="Tell the makers of the clients" if count else "Nothing to do",
        reason="each answer names the field that is wrong" if count else "every request was valid",
        confidence="High: each request is counted as it is answered.",
    )


def causes(frame: pd.DataFrame) -> pd.Series[int]:
    """Records by cause, the most frequent first: ``price='much': must be ...`` is counted as ``price: must be ...``."""
    cause = frame["reason"].astype(str).str.replace(VALUE, ": ", regex=True)
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

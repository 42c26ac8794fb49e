"""Outcomes as tables and in words: for each fault what it does, how often it ran, and what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

import pandas as pd

from questlog.faults.checker import ALLOWED
from questlog.faults.matrix import FAULTS
from questlog.faults.trial import Outcome
from questlog.report.evidence import counted, listed

COLUMNS = ("fault", "runs", "acknowledged", "median", "longest", "bound", "measured", "violations")


def frame(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """A row for each fault that was to be brought about, in the order of the matrix.

    Columns: ``fault`` (its name), ``runs``, ``acknowledged`` (events), ``median`` and ``longest`` (seconds until
    service was there again; NaN for never), ``bound`` (seconds), ``measured`` (what that is counted by),
    ``violations``.
    """
    by_fault = ([each for each in outcomes if each.fault.name == fault.name] for fault in FAULTS)
    return pd.DataFrame([_row(some) for some in by_fault if some], columns=list(COLUMNS))


def told(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """The same in words, for a page: ``fault``, ``what happens``, ``events``, ``service was back``, ``kept``.

    Of a fault that could not be brought about, nothing is said of service, and ``kept`` says why.
    """
    rows = [
        (
            outcome.fault.name,
            outcome.fault.does,
            f"{len(outcome.record.acknowledged):,} acknowledged",
            None if outcome.not_run else f"{_back(outcome)}; {outcome.fault.bound:g} s are allowed",
            _kept(outcome),
        )
        for outcome in outcomes
    ]
    return pd.DataFrame(rows, columns=["fault", "what happens", "events", "service was back", "kept"])


def summary(outcomes: Sequence[Outcome]) -> str:
    """How many faults were brought about, events checked and violations found: a line each."""
    events = sum(len(outcome.record.acknowledged) for outcome in outcomes)
    ran = sum(not outcome.not_run for outcome in outcomes)
    return "\n".join(
        (
            f"brought about: {ran:,} of {counted(len(outcomes), 'fault')}",
            f"checked: {counted(events, 'acknowledged event')}",
            f"found: {counted(len(violations(outcomes)), 'violation')}",
        )
    )


def recovery(outcome: Outcome) -> str:
    """What the fault does, when service was there again by the fault's own measure, and which promises are broken."""
    does = outcome.fault.does
    broken = sorted({violation.promise for violation in outcome.violations})
    verdict = f"{listed(broken)} {'is' if len(broken) == 1 else 'are'} broken" if broken else "every promise is kept"
    if outcome.not_run:
        return f"Could not be brought about here: {does}" + (f". {verdict} all the same" if broken else "")
    after = "" if outcome.recovered is None else f" after {outcome.recovered:.1f} s"
    return f"{does[0].upper()}{does[1:]}. Events are {_again(outcome)}{after}; {verdict}"


def refusals(outcome: Outcome) -> str:
    """The slowest refusal of the trial, against what is allowed."""
    took = outcome.record.refusals
    return f"{counted(len(took), 'refusal')}, the slowest in {max(took):.2f} s; {ALLOWED}" if took else "no refusal"


def timeline(outcome: Outcome) -> pd.DataFrame:
    """Its events over time: ``second`` since the fault began, ``acknowledged`` and ``seen`` in Presto until then.

    A row for each acknowledgement, in which ``seen`` is missing, and one for each look that was answered.
    """
    begin = outcome.moments.injected
    told = sorted(moment.told - begin for moment in outcome.record.moments)
    acknowledged = pd.DataFrame({"second": told, "acknowledged": range(1, len(told) + 1)})
    looks = [look for look in outcome.looks if not look.error]
    seen = [min(max(look.rows - outcome.before, 0), len(told)) for look in looks]
    rows = pd.DataFrame({"second": [look.answered - begin for look in looks], "seen": seen})
    return pd.concat([acknowledged, rows]).sort_values("second", ignore_index=True)


def violations(outcomes: Iterable[Outcome]) -> list[str]:
    """Every violation as a sentence, with its fault."""
    return [f"{outcome.fault.name}: {each}" for outcome in outcomes for each in outcome.violations]


def not_run(outcomes: Iterable[Outcome]) -> dict[str, str]:
    """The faults that could not be brought about on this machine, and why."""
    return {outcome.fault.name: outcome.not_run for outcome in outcomes if outcome.not_run}


def _back(outcome: Outcome) -> str:
    return _again(outcome) + ("" if outcome.recovered is None else f" in {outcome.recovered:.1f} s")


def _again(outcome: Outcome) -> str:
    """What events are again, by the fault's own measure."""
    return f"{'not ' if outcome.recovered is None else ''}{outcome.fault.measured} again"


def _kept(outcome: Outcome) -> str:
    broken = [str(violation) for violation in outcome.violations]
    if outcome.not_run:
        return "; ".join((f"could not be brought about here: {outcome.not_run}", *broken))
    return "; ".join(broken) or "all promises"


def _row(some: Sequence[Outcome]) -> tuple[object, ...]:
    ran = [outcome for outcome in some if not outcome.not_run]
    seconds = [outcome.recovered for outcome in ran]
    measured = [each for each in seconds if each is not None]
    never = len(measured) < len(seconds) or not seconds
    fault = some[0].fault
    return (
        fault.name,
        len(ran),
        sum(len(outcome.record.acknowledged) for outcome in ran),
        statistics.median(measured) if measured else float("nan"),
        float("nan") if never else max(measured),
        fault.bound,
        fault.measured,
        sum(len(outcome.violations) for outcome in some),
    )

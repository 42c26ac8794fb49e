"""Outcomes as a table: for each fault what it does, how often it ran, and what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

import pandas as pd

from questlog.faults.matrix import FAULTS
from questlog.faults.trial import Outcome

COLUMNS = ("fault", "runs", "acknowledged", "median", "longest", "bound", "measured", "restarts", "violations")


def frame(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """A row for each fault that was to be brought about, in the order of the matrix.

    Columns: ``fault`` (its name), ``runs``, ``acknowledged`` (events), ``median`` and ``longest`` (seconds until
    service was there again; NaN for never), ``bound`` (seconds), ``measured`` (what that is counted by), ``restarts``
    (of the stream's command), ``violations``.
    """
    by_fault = ([each for each in outcomes if each.fault.name == fault.name] for fault in FAULTS)
    return pd.DataFrame([_row(some) for some in by_fault if some], columns=list(COLUMNS))


def violations(outcomes: Iterable[Outcome]) -> list[str]:
    """Every violation as a sentence, with its fault."""
    return [f"{outcome.fault.name}: {each}" for outcome in outcomes for each in outcome.violations]


def not_run(outcomes: Iterable[Outcome]) -> dict[str, str]:
    """The faults that could not be brought about on this machine, and why."""
    return {outcome.fault.name: outcome.not_run for outcome in outcomes if outcome.not_run}


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
        sum(outcome.restarts for outcome in ran),
        sum(len(outcome.violations) for outcome in some),
    )

"""Outcomes as a table: for each fault what it does, how often it ran, and what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

import pandas as pd

from questlog.faults.checker import ALLOWED
from questlog.faults.matrix import ANSWERED, FAULTS, SEEN
from questlog.faults.trial import Outcome

_AGAIN = {ANSWERED: "taken again", SEEN: "seen in Presto"}
COLUMNS = ("fault", "runs", "acknowledged", "median", "longest", "bound", "measured", "restarts", "violations")


def frame(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """A row for each fault that was to be brought about, in the order of the matrix.

    Columns: ``fault`` (its name), ``runs``, ``acknowledged`` (events), ``median`` and ``longest`` (seconds until
    service was there again; NaN for never), ``bound`` (seconds), ``measured`` (what that is counted by), ``restarts``
    (of the stream's command), ``violations``.
    """
    by_fault = ([each for each in outcomes if each.fault.name == fault.name] for fault in FAULTS)
    return pd.DataFrame([_row(some) for some in by_fault if some], columns=list(COLUMNS))


def told(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """The same in words, for a page: ``fault``, ``what happens``, ``acknowledged``, ``service was back``, ``kept``."""
    rows = [
        (
            outcome.fault.name,
            outcome.fault.does,
            "none" if outcome.not_run else f"{len(outcome.record.acknowledged):,} acknowledged",
            "" if outcome.not_run else f"{_back(outcome)}; {outcome.fault.bound:g} s are allowed",
            _kept(outcome),
        )
        for outcome in outcomes
    ]
    return pd.DataFrame(rows, columns=["fault", "what happens", "events", "service was back", "kept"])


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


def recovery(outcome: Outcome) -> str:
    """What the fault did, and how soon service was there again by its own measure: a title."""
    what = outcome.fault.does[0].upper() + outcome.fault.does[1:]
    if outcome.not_run:
        return f"{what}: could not be brought about here"
    if outcome.recovered is None:
        return f"{what}: service did not come back"
    broken = len(outcome.violations)
    kept = f"{broken} {'promise is' if broken == 1 else 'promises are'} broken" if broken else "nothing is lost"
    return f"{what}: new events are {_AGAIN[outcome.fault.measured]} after {outcome.recovered:.1f} s, and {kept}"


def refusals(outcome: Outcome) -> str:
    """The slowest refusal of the trial, against what is allowed."""
    took = outcome.record.refusals
    return f"of {len(took):,} refusals the slowest came in {max(took):.2f} s; {ALLOWED}" if took else "no refusal"


def _kept(outcome: Outcome) -> str:
    if outcome.not_run:
        return f"could not be brought about here: {outcome.not_run}"
    return "; ".join(str(each) for each in outcome.violations) or "all promises"


def _back(outcome: Outcome) -> str:
    return "never" if outcome.recovered is None else f"in {outcome.recovered:.1f} s"


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

"""What a witness saw, judged where nobody kills Presto: no query may fail then."""

from collections.abc import Sequence
from dataclasses import replace

from questlog.faults import checker
from questlog.faults.checker import Evidence, Recovery
from questlog.faults.record import Look, Record


def problems(looks: Sequence[Look]) -> list[str]:
    """Each sight that no query should have had, and each query that failed."""
    up = [replace(look, presto_was_up=True) for look in looks]
    evidence = Evidence(record=Record(), rows=[], looks=up, recovery=Recovery(seconds=0.0, bound=0.0))
    return [str(violation) for violation in checker.violations(evidence)]

"""The checker: what a client was told and what Presto showed, held against each other. Pure: it asks nobody."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from questlog.faults.record import Fields, Look, Record
from questlog.report.evidence import counted

ANSWER = 1.0  # seconds within which a refusal has to come
SLACK = 1.0  # seconds more, for a machine on which everything else runs as well
ALLOWED = f"{ANSWER:g} s is allowed, and {SLACK:g} s more for a machine on which everything else runs as well"
SHOWN = 3  # ids named in a sentence

PROMISES = {
    "I1": "Every acknowledged event is in Presto.",
    "I2": "It is there once. An event whose fate its client does not know is there once, or not at all.",
    "I3": "Nothing is there that nobody sent, and every field is as it was sent.",
    "I4": "While Presto is up, no query fails, and none sees an event twice.",
    "I5": "The number of rows never goes down.",
    "I6": "Service is there again by itself, within the fault's bound.",
    "I7": f"A refusal comes within {ANSWER:g} s; no other error is answered, and no request is cut off without need.",
    "I8": "The ledger balances.",
}

Row = tuple[str, Fields]


@dataclass(frozen=True)
class Violation:
    """A promise that was broken: its number in `PROMISES`, and a sentence that says how."""

    promise: str
    says: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.says}"


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """Seconds until service was there again, against its bound; `seconds` is None when it never was."""

    seconds: float | None
    bound: float


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that is known of one trial.

    Args:
        record: the client's.
        rows: of Presto, the client's events: id and fields.
        looks: the witness's, in their order.
        recovery: how long service was away.
        strangers: rows that no client sent.
        ledger: why the ledger does not balance; empty when it does.
        may_reset: whether the fault may end connections in the middle of a request.
    """

    record: Record
    rows: Sequence[Row]
    looks: Sequence[Look]
    recovery: Recovery
    strangers: int = 0
    ledger: Sequence[str] = field(default=())
    may_reset: bool = True


def violations(evidence: Evidence) -> list[Violation]:
    """Every promise that the evidence shows as broken, in the order of their numbers."""
    found = itertools.chain(
        _of_rows(evidence.record, evidence.rows, evidence.strangers),
        _of_looks(evidence.looks),
        _of_service(evidence),
        (Violation("I8", problem) for problem in evidence.ledger),
    )
    return sorted(found, key=lambda violation: violation.promise)


def _of_rows(record: Record, rows: Sequence[Row], strangers: int) -> Iterator[Violation]:
    sent = {**record.unknown, **record.acknowledged}
    count = Counter(event_id for event_id, _ in rows)
    if lost := record.acknowledged.keys() - count.keys():
        yield Violation("I1", f"{_named(lost)} acknowledged, not in Presto")
    if twice := [event_id for event_id, times in count.items() if times > 1]:
        yield Violation("I2", f"{_named(twice)} in Presto more than once")
    if strange := count.keys() - sent.keys():
        yield Violation("I3", f"{_named(strange)} in Presto, and nobody sent it")
    if strangers:
        yield Violation("I3", f"{counted(strangers, 'row')} in Presto of no client")
    for event_id, fields in rows:
        if event_id in sent and (differing := _differences(sent[event_id], fields)):
            yield Violation("I3", f"{event_id}: {differing}")


def _of_looks(looks: Sequence[Look]) -> Iterator[Violation]:
    for look in looks:
        if look.error and look.presto_was_up:
            yield Violation("I4", f"a query failed after {look.answered - look.asked:.1f} s: {look.error}")
        if look.rows != look.events:
            yield Violation("I4", f"a query saw {counted(look.rows, 'row')} of {counted(look.events, 'event')}")
    for before, after in itertools.pairwise(look for look in looks if not look.error):
        if after.rows < before.rows:
            yield Violation("I5", f"{counted(after.rows, 'row')} after {before.rows:,}: some had gone")


def _of_service(evidence: Evidence) -> Iterator[Violation]:
    recovery, record = evidence.recovery, evidence.record
    if recovery.seconds is None:
        yield Violation("I6", "service did not come back")
    elif recovery.seconds > recovery.bound:
        yield Violation("I6", f"service came back after {recovery.seconds:.1f} s; {recovery.bound:g} s are allowed")
    if late := [seconds for seconds in record.refusals if seconds > ANSWER + SLACK]:
        yield Violation("I7", f"{counted(len(late), 'refusal')} took up to {max(late):.2f} s; {ALLOWED}")
    for surprise, times in Counter(record.surprises).items():
        yield Violation("I7", f"{surprise}, {counted(times, 'time')}")
    if record.resets and not evidence.may_reset:
        yield Violation("I7", f"{counted(len(record.resets), 'request')} cut off: {record.resets[0]}")


def _differences(sent: Fields, found: Fields) -> str:
    names = sorted(name for name in {*sent, *found} if sent.get(name) != found.get(name))
    return ", ".join(f"{name} was sent as {sent.get(name)!r}, is {found.get(name)!r}" for name in names)


def _named(ids: Iterable[str]) -> str:
    known = sorted(ids)
    more = f" and {len(known) - SHOWN:,} more" if len(known) > SHOWN else ""
    return f"{', '.join(known[:SHOWN])}{more}"

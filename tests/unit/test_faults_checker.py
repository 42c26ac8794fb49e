"""The checker finds each promise that is broken, and nothing where all are kept."""

from dataclasses import replace

import pytest

from questlog.faults.checker import ALLOWED, ANSWER, PROMISES, SLACK, Evidence, Recovery, violations
from questlog.faults.record import Fields, Look, Record

SWORD: Fields = {"event_type": "purchase_sword", "user_id": "ada", "event_time": 1767607200000, "price": 120}
QUEST: Fields = {"event_type": "finish_quest", "user_id": "bob", "event_time": 1767607200250, "duration": None}


def look(rows: int, at: float = 0.0, **other: object) -> Look:
    return replace(Look(at, at + 0.1, rows, rows, at), **other)


KEPT = Evidence(
    record=Record(acknowledged={"a": SWORD, "b": QUEST}, unknown={"c": SWORD, "d": QUEST}, refusals=[0.2]),
    rows=[("a", dict(SWORD)), ("b", dict(QUEST)), ("c", dict(SWORD))],
    looks=[look(0), look(1, 1), look(1, 2), look(3, 3)],
    recovery=Recovery(seconds=4.0, bound=5.0),
)
"""Of two events whose fate nobody knew, one is there and one is not."""


def broken(evidence: Evidence) -> list[str]:
    return [violation.promise for violation in violations(evidence)]


def told(
    *, refusals: list[float] | None = None, resets: list[str] | None = None, surprises: list[str] | None = None
) -> Record:
    return replace(KEPT.record, refusals=refusals or [], resets=resets or [], surprises=surprises or [], moments=[])


def test_where_every_promise_is_kept_it_finds_nothing() -> None:
    assert violations(KEPT) == []


def test_a_row_that_was_dropped_is_found() -> None:
    (found,) = violations(replace(KEPT, rows=KEPT.rows[1:]))

    assert str(found) == "I1: a acknowledged, not in Presto"


def test_an_answer_before_the_acknowledgement_is_found_as_the_event_that_was_lost() -> None:
    hasty = replace(KEPT.record, acknowledged={**KEPT.record.acknowledged, "told-too-early": SWORD})

    (found,) = violations(replace(KEPT, record=hasty))

    assert str(found) == "I1: told-too-early acknowledged, not in Presto"


@pytest.mark.parametrize("event", ["a", "c"], ids=["acknowledged", "unknown"])
def test_a_row_that_is_there_twice_is_found(event: str) -> None:
    again = next(row for row in KEPT.rows if row[0] == event)

    (found,) = violations(replace(KEPT, rows=[*KEPT.rows, again]))

    assert str(found) == f"I2: {event} in Presto more than once"


@pytest.mark.parametrize(("event", "place"), [("a", 0), ("c", 2)], ids=["acknowledged", "unknown"])
def test_a_row_that_was_altered_is_found_with_what_it_was_and_is(event: str, place: int) -> None:
    rows = [*KEPT.rows]
    rows[place] = (event, {**SWORD, "price": 121})

    (found,) = violations(replace(KEPT, rows=rows))

    assert str(found) == f"I3: {event}: price was sent as 120, is 121"


def test_a_field_that_should_be_null_and_is_not_is_found() -> None:
    rows = [KEPT.rows[0], ("b", {**QUEST, "duration": 0}), KEPT.rows[2]]

    assert broken(replace(KEPT, rows=rows)) == ["I3"]


def test_a_row_that_nobody_sent_is_found() -> None:
    assert broken(replace(KEPT, rows=[*KEPT.rows, ("e", SWORD)])) == ["I3"]
    assert broken(replace(KEPT, strangers=1)) == ["I3"]


def test_a_query_that_failed_while_presto_was_up_is_found_and_no_other() -> None:
    failed = look(0, 4, error="HDFS is away")

    assert broken(replace(KEPT, looks=[*KEPT.looks, failed])) == ["I4"]
    assert broken(replace(KEPT, looks=[*KEPT.looks, replace(failed, presto_was_up=False)])) == []


def test_a_query_that_saw_an_event_twice_for_a_moment_is_found() -> None:
    assert broken(replace(KEPT, looks=[look(1), look(2, 1, events=1), look(3, 2)])) == ["I4"]


def test_a_number_of_rows_that_went_down_is_found_even_with_a_failed_query_in_between() -> None:
    away = look(0, 2, error="Presto does not answer", presto_was_up=False)

    assert broken(replace(KEPT, looks=[look(2), look(1, 1)])) == ["I5"]
    assert broken(replace(KEPT, looks=[look(2), away, look(1, 3)])) == ["I5"]


@pytest.mark.parametrize("seconds", [5.1, None], ids=["late", "never"])
def test_a_recovery_that_is_late_or_never_comes_is_found(seconds: float | None) -> None:
    assert broken(replace(KEPT, recovery=Recovery(seconds=seconds, bound=5.0))) == ["I6"]


def test_a_late_recovery_is_told_with_the_seconds_that_it_took_and_those_that_are_allowed() -> None:
    (late,) = violations(replace(KEPT, recovery=Recovery(seconds=5.1, bound=5.0)))

    assert str(late) == "I6: service came back after 5.1 s; 5 s are allowed"


def test_a_refusal_is_late_after_the_limit_that_is_told_and_not_before() -> None:
    latest = ANSWER + SLACK

    assert broken(replace(KEPT, record=told(refusals=[latest]))) == []
    (late,) = violations(replace(KEPT, record=told(refusals=[latest + 0.25])))

    assert late.says == f"1 refusal took up to {latest + 0.25:.2f} s; {ALLOWED}"
    assert f"within {ANSWER:g} s" in PROMISES["I7"]


def test_a_slow_refusal_a_strange_answer_and_silence_are_found() -> None:
    assert broken(replace(KEPT, record=told(refusals=[0.1, 2.5]))) == ["I7"]
    assert broken(replace(KEPT, record=told(surprises=["status 500"]))) == ["I7"]


def test_a_request_that_was_cut_off_is_found_where_the_fault_is_no_reason_for_it() -> None:
    cut = replace(KEPT, record=told(resets=["Connection reset by peer"]))

    assert broken(cut) == []
    assert broken(replace(cut, may_reset=False)) == ["I7"]


def test_a_ledger_that_does_not_balance_is_found() -> None:
    assert broken(replace(KEPT, ledger=["page_view: 1 of 3 in Kafka wait"])) == ["I8"]


def test_a_long_list_of_ids_is_cut_short_and_counted() -> None:
    many = {f"lost-{number}": SWORD for number in range(10)}
    record = replace(KEPT.record, acknowledged={**KEPT.record.acknowledged, **many})

    (found,) = violations(replace(KEPT, record=record))

    assert found.says == "lost-0, lost-1, lost-2 and 7 more acknowledged, not in Presto"

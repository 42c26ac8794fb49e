"""The matrix of faults, and their outcomes as a table."""

import math
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner

from questlog.book import charts
from questlog.errors import FaultError
from questlog.faults import __main__ as command
from questlog.faults import outcomes
from questlog.faults.__main__ import main
from questlog.faults.checker import ALLOWED, Violation
from questlog.faults.matrix import FAULTS, named
from questlog.faults.record import Record
from questlog.faults.trial import Moments, Outcome
from questlog.stream.faults import POINTS

KAFKA = named(["kafka_killed"])[0]
DONE = Outcome(
    fault=KAFKA,
    record=Record(acknowledged={"a": {}, "b": {}}),
    looks=(),
    before=5,
    moments=Moments(begun=0, injected=1, over=2, ended=9),
    answered=4.0,
    seen=7.0,
    violations=(),
)
LOST, LATE = Violation("I1", "a acknowledged, not in Presto"), Violation("I6", "events were seen late")
IN_THE_WAY = "a small disk cannot be mounted here"
PUBLISHING = replace(DONE, fault=named(["driver_killed_publishing"])[0], answered=0.1)  # counted by what is seen


def test_every_fault_has_a_name_of_its_own_a_description_and_a_bound() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert all(fault.does and fault.bound > 0 for fault in FAULTS)


def test_the_stream_is_killed_at_every_point_that_a_batch_passes() -> None:
    assert {f"driver_killed_{point}" for point in POINTS} <= {fault.name for fault in FAULTS}


def test_faults_are_found_by_their_names_in_the_order_of_the_matrix() -> None:
    assert named([]) == FAULTS
    assert [fault.name for fault in named(["presto_killed", "api_killed"])] == ["api_killed", "presto_killed"]


def test_a_fault_that_there_is_not_is_refused_and_those_that_there_are_are_named() -> None:
    with pytest.raises(FaultError, match="no fault 'kafka_kiled'; there are api_worker_killed"):
        named(["kafka_kiled"])


def test_outcomes_of_a_fault_become_one_row() -> None:
    slower = replace(DONE, answered=10.0, violations=(LOST,))

    (row,) = outcomes.frame([DONE, slower]).itertuples(index=False)

    assert row == ("kafka_killed", 2, 4, 7.0, 10.0, 30, "acknowledged", 1)
    assert outcomes.violations([DONE, slower]) == ["kafka_killed: I1: a acknowledged, not in Presto"]


def test_service_that_never_came_back_has_no_longest_time() -> None:
    (row,) = outcomes.frame([DONE, replace(DONE, answered=None)]).itertuples(index=False)

    assert math.isnan(row.longest)


def test_a_fault_that_could_not_be_brought_about_counts_as_no_run() -> None:
    missing = replace(DONE, not_run=IN_THE_WAY)

    (row,) = outcomes.frame([missing]).itertuples(index=False)

    assert (row.runs, row.acknowledged) == (0, 0)
    assert outcomes.not_run([missing]) == {"kafka_killed": IN_THE_WAY}


def told(outcome: Outcome) -> tuple[str | None, str]:
    """What a page says of service, and of the promises."""
    (row,) = outcomes.told([outcome]).to_dict("records")
    return row["service was back"], row["kept"]


def test_recovery_is_told_by_the_fault_s_own_measure() -> None:
    assert told(DONE) == ("acknowledged again in 4.0 s; 30 s are allowed", "all promises")
    assert told(PUBLISHING) == ("seen in Presto again in 7.0 s; 30 s are allowed", "all promises")
    assert outcomes.recovery(DONE).endswith("Events are acknowledged again after 4.0 s; every promise is kept")
    assert outcomes.recovery(PUBLISHING).endswith("Events are seen in Presto again after 7.0 s; every promise is kept")


def test_service_that_did_not_come_back_is_told_so_by_the_fault_s_own_measure_alone() -> None:
    unseen = replace(DONE, seen=None)

    assert "are acknowledged again after" in outcomes.recovery(unseen)
    assert told(replace(PUBLISHING, seen=None, violations=(LATE,))) == (
        "not seen in Presto again; 30 s are allowed",
        "I6: events were seen late",
    )
    assert "Events are not seen in Presto again; " in outcomes.recovery(replace(PUBLISHING, seen=None))


def test_a_title_names_the_promises_that_are_broken_each_once() -> None:
    assert outcomes.recovery(replace(DONE, violations=(LATE,))).endswith("; I6 is broken")
    assert outcomes.recovery(replace(DONE, violations=(LATE, LOST, LOST))).endswith("; I1 and I6 are broken")


def test_a_fault_that_could_not_be_brought_about_is_never_told_as_kept() -> None:
    missing = replace(DONE, not_run=IN_THE_WAY, answered=None, seen=None)

    assert told(missing) == (None, f"could not be brought about here: {IN_THE_WAY}")
    assert outcomes.recovery(missing) == "Could not be brought about here: kill -9 of Kafka"


def test_what_broke_beside_a_fault_that_could_not_be_brought_about_is_told_all_the_same() -> None:
    broken = replace(DONE, not_run=IN_THE_WAY, violations=(LOST,))

    assert told(broken) == (None, f"could not be brought about here: {IN_THE_WAY}; {LOST}")
    assert outcomes.recovery(broken).endswith("brought about here: kill -9 of Kafka. I1 is broken all the same")


def test_the_chart_of_a_fault_has_its_title_and_shades_only_what_was_brought_about() -> None:
    missing = replace(DONE, not_run=IN_THE_WAY)

    for outcome, shaded in ((DONE, True), (missing, False)):
        chart = charts.fault(outcome)
        assert chart.said == outcomes.recovery(outcome)
        assert ("grey" in chart.axes[0].get_xlabel()) == bool(chart.axes[0].patches) == shaded


def test_a_run_is_summed_up_with_the_right_words_for_one_and_for_many() -> None:
    one = replace(DONE, record=Record(acknowledged={"a": {}}), violations=(LATE,))
    missing = replace(DONE, not_run=IN_THE_WAY, violations=(LOST, LATE))

    assert outcomes.summary([one]).splitlines() == [
        "brought about: 1 of 1 fault",
        "checked: 1 acknowledged event",
        "found: 1 violation",
    ]
    assert outcomes.summary([DONE, missing]).splitlines() == [
        "brought about: 1 of 2 faults",
        "checked: 4 acknowledged events",
        "found: 2 violations",
    ]


def test_the_slowest_refusal_is_told_against_what_is_allowed() -> None:
    refusing = replace(DONE, record=Record(refusals=[0.02, 0.51]))

    assert outcomes.refusals(DONE) == "no refusal"
    assert outcomes.refusals(refusing) == f"2 refusals, the slowest in 0.51 s; {ALLOWED}"


def test_the_command_s_help_lists_every_fault_with_its_bound() -> None:
    said = " ".join(CliRunner().invoke(main, ["--help"]).output.split())

    for fault in FAULTS:
        assert f"{fault.name}: {fault.does}; back within {fault.bound:g} s" in said


def test_the_command_refuses_a_fault_that_there_is_not_before_anything_starts() -> None:
    assert isinstance(CliRunner().invoke(main, ["--only", "nothing"]).exception, FaultError)


@pytest.mark.parametrize(
    ("options", "events", "runs"),
    [(["--runs", "2"], 5000, 2), (["--runs", "3", "--events", "50"], 50, 3), ([], 5000, 20)],
)
def test_a_long_run_may_be_of_one_fault_of_few_runs_and_of_few_events(
    monkeypatch: pytest.MonkeyPatch, options: list[str], events: int, runs: int
) -> None:
    asked = []

    def run(stack: object, faults: list[Any], **load: Any) -> list[Outcome]:
        asked.append(([fault.name for fault in faults], load["events"]))
        return []

    monkeypatch.setattr(command, "_stack", lambda is_given: nullcontext())
    monkeypatch.setattr(command.trial, "run", run)
    CliRunner().invoke(main, ["--long", "--only", "kafka_killed", *options], catch_exceptions=False)

    assert asked == [(["kafka_killed"], events)] * runs

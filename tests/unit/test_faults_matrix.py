"""The matrix of faults, and their outcomes as a table."""

import math
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner

from questlog.errors import FaultError
from questlog.faults import __main__ as command
from questlog.faults import outcomes
from questlog.faults.__main__ import main
from questlog.faults.checker import Violation
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
    restarts=1,
    violations=(),
)


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
    slower = replace(DONE, answered=10.0, violations=(Violation("I1", "a acknowledged, not in Presto"),))

    (row,) = outcomes.frame([DONE, slower]).itertuples(index=False)

    assert row == ("kafka_killed", 2, 4, 7.0, 10.0, 30, "answered", 2, 1)
    assert outcomes.violations([DONE, slower]) == ["kafka_killed: I1: a acknowledged, not in Presto"]


def test_service_that_never_came_back_has_no_longest_time() -> None:
    (row,) = outcomes.frame([DONE, replace(DONE, answered=None)]).itertuples(index=False)

    assert math.isnan(row.longest)


def test_a_fault_that_could_not_be_brought_about_counts_as_no_run() -> None:
    missing = replace(DONE, not_run="a small disk cannot be mounted here")

    (row,) = outcomes.frame([missing]).itertuples(index=False)

    assert (row.runs, row.acknowledged) == (0, 0)
    assert outcomes.not_run([missing]) == {"kafka_killed": "a small disk cannot be mounted here"}


def test_a_fault_that_could_not_be_brought_about_is_told_as_that_and_not_as_kept() -> None:
    missing = replace(DONE, not_run="a small disk cannot be mounted here", answered=None, seen=None)

    (row,) = outcomes.told([missing]).itertuples(index=False)

    assert row[2:] == ("none", "", "could not be brought about here: a small disk cannot be mounted here")
    assert outcomes.recovery(missing) == "Kill -9 of Kafka: could not be brought about here"


def test_recovery_is_told_by_the_measure_of_the_fault() -> None:
    driver = replace(DONE, fault=named(["driver_killed"])[0])

    assert outcomes.recovery(DONE).endswith("new events are taken again after 4.0 s, and nothing is lost")
    assert "new events are seen in Presto after 7.0 s" in outcomes.recovery(driver)


def test_a_service_that_never_came_back_is_told_as_that() -> None:
    assert outcomes.recovery(replace(DONE, answered=None)) == "Kill -9 of Kafka: service did not come back"


def test_broken_promises_are_counted_in_the_title() -> None:
    one = replace(DONE, violations=(Violation("I1", "a acknowledged, not in Presto"),))
    two = replace(DONE, violations=one.violations * 2)

    assert outcomes.recovery(one).endswith("and 1 promise is broken")
    assert outcomes.recovery(two).endswith("and 2 promises are broken")


def test_the_slowest_refusal_is_told_against_what_is_allowed() -> None:
    refusing = replace(DONE, record=Record(refusals=[0.02, 0.51]))

    assert outcomes.refusals(DONE) == "no refusal"
    assert outcomes.refusals(refusing).startswith("of 2 refusals the slowest came in 0.51 s; 1 s is allowed")


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

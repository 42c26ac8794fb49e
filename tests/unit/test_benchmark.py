"""The benchmark's table: what it calls reached, and that errors are not hidden behind a rate."""

import json
import subprocess

import pytest
from rich.console import Console

from questlog.events import CATALOGUE
from questlog.events.wire import type_of
from questlog.paths import ROOT


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT)


def lines(ours: float, errors: int = 0) -> list[str]:
    """The table of a run in which our sides are so many times better."""
    from benchmarks import rows
    from benchmarks.sides import Reading

    theirs = dict.fromkeys((rows.SEND, rows.FLUSH, rows.EACH), [Reading(100, p99=100)] * 3)
    mine = [Reading(100 * ours * pace, p99=100 / ours, errors=errors) for pace in (1, 0.5, 2)]
    readings = {**theirs, **dict.fromkeys((rows.SINGLE, rows.MANY, rows.THREADS, rows.BULK), mine)}
    console = Console(width=200)
    with console.capture() as shown:
        console.print(rows.table(readings))
    return [line for line in shown.get().splitlines() if line.startswith("│")]


def test_a_goal_is_reached_by_the_ratio_of_the_medians() -> None:
    assert [line.split("│")[-2].strip() for line in lines(8)] == [
        "reached",
        "reached",
        "reached",
        "not reached",
        "reached",
        "not reached",
    ]


def test_the_worst_of_the_rounds_stands_beside_the_median() -> None:
    assert [cell.strip() for cell in lines(8)[0].split("│")[2:8]] == ["800", "400", "100", "100", "8.0", "4"]


def test_a_side_with_errors_reaches_nothing() -> None:
    assert all("3 not accepted" in line and "reached" not in line for line in lines(1000, errors=1))


def test_the_script_says_what_it_measures_and_what_it_takes() -> None:
    told = subprocess.run([ROOT / "scripts" / "bench", "api", "--help"], capture_output=True, text=True, check=True)

    assert all(option in told.stdout for option in ("--rounds", "--requests", "--seconds"))


def test_freshness_is_the_wait_of_the_events_acknowledged_within_a_span() -> None:
    from benchmarks.watching import Seen

    seen = Seen(acknowledged={"a": 1.0, "b": 2.0, "c": 3.0}, seen={"a": 1.5, "b": 3.0})

    assert seen.waits() == [0.5, 1.0]
    assert seen.waits(begin=1.5) == [1.0]
    assert seen.missing == 1


def test_an_event_that_never_comes_does_not_make_the_benchmark_look_ever_further_back() -> None:
    from benchmarks.watching import LOOK_BACK, Seen

    seen = Seen(acknowledged={"never": 1.0, "seen": 2.0, "next": 3.0}, seen={"seen": 2.5})

    assert seen.oldest_unseen(4.0) == 1.0
    assert seen.oldest_unseen(1.0 + LOOK_BACK) == 3.0
    assert seen.oldest_unseen(100.0) == 100.0


def test_each_record_of_a_backlog_is_an_event_of_its_own() -> None:
    from benchmarks import drain

    records = [drain._record(number) for number in (0, 1, 600)]

    assert [json.loads(record.value)["event_id"][-4:] for record in records] == ["0000", "0001", "0600"]
    assert records[0].key == records[2].key
    assert all(type_of(record.headers, CATALOGUE) in CATALOGUE for record in records)

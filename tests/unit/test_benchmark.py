"""The benchmarks' tables: what they call reached, and that neither errors nor wrong answers hide behind a figure."""

import json
import math
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from questlog.errors import SetupError
from questlog.events import CATALOGUE
from questlog.events.wire import type_of
from questlog.lake import presto
from questlog.paths import ROOT
from questlog.query import library
from questlog.settings import Settings


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
    assert seen.not_found() == ["c"]


def tell_of_late_ones(monkeypatch: pytest.MonkeyPatch, in_table: set[str]) -> Any:
    """What was seen of four events when a watch ended: one in time, three not, of which these are in the table."""
    from benchmarks import watching

    def execute(_: Settings, sql: str, parameters: Mapping[str, list[str]]) -> list[tuple[str]]:
        assert sql == watching.IN_TABLE
        return [(event,) for event in parameters["events"] if event in in_table]

    monkeypatch.setattr(presto, "execute", execute)
    monkeypatch.setattr(watching, "LONG_PAUSE", 0)
    seen = watching.Seen(acknowledged={"a": 1.0, "b": 2.0, "c": 3.0, "d": 70.0}, seen={"a": 1.5})
    clock = iter([70.0 + second for second in range(1000)])
    watching.wait_for_all(Settings.load(), seen, lambda: next(clock))
    return seen


def test_an_event_in_the_table_that_was_not_seen_in_time_is_late_and_counts_with_the_least_it_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from benchmarks.watching import LOOK_BACK

    seen = tell_of_late_ones(monkeypatch, {"b", "c", "d"})

    assert (seen.late, seen.not_found()) == ({"b", "c", "d"}, [])
    assert seen.waits() == [0.5, LOOK_BACK, LOOK_BACK, LOOK_BACK]
    assert (seen.late_ones(), seen.late_ones(0, 60), seen.late_ones(60)) == (3, 2, 1)


def test_the_table_is_asked_in_parts_that_presto_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import watching

    monkeypatch.setattr(watching, "AT_ONCE", 1)

    assert tell_of_late_ones(monkeypatch, {"b", "c", "d"}).late == {"b", "c", "d"}


def test_an_event_that_is_not_in_the_table_is_missing_and_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import freshness

    seen = tell_of_late_ones(monkeypatch, {"b", "d"})
    side: Any = freshness.Side("ours", Settings.load(), "", None, seen, watched=60)

    told = "ours: 1 of 4 events that the API acknowledged are not in the table 60 s after the last one, for example c"
    with pytest.raises(freshness.Missing, match=told):
        freshness.check_none_missing([side])


def test_a_run_in_which_events_were_late_and_none_is_missing_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import freshness

    side: Any = freshness.Side("ours", Settings.load(), "", None, tell_of_late_ones(monkeypatch, {"b", "c", "d"}), 120)
    freshness.check_none_missing([side])
    console = Console(width=200)
    with console.capture() as shown:
        console.print(freshness.table([side]))

    (line,) = (line for line in shown.get().splitlines() if line.startswith("│"))
    assert [cell.strip() for cell in line.split("│")[1:-2]] == [
        *("ours", "1", "20.00", "20.00", "20.00", "20.00", "20.00"),
        *("2", "1", "0"),
    ]


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


SOLD = (
    {"event_id": "1", "event_type": "purchase_sword", "user_id": "ada", "item": "iron", "price": 40},
    {"event_id": "2", "event_type": "purchase_sword", "user_id": "bob", "item": "iron", "price": 60},
    {"event_id": "3", "event_type": "purchase_potion", "user_id": "ada", "item": "mana", "price": 5, "quantity": 3},
    {"event_id": "4", "event_type": "start_quest", "user_id": "ada", "difficulty": "hard", "gold": 7},
)
FIELDS_OF = {
    "purchase_sword": ("item", "price"),
    "purchase_potion": ("item", "price", "quantity"),
    "start_quest": ("difficulty", "gold"),  # some other gold than that of a purchase
}


COMMON = ["event_id", "event_time", "user_id"]
KINDS = {**dict.fromkeys(("price", "quantity", "gold"), pa.int64()), "event_time": pa.timestamp("us", "UTC")}


def parquet(events: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    table = pa.Table.from_pylist([*events], pa.schema([(name, KINDS.get(name, pa.string())) for name in columns]))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def file_for_each_type() -> list[tuple[str, bytes]]:
    """As a table that is partitioned by type and day has them: no file has the type as a column."""
    by_type = {kind: [event for event in SOLD if event["event_type"] == kind] for kind in FIELDS_OF}
    return [(kind, parquet(by_type[kind], [*COMMON, *own])) for kind, own in FIELDS_OF.items()]


def one_file() -> list[tuple[str, bytes]]:
    """As a wide table has it: fields that a type does not have are null."""
    own = dict.fromkeys(field for fields in FIELDS_OF.values() for field in fields)
    return [("start_quest", parquet(SOLD, ["event_type", *COMMON, *own]))]


@pytest.mark.parametrize("files", [file_for_each_type(), one_file()], ids=["a file for each type", "one wide file"])
def test_duckdb_gives_the_same_answers_from_either_layout(tmp_path: Path, files: list[tuple[str, bytes]]) -> None:
    from benchmarks.duck import Duck
    from benchmarks.landing import partition

    for kind, content in files:
        folder = tmp_path / partition(content, kind, "2026-01-05")
        folder.mkdir(parents=True)
        (folder / "0.parquet").write_bytes(content)
    duck = Duck(tmp_path)

    def rows(question: str) -> list[Any]:
        return duck.ask(question)[1]

    assert rows("SELECT count(*) FROM events") == [(4,)]
    assert rows("revenue_by_day") == [("2026-01-05", "potion", 3, 15), ("2026-01-05", "sword", 2, 100)]
    assert rows("quests_by_difficulty") == [("hard", 1, 1)]
    assert rows("SELECT item, sum(price) FROM purchase_sword GROUP BY item") == [("iron", 100)]


def test_there_are_ten_questions_about_one_day_and_one_player() -> None:
    from benchmarks import questions

    asked = questions.filled(date(2026, 1, 19), "ada")

    assert len(asked) == 10
    assert "event_date = DATE '2026-01-19'" in asked["one day's events"]
    assert "user_id = 'ada'" in asked["one player's events"]
    assert {question for question in asked.values() if " " not in question} <= {*library.names()}


def test_answers_are_equal_whichever_engine_and_client_they_come_from() -> None:
    from benchmarks.questions import comparable

    presto_rows = [(np.int64(3), pd.Timestamp(2026, 1, 5), pd.Timestamp(2026, 1, 5, 12, tz="UTC"), 1 / 3, math.nan)]
    duck_rows = [(3, date(2026, 1, 5), datetime(2026, 1, 5, 12, tzinfo=UTC), 1 / 3 + 1e-12, None)]

    assert comparable(presto_rows) == comparable(duck_rows)
    assert comparable([(1, 0.5)]) != comparable([(1, 0.6)])


def asked(*answers: Any) -> Any:
    """A side that takes 1, 2, 3, ... seconds and gives these answers, the last one again and again."""
    seconds, left = iter(range(1, 100)), [*answers]

    def ask(_: str) -> tuple[float, list[tuple[Any, ...]]]:
        return float(next(seconds)), left.pop(0) if len(left) > 1 else left[0]

    return ask


def test_a_warm_up_is_not_among_the_repetitions() -> None:
    from benchmarks import query

    readings = query.measure({"Presto": asked([(1,)]), "DuckDB": asked([(1,)])}, {"count": "SELECT 1"}, 3)

    assert readings == {"count": {"Presto": [2.0, 3.0, 4.0], "DuckDB": [2.0, 3.0, 4.0]}}


def test_a_query_that_takes_long_is_repeated_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import query

    monkeypatch.setattr(query, "LONGEST", -1.0)

    assert query.measure({"Presto": asked([(1,)])}, {"count": "SELECT 1"}, 50) == {"count": {"Presto": [2.0]}}


def test_a_wrong_answer_fails_the_run_also_when_it_is_only_one_of_many() -> None:
    from benchmarks import query

    sides = {"Presto": asked([("a", 1)], [("a", 1)], [("a", 2)]), "DuckDB": asked([("a", 1)])}

    with pytest.raises(query.WrongAnswer, match=r"sum: Presto and DuckDB .* answers: \('a', 2\) and \('a', 1\)"):
        query.measure(sides, {"sum": "SELECT"}, 3)


def test_an_answer_that_lacks_rows_is_wrong() -> None:
    from benchmarks import query

    with pytest.raises(query.WrongAnswer, match="different answers: 2 and 1 rows"):
        query.measure({"Presto": asked([(1,), (2,)]), "DuckDB": asked([(1,)])}, {"sum": "SELECT"}, 1)


def test_a_count_that_is_not_what_was_sent_is_wrong_also_where_all_sides_agree() -> None:
    from benchmarks import query

    with pytest.raises(query.WrongAnswer, match="20,000 events were sent, Presto counts 19,999"):
        query.check_count({"Presto": asked([(19_999,)]), "DuckDB": asked([(19_999,)])}, 20_000)


def test_a_query_shows_its_medians_and_how_many_times_ours_takes() -> None:
    from benchmarks import query

    readings = {"count": {"Presto": [0.1, 0.4, 0.2], "before": [0.4], "DuckDB": [0.05]}}
    console = Console(width=200)
    with console.capture() as shown:
        console.print(query.table(readings, "28 days"))

    (line,) = (line for line in shown.get().splitlines() if line.startswith("│"))
    assert [cell.strip() for cell in line.split("│")[1:-1]] == ["count", "0.200", "0.400", "0.050", "0.50", "4.00"]


def test_a_checkout_without_an_environment_is_refused_with_what_to_do(tmp_path: Path) -> None:
    from benchmarks import checkout

    with pytest.raises(SetupError, match=r"\.venv/bin/python does not exist: run scripts/setup in "):
        checkout.python_of(tmp_path)


@pytest.mark.parametrize("name", ["query", "freshness"])
def test_a_former_version_can_have_its_turns_in_the_same_run(name: str) -> None:
    told = subprocess.run([ROOT / "scripts" / "bench", name, "--help"], capture_output=True, text=True, check=True)

    assert "--before DIRECTORY" in told.stdout

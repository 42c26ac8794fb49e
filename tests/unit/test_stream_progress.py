"""The stream's progress: a row of each micro-batch, kept for Presto and shown to whoever follows."""

import io
import itertools
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from questlog.errors import StreamError
from questlog.events.schema import PHASES, PROGRESS_COLUMNS
from questlog.settings import Settings
from questlog.stream import progress
from questlog.stream.phases import LANDING, Timed, all_seconds
from questlog.stream.progress import Progress, follow, row

NONE = dict.fromkeys(("landed", "filtered", "rejected", "repeated"), 0)
SPARK = {
    "batchId": 7,
    "timestamp": "2026-01-05T12:00:00.250Z",
    "durationMs": {
        "latestOffset": 10,
        "walCommit": 40,
        "queryPlanning": 20,
        "getBatch": 5,
        "addBatch": 700,
        "commitOffsets": 30,
        "triggerExecution": 810,
    },
    "sources": [
        {
            "startOffset": '{"game_events":{"0":10,"1":5}}',
            "endOffset": '{"game_events":{"0":12,"1":9}}',
            "latestOffset": '{"game_events":{"0":12,"1":12}}',
        }
    ],
}
LANDED = dict.fromkeys(LANDING, 0.1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(data_dir=tmp_path, progress_seconds=10)


def a_row(batch: int) -> dict[str, Any]:
    return row("abcd1234", {**NONE, "landed": batch}, LANDED, {**SPARK, "batchId": batch})


class Clock:
    """Stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_row_has_every_column_of_its_table() -> None:
    assert list(a_row(7)) == [name for name, _ in PROGRESS_COLUMNS]


def test_records_and_lag_are_told_by_the_topics_offsets() -> None:
    made = a_row(7)

    assert (made["batch"], made["records"], made["lag"]) == (7, 6, 3)
    assert made["started_at"] == datetime(2026, 1, 5, 12, 0, 0, 250_000, tzinfo=UTC)


def test_a_first_batch_begins_where_the_topic_begins() -> None:
    source = {**SPARK["sources"][0], "startOffset": None}

    assert row("s", NONE, LANDED, {**SPARK, "sources": [source]})["records"] == 21


def test_the_phases_are_spark_s_and_those_of_landing() -> None:
    seconds = all_seconds(SPARK["durationMs"], LANDED)

    assert list(seconds) == [*PHASES, "total"]
    assert seconds["offset_log"] == 0.05
    assert seconds["plan"] == pytest.approx(0.025 + 0.7 - 0.6)
    assert seconds["total"] == 0.81


def test_each_phase_of_landing_lies_between_two_points() -> None:
    clock = Clock()
    timed = Timed(clock=clock)
    for seconds, point in enumerate(("begun", "judged", "staging", "staged", "sealed", "moved", "announced")):
        clock.now += seconds
        timed.pass_by(point, 1)
    clock.now += 10
    timed.mark("done")

    assert timed.seconds() == {"judge": 1, "write": 5, "seal": 4, "rename": 5, "announce": 6, "close": 10}


def test_a_batch_that_had_landed_before_spent_no_time_on_what_it_left_out() -> None:
    clock = Clock()
    timed = Timed(clock=clock)
    for point in ("begun", "judged", "staged"):
        timed.pass_by(point, 1)
    timed.pass_by("begun", 2)
    clock.now += 1
    timed.mark("done")

    assert set(timed.seconds().values()) == {0.0}


def test_rows_are_written_together_once_it_is_time(settings: Settings) -> None:
    clock, written = Clock(), list[tuple[str, bytes]]()
    taking = Progress(settings, lambda name, content: written.append((name, content)), clock)
    for batch in range(3):
        taking.add(a_row(batch))
    assert written == []
    clock.now = 10
    taking.add(a_row(3))
    taking.close()

    ((name, content),) = written
    assert name.startswith("part-abcd1234-0-")
    assert pq.read_table(io.BytesIO(content))["batch"].to_pylist() == [0, 1, 2, 3]


def test_rows_that_hdfs_does_not_take_are_written_with_the_next(settings: Settings) -> None:
    written: list[bytes] = []

    def refuse_once(_name: str, content: bytes) -> None:
        written.append(content)
        if len(written) == 1:
            raise StreamError("no space")

    clock = Clock()
    taking = Progress(settings, refuse_once, clock)
    for batch in range(2):
        clock.now += 10
        taking.add(a_row(batch))
    taking.close()

    assert pq.read_table(io.BytesIO(written[-1]))["batch"].to_pylist() == [0, 1]


def test_whoever_follows_sees_the_last_rows_and_each_new_one(settings: Settings) -> None:
    taking = Progress(settings, lambda _name, _content: None)
    for batch in range(5):
        taking.add(a_row(batch))
    seen = follow(settings, most=2)

    assert [found["batch"] for found in itertools.takewhile(bool, seen)] == [3, 4]
    taking.add(a_row(5))
    assert list(itertools.takewhile(bool, seen)) == [a_row(5)]
    taking.close()


def test_whoever_follows_goes_on_when_the_file_is_begun_anew(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    taking = Progress(settings, lambda _name, _content: None)
    taking.add(a_row(0))
    seen = follow(settings)
    assert [found["batch"] for found in itertools.takewhile(bool, seen)] == [0]

    monkeypatch.setattr(progress, "MOST_BYTES", 10)
    taking.add(a_row(1))
    taking.close()

    assert [found["batch"] for found in itertools.takewhile(bool, seen)] == [1]


def test_whoever_follows_before_there_is_a_stream_waits(settings: Settings) -> None:
    assert next(follow(settings)) is None


def test_half_a_line_is_not_shown_before_its_end_is_written(settings: Settings) -> None:
    path = progress.lines_path(settings)
    path.parent.mkdir(parents=True)
    whole = json.dumps({**a_row(0), "started_at": "2026-01-05T12:00:00+00:00"}) + "\n"
    path.write_text(whole[:20])
    seen = follow(settings)
    assert next(seen) is None

    path.write_text(whole)

    assert next(seen)["batch"] == 0

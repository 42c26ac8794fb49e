"""The stream on real servers: what lands, once, whatever is sent again and whatever runs again."""

import json
from collections.abc import Callable
from typing import Any

import kafka_shaped as shaped
import pytest

from questlog import pipeline
from questlog.catalog import counts as stored
from questlog.errors import LakeError, StreamError, StreamRefused
from questlog.events import CATALOGUE
from questlog.lake import layout
from questlog.lake.hdfs import Hdfs
from questlog.lake.metastore import Metastore
from questlog.settings import Settings
from questlog.stream import job, sink
from questlog.stream.job import Summary
from questlog.stream.session import session
from questlog.transport import reader, topics
from questlog.transport.producer import Publisher

Send = Callable[..., None]


@pytest.fixture
def send(publisher: Publisher) -> Send:
    return lambda *records: publisher.publish(records)


def rows(settings: Settings) -> list[dict[str, Any]]:
    found = pipeline.sql(settings, "SELECT event_id, price FROM purchase_sword ORDER BY event_id, price")
    return found.to_dict(orient="records")


def content(settings: Settings, table: str) -> list[str]:
    """All that a table says but when Kafka took it, row by row."""
    found = pipeline.sql(settings, f"SELECT * FROM {table}")
    return sorted(str(row) for row in found.drop(columns="kafka_time", errors="ignore").to_dict(orient="records"))


def counts(summary: Summary) -> tuple[int, int, int]:
    return summary.landed, summary.duplicates, summary.rejected


def test_an_event_that_is_sent_again_is_one_row(fresh: Settings, send: Send) -> None:
    send(shaped.purchase("a"), shaped.purchase("b"), shaped.purchase("a"))
    within_a_batch = pipeline.stream(fresh)
    send(shaped.purchase("b"), shaped.purchase("c"))
    in_a_later_run = pipeline.stream(fresh)

    assert counts(within_a_batch) == (2, 1, 0)
    assert counts(in_a_later_run) == (1, 1, 0)
    assert [row["event_id"] for row in rows(fresh)] == ["a", "b", "c"]
    assert pipeline.ledger(fresh).balances
    assert pipeline.ledger(fresh).total("duplicates") == 2


def test_an_event_whose_file_was_merged_meanwhile_is_known_to_a_later_run(fresh: Settings, send: Send) -> None:
    here = fresh.in_namespace(fresh.namespace, compact_files=2)
    send(shaped.purchase("a"))
    pipeline.stream(here)
    send(shaped.purchase("b"))
    pipeline.stream(here)
    assert any(each.table == "events" for each in pipeline.compact(here))

    send(shaped.purchase("a"), shaped.purchase("c"))

    assert counts(pipeline.stream(here)) == (1, 1, 0)
    assert [row["event_id"] for row in rows(here)] == ["a", "b", "c"]


def test_an_id_that_landed_in_an_earlier_run_is_a_conflict_with_other_content(fresh: Settings, send: Send) -> None:
    send(shaped.purchase("a"))
    pipeline.stream(fresh)
    send(shaped.purchase("a", price=7), shaped.purchase("b"))

    assert counts(pipeline.stream(fresh)) == (1, 0, 1)
    assert rows(fresh) == [{"event_id": "a", "price": 120}, {"event_id": "b", "price": 120}]
    assert pipeline.ledger(fresh).balances


def test_a_stream_whose_dedup_index_is_full_is_refused_and_lands_nothing_until_it_may_grow(
    fresh: Settings, send: Send
) -> None:
    send(*(shaped.purchase(f"event-{number}") for number in range(1001)))

    with pytest.raises(StreamRefused, match=r"hold 1,001 events .* dedup_events allows 1,000: raise QUESTLOG_DEDUP_EV"):
        pipeline.stream(fresh.in_namespace(fresh.namespace, dedup_events=1000))
    assert rows(fresh) == []

    assert counts(pipeline.stream(fresh)) == (1001, 0, 0)


def test_the_warm_up_of_a_standby_lands_nothing_and_leaves_nothing(fresh: Settings, send: Send) -> None:
    pipeline.create(fresh)
    send(*shaped.examples(), shaped.record(b"no event"))

    job.warm_up(session(fresh, pipeline.place(fresh)), fresh)

    hdfs = Hdfs(fresh)
    assert not hdfs.exists(fresh.checkpoint)
    assert hdfs.folders(layout.attempts(fresh)) == []
    assert [stored.listing(fresh, table) for table in layout.TABLES] == [[]] * len(layout.TABLES)
    assert counts(pipeline.stream(fresh)) == (len(CATALOGUE.names), 0, 1)
    assert pipeline.ledger(fresh).balances


def test_a_warm_up_that_fails_does_not_keep_the_standby_from_waiting(settings: Settings) -> None:
    nowhere = settings.in_namespace("test_no_such_topic")

    job.warm_up(session(nowhere, pipeline.place(nowhere)), nowhere)


def test_the_progress_of_a_later_run_joins_what_was_merged_before_it(fresh: Settings, send: Send) -> None:
    here, batches = fresh.in_namespace(fresh.namespace, compact_files=2), 0
    for event in ("a", "b"):
        send(shaped.purchase(event))
        batches += pipeline.stream(here).batches
    assert any(each.table == "stream_progress" for each in pipeline.compact(here))

    send(shaped.purchase("c"))
    batches += pipeline.stream(here).batches

    told = pipeline.sql(here, "SELECT stream, batch FROM stream_progress")
    assert len(told) == len(told.drop_duplicates()) == batches


def test_an_id_that_is_used_for_another_event_is_kept_as_a_dead_letter(fresh: Settings, send: Send) -> None:
    other = shaped.purchase("a", price=7)
    send(shaped.purchase("a"), shaped.purchase("b"), other)
    summary = pipeline.stream(fresh)

    assert counts(summary) == (2, 0, 1)
    assert rows(fresh) == [{"event_id": "a", "price": 120}, {"event_id": "b", "price": 120}]
    letter = pipeline.sql(fresh, "SELECT reason, event_type, from_utf8(value) AS value FROM dead_letters").iloc[0]
    assert letter["reason"].startswith("event_id='a': must be that of no other event")
    assert letter["event_type"] == "purchase_sword"
    assert json.loads(letter["value"]) == json.loads(other.value)
    assert pipeline.ledger(fresh).balances


def test_events_of_one_record_land_each_at_its_place(fresh: Settings, send: Send) -> None:
    together = [shaped.purchase("a"), shaped.purchase("b"), shaped.purchase("a"), shaped.purchase("b", price=7)]
    send(*together)
    assert len(list(reader.read_records(fresh))) == 1

    assert counts(pipeline.stream(fresh)) == (2, 1, 1)
    placed = pipeline.sql(fresh, "SELECT event_id, kafka_position FROM events ORDER BY event_id")
    assert placed.to_dict(orient="records") == [
        {"event_id": "a", "kafka_position": 0},
        {"event_id": "b", "kafka_position": 1},
    ]
    letter = pipeline.sql(fresh, "SELECT kafka_position, from_utf8(value) AS value FROM dead_letters").iloc[0]
    assert letter["kafka_position"] == 3
    assert letter["value"].encode() == together[3].value
    assert pipeline.ledger(fresh).balances


@pytest.mark.parametrize("rows_of_driver", [0, sink.COLLECTED_ROWS], ids=["Spark writes", "the driver writes"])
def test_a_small_batch_lands_as_a_large_one_does(
    fresh: Settings, send: Send, monkeypatch: pytest.MonkeyPatch, rows_of_driver: int
) -> None:
    records = [*shaped.examples(), shaped.page_view(platform=None), shaped.page_view(page=""), shaped.record(b"none")]
    tables = ["events", "dead_letters", *CATALOGUE.names]
    send(*records)
    small = pipeline.stream(fresh)
    of_small = {table: content(fresh, table) for table in tables}
    pipeline.reset(fresh)
    topics.create_topic(fresh)

    monkeypatch.setattr(sink, "SMALL_BATCH", 0)
    monkeypatch.setattr(sink, "COLLECTED_ROWS", rows_of_driver)
    send(*records)
    large = pipeline.stream(fresh)

    assert counts(small) == counts(large) == (len(CATALOGUE.names) + 1, 0, 2)
    assert {table: content(fresh, table) for table in tables} == of_small
    assert len(of_small["events"]) == small.landed
    assert len(stored.listing(fresh, "events")) == 1  # of all types: they become visible at once


def test_ten_thousand_times_the_same_event_is_one_row(fresh: Settings, send: Send) -> None:
    send(*[shaped.purchase("a")] * 10_000)

    assert counts(pipeline.stream(fresh, max_offsets=100)) == (1, 9_999, 0)
    assert rows(fresh) == [{"event_id": "a", "price": 120}]


def test_an_old_event_lands_in_its_own_day(fresh: Settings, send: Send) -> None:
    send(
        shaped.purchase("new", event_time="2026-01-05T00:00:00Z"),
        shaped.purchase("old", event_time="2021-03-04T23:59:59.999Z"),
    )
    pipeline.stream(fresh)

    days = pipeline.sql(fresh, "SELECT event_id, CAST(event_date AS varchar) AS day FROM events ORDER BY day")
    assert days.to_dict(orient="records") == [
        {"event_id": "old", "day": "2021-03-04"},
        {"event_id": "new", "day": "2026-01-05"},
    ]


def test_a_batch_that_runs_again_changes_nothing(fresh: Settings, send: Send) -> None:
    send(shaped.purchase("a"), shaped.page_view(page=""), shaped.record(b"garbage"))
    pipeline.stream(fresh)
    tables = ("events", "dead_letters", "batches")
    before = [stored.listing(fresh, table) for table in tables]
    Hdfs(fresh).delete(f"{fresh.checkpoint}/commits/0")

    again = pipeline.stream(fresh)

    assert counts(again) == (0, 0, 0)
    assert again.batches == 1
    assert [stored.listing(fresh, table) for table in tables] == before
    assert pipeline.ledger(fresh).balances


def test_a_batch_that_was_cut_before_its_partition_was_added_is_finished_by_the_next_run(
    fresh: Settings, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Metastore, _table: str, _locations: object) -> None:
        raise LakeError("the metastore is away")

    send(shaped.purchase("a"))
    with monkeypatch.context() as patched:
        patched.setattr(Metastore, "add", refuse)
        with pytest.raises(StreamError, match="the metastore is away"):
            pipeline.stream(fresh)
    assert rows(fresh) == []
    send(shaped.purchase("a"), shaped.purchase("b"))

    again = pipeline.stream(fresh)

    assert counts(again) == (1, 1, 0)
    assert [row["event_id"] for row in rows(fresh)] == ["a", "b"]
    assert pipeline.ledger(fresh).balances


def test_a_stream_without_its_checkpoint_is_refused_while_the_tables_hold_rows(fresh: Settings, send: Send) -> None:
    send(shaped.purchase("a"))
    pipeline.stream(fresh)
    Hdfs(fresh).delete(fresh.checkpoint)

    with pytest.raises(StreamError, match=r"the checkpoint /checkpoints/\w+ is gone.*questlog reset"):
        pipeline.stream(fresh)
    assert len(rows(fresh)) == 1


def test_how_long_a_duplicate_is_recognised_is_a_setting(fresh: Settings, send: Send) -> None:
    send(shaped.purchase("a"))
    pipeline.stream(fresh)
    send(shaped.purchase("a"))
    forgetful = fresh.in_namespace(fresh.namespace, dedup_days=0)

    assert counts(pipeline.stream(forgetful)) == (1, 0, 0)
    assert "some are there twice" in " ".join(pipeline.ledger(fresh).problems)

"""Replay on real servers: a table is rebuilt from Kafka or from the dead letters, and queries see old rows or new."""

import dataclasses
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import kafka_shaped as shaped
import pytest
from kafka import KafkaAdminClient, TopicPartition

from questlog import pipeline
from questlog.catalog.counts import DataFile, listing, rows_by_type
from questlog.errors import StreamRefused
from questlog.events import CATALOGUE, Catalogue
from questlog.events.catalogue import UNKNOWN_TYPE
from questlog.lake import layout
from questlog.lake.hdfs import Hdfs
from questlog.lake.metastore import Metastore
from questlog.lake.writer import open_writer
from questlog.settings import Settings
from questlog.stream.changes import Change
from questlog.transport import topics
from questlog.transport.producer import Publisher

Send = Callable[..., None]
PAGE_VIEWS, SWORDS = "page_view", "purchase_sword"
POOR = Catalogue(tuple(known for known in CATALOGUE if known.name != SWORDS))
"""A catalogue in which somebody forgot the swords."""


@pytest.fixture
def send(publisher: Publisher) -> Send:
    return lambda *records: publisher.publish(records)


def rows(settings: Settings, table: str = "events") -> list[dict[str, Any]]:
    order = "event_id" if table == "events" else "kafka_partition, kafka_offset, kafka_position"
    return pipeline.sql(settings, f"SELECT * FROM {table} ORDER BY {order}").to_dict(orient="records")


def counts(found: tuple[Change, ...], table: str = "events") -> dict[str, tuple[int, ...]]:
    return {each.event_type: dataclasses.astuple(each)[2:] for each in found if each.table == table}


def files_with(settings: Settings, event_type: str) -> list[DataFile]:
    """The files of table ``events`` that have rows of a type."""
    hdfs = Hdfs(settings)
    return [file for file in listing(settings, "events") if event_type in rows_by_type(hdfs, file)]


def copy(settings: Settings, file: DataFile) -> None:
    """Put a file's rows into its partition once more, as nobody should."""
    hdfs = Hdfs(settings)
    hdfs.write(f"{file.path.rsplit('/', 1)[0]}/part-of-nobody.parquet", hdfs.read(file.path))


def delete_records(settings: Settings) -> None:
    """As Kafka does when records are older than the topic keeps them."""
    admin = KafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    ends = topics.end_offsets(settings)
    try:
        admin.delete_records({TopicPartition(settings.topic, number): end for number, end in ends.items()})
    finally:
        admin.close()


def some(send: Send) -> None:
    """Six page views, two purchases of which one is sent twice, one dead letter of a known type, one of none."""
    send(*(shaped.page_view(user=f"player-{number}") for number in range(6)))
    send(
        shaped.purchase("a"),
        shaped.purchase("b"),
        shaped.purchase("a"),
        shaped.page_view(page=""),
        shaped.record(b"garbage", "forge_sword"),
    )


def test_a_replay_of_sound_tables_changes_no_row(fresh: Settings, send: Send) -> None:
    some(send)
    pipeline.stream(fresh)
    before = rows(fresh), rows(fresh, "dead_letters"), pipeline.ledger(fresh)

    found = pipeline.replay(fresh, "events")

    assert counts(found) == {PAGE_VIEWS: (6, 6, 0, 0), SWORDS: (2, 2, 0, 0)}
    assert counts(found, "dead_letters") == {PAGE_VIEWS: (1, 1, 0, 0), UNKNOWN_TYPE: (1, 1, 0, 0)}
    assert (rows(fresh), rows(fresh, "dead_letters"), pipeline.ledger(fresh)) == before
    assert before[2].balances


def test_rows_that_were_lost_or_came_from_elsewhere_are_put_right(fresh: Settings, send: Send) -> None:
    some(send)
    pipeline.stream(fresh)
    before = rows(fresh)
    [lost], [doubled] = (files_with(fresh, name) for name in (SWORDS, PAGE_VIEWS))
    Hdfs(fresh).delete(lost.path)
    copy(fresh, doubled)
    assert not pipeline.ledger(fresh).balances

    found = pipeline.replay(fresh, "events")

    assert rows(fresh) == before
    assert pipeline.ledger(fresh).balances
    assert sum(each.gone for each in found) > 0
    assert sum(each.new for each in found) > 0


def test_a_replay_of_one_type_rewrites_its_days_and_leaves_rows_of_other_types_as_they_are(
    fresh: Settings, send: Send
) -> None:
    monday, tuesday, wednesday = (f"2026-01-0{day}" for day in (5, 6, 7))
    send(
        shaped.purchase("a", event_time=f"{monday}T10:00:00Z"), shaped.purchase("b", event_time=f"{tuesday}T10:00:00Z")
    )
    send(*(shaped.page_view(event_id=day, event_time=f"{day}T10:00:00Z") for day in (monday, wednesday)))
    pipeline.stream(fresh)
    with_both, _ = files_with(fresh, PAGE_VIEWS)
    copy(fresh, with_both)  # the page view of that day is there twice, and so is the sword
    before, lay = rows(fresh), Metastore(fresh).locations("events")

    found = pipeline.replay(fresh, SWORDS)

    assert counts(found) == {SWORDS: (3, 2, 1, 0)}
    assert [row["event_id"] for row in before] == [monday, monday, wednesday, "a", "a", "b"]
    assert [row["event_id"] for row in rows(fresh)] == [monday, monday, wednesday, "a", "b"]
    lies = Metastore(fresh).locations("events")
    changed = {partition for partition in lies if lies[partition] != lay[partition]}
    assert changed == {f"event_date={monday}", f"event_date={tuesday}"}
    assert len({layout.version_of(lies[partition]) for partition in changed}) == 1


def test_dead_letters_that_a_mended_catalogue_takes_become_events(fresh: Settings, send: Send) -> None:
    some(send)
    pipeline.stream(fresh, POOR)
    assert pipeline.ledger(fresh, POOR).total("rejected") == 5

    found = pipeline.replay(fresh, "dead_letters")

    assert counts(found) == {PAGE_VIEWS: (6, 6, 0, 0), SWORDS: (0, 2, 0, 2)}
    # Of the one that is left, the reason names the catalogue's types, which are more now.
    assert counts(found, "dead_letters") == {PAGE_VIEWS: (1, 1, 0, 0), UNKNOWN_TYPE: (4, 1, 4, 1)}
    assert [row["event_id"] for row in rows(fresh) if row["event_type"] == SWORDS] == ["a", "b"]
    ledger = pipeline.ledger(fresh)
    assert ledger.balances
    assert (ledger.total("landed"), ledger.total("rejected"), ledger.total("duplicates")) == (8, 2, 1)


def test_a_replay_of_a_type_that_was_not_known_takes_its_dead_letters_away(fresh: Settings, send: Send) -> None:
    some(send)
    pipeline.stream(fresh, POOR)

    found = pipeline.replay(fresh, SWORDS)

    assert counts(found) == {SWORDS: (0, 2, 0, 2)}
    assert counts(found, "dead_letters") == {PAGE_VIEWS: (1, 1, 0, 0), UNKNOWN_TYPE: (4, 1, 3, 0)}
    assert pipeline.ledger(fresh).balances


def test_the_stream_goes_on_afterwards_and_knows_what_has_landed(fresh: Settings, send: Send) -> None:
    some(send)
    pipeline.stream(fresh)
    pipeline.replay(fresh, "events")
    send(shaped.purchase("b"), shaped.purchase("c"))

    summary = pipeline.stream(fresh)

    assert (summary.landed, summary.duplicates) == (1, 1)
    assert pipeline.ledger(fresh).balances


def test_queries_see_the_old_rows_or_the_new_ones_of_all_days_at_once(fresh: Settings, send: Send) -> None:
    some(send)
    send(shaped.purchase("c", event_time="2026-01-06T10:00:00Z"))
    pipeline.stream(fresh, POOR)
    counted, ends = list[int](), threading.Event()

    def ask() -> None:
        while not ends.is_set():
            counted.append(int(pipeline.sql(fresh, "SELECT count(*) AS n FROM events")["n"][0]))

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        pipeline.replay(fresh, SWORDS)
    finally:
        ends.set()
        asker.join()
    assert counted[0] == 6
    assert {*counted} <= {6, 9}
    assert len(rows(fresh)) == 9


@pytest.mark.parametrize("point", ["compact_placed", "compact_switched"])
def test_a_replay_that_is_killed_is_finished_by_the_next_writer(fresh: Settings, send: Send, point: str) -> None:
    some(send)
    pipeline.stream(fresh, POOR)
    armed = fresh.in_namespace(fresh.namespace, fault_point=point)
    killed = subprocess.run(
        [sys.executable, "-m", "questlog", "replay", "dead_letters"],
        env=armed.environment(),
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    with open_writer(fresh, "test"):
        pass

    assert [row["event_id"] for row in rows(fresh) if row["event_type"] == SWORDS] == ["a", "b"]
    assert pipeline.ledger(fresh).balances


def test_a_dry_run_tells_the_same_and_changes_nothing(fresh: Settings, send: Send) -> None:
    some(send)
    pipeline.stream(fresh, POOR)
    before = [listing(fresh, table) for table in layout.TABLES]

    told = pipeline.replay(fresh, "dead_letters", dry_run=True)

    assert [listing(fresh, table) for table in layout.TABLES] == before
    assert counts(told) == {PAGE_VIEWS: (6, 6, 0, 0), SWORDS: (0, 2, 0, 2)}


def test_what_the_stream_was_told_not_to_land_is_left_out_again(fresh: Settings, send: Send) -> None:
    some(send)
    pipeline.stream(fresh, event_types=[PAGE_VIEWS])

    found = pipeline.replay(fresh, "events")

    assert counts(found) == {PAGE_VIEWS: (6, 6, 0, 0)}
    assert pipeline.ledger(fresh).total("filtered") == 3
    assert pipeline.ledger(fresh).balances


def test_a_table_that_is_none_is_refused_with_those_that_are(fresh: Settings) -> None:
    with pytest.raises(StreamRefused, match=r"table 'swords' cannot be replayed: one of events, dead_letters, "):
        pipeline.replay(fresh, "swords")


def test_a_stream_that_was_cut_within_a_batch_has_to_finish_first(fresh: Settings, send: Send) -> None:
    some(send)
    pipeline.stream(fresh)
    Hdfs(fresh).delete(f"{fresh.checkpoint}/commits/0")
    with pytest.raises(StreamRefused, match=r"newest micro-batch .* is \[0\], the newest committed none"):
        pipeline.replay(fresh, "events")


def test_rows_whose_records_kafka_has_deleted_are_not_given_up(fresh: Settings, send: Send) -> None:
    some(send)
    pipeline.stream(fresh)
    before = rows(fresh)
    delete_records(fresh)

    with pytest.raises(StreamRefused, match=r"Kafka has deleted their records, and a replay would lose them"):
        pipeline.replay(fresh, "events")
    assert rows(fresh) == before

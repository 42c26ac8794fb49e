"""Compaction on real servers: few files afterwards, the same rows before, meanwhile and after."""

import itertools
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import landed
import pytest
from lake import FEW, Lake, filling

from questlog import pipeline
from questlog.catalog import compaction, counts, tables
from questlog.catalog.compaction import Compacted
from questlog.errors import LakeError, LeaseHeld, LeaseLost
from questlog.events import CATALOGUE, validation
from questlog.events.schema import BATCH_COLUMNS, events_columns
from questlog.events.wire import Record, encode
from questlog.faults.witness import watching
from questlog.lake import layout
from questlog.lake.metastore import Metastore
from questlog.lake.writer import Observer, Writer, open_writer
from questlog.settings import BATCHES_TABLE, DEAD_LETTERS_TABLE, EVENTS_TABLE, PROGRESS_TABLE, Settings
from questlog.stream.faults import COMPACTION_POINTS
from questlog.transport.producer import Publisher
from waiting import eventually

MONDAY = date(2026, 1, 5)
TUESDAY, WEDNESDAY = (landed.NOON + timedelta(days=days) for days in (1, 2))
EVERYTHING = "SELECT * FROM events ORDER BY event_id"
ANSWERS = 10
GRACE = 600.0
DEADLINE = 240.0


class Killed(Exception):
    pass


def die() -> None:
    raise Killed


@pytest.fixture
def lake(fresh: Settings) -> Iterator[Lake]:
    """Tables of which two files are many."""
    with filling(fresh.in_namespace(fresh.namespace, compact_files=2)) as made:
        yield made


@pytest.fixture
def filled(lake: Lake) -> Lake:
    """Ten events on two days in seven files, and two dead letters in two."""
    for number in range(3):
        lake.land("page_view", landed.event(f"player-{number}", page="/"), landed.event("ada", page="/shop"))
        lake.land("page_view", landed.event("bob", TUESDAY, page="/"))
        landed.land_dead_letters(lake.hdfs, lake.settings, {"event_type": "page_view", "kafka_offset": number})
    lake.land("join_guild", landed.event("cy", guild="Owls"))
    lake.announce()
    return lake


@contextmanager
def writing(lake: Lake, *observers: Observer, **given: float) -> Iterator[Writer]:
    """The writer of the tables, with these settings."""
    settings = lake.settings.in_namespace(lake.settings.namespace, **given)
    with open_writer(settings, "compact", wait=DEADLINE, observers=observers) as writer:
        assert writer
        yield writer


def compact(lake: Lake, *observers: Observer, **given: float) -> list[Compacted]:
    with writing(lake, *observers, **given) as writer:
        return compaction.compact(writer)


def at(point: str, act: Callable[[], object]) -> Observer:
    """An observer that does something at one point."""
    return lambda passed, _: act() if passed == point else None


def stage(writer: Writer, batch: str, *events: landed.Row) -> tuple[str, str, list[str]]:
    """Write a micro-batch of page views, each in a file of its own: what `Writer.publish` takes."""
    attempt = f"{layout.attempts(writer.settings)}/{batch}"
    files = [f"{BATCHES_TABLE}/{layout.audit_name(batch)}"]
    writer.hdfs.write(f"{attempt}/{files[0]}", landed.parquet(BATCH_COLUMNS, [{"batch": 0, "landed": len(events)}]))
    for number, event in enumerate(events):
        file = f"{EVENTS_TABLE}/{layout.partition_name(event['event_time'].date())}/part-{number}.parquet"
        writer.hdfs.write(f"{attempt}/{file}", landed.encode("page_view", event, catalogue=FEW))
        files.append(file)
    return attempt, batch, files


def publish(writer: Writer, batch: str, *events: landed.Row) -> None:
    writer.publish(*stage(writer, batch, *events))


def count(lake: Lake, table: str = EVENTS_TABLE) -> int:
    [(rows,)] = lake.rows(f"SELECT count(*) FROM {table}")
    assert isinstance(rows, int)
    return rows


def locations(lake: Lake) -> set[str]:
    """The location of every partition, as the metastore has it."""
    metastore = Metastore(lake.settings)
    return {folder for table in layout.TABLES for folder in metastore.locations(table).values()}


def versions(lake: Lake) -> set[str]:
    """Every version folder of every partition, whether a location names it or not."""
    homes = [lake.settings.table_path(table) for table in layout.TABLES if table != EVENTS_TABLE]
    days = lake.hdfs.folders(lake.settings.table_path(EVENTS_TABLE))
    return {folder for home in (*homes, *days) for folder in lake.hdfs.folders(home)}


def left_in_staging(lake: Lake) -> list[str]:
    """What lies in the folders of attempts and of prepared batches, the lease's own file aside."""
    folders = lake.hdfs.folders(lake.settings.staging)
    return [path for each in folders for path in (*lake.hdfs.folders(each), *map(str, lake.hdfs.files(each)))]


def test_many_files_become_few_and_every_row_is_the_same_in_table_and_view(filled: Lake) -> None:
    page_views = "SELECT * FROM page_view ORDER BY event_id"
    before = filled.rows(EVERYTHING), filled.rows(page_views)

    done = pipeline.compact(filled.settings)

    assert (filled.rows(EVERYTHING), filled.rows(page_views)) == before
    assert [(each.table, each.partition, each.files_before, each.files_after) for each in done] == [
        ("dead_letters", "", 3, 1),
        ("events", "event_date=2026-01-05", 4, 1),
        ("events", "event_date=2026-01-06", 3, 1),
    ]
    assert len(counts.listing(filled.settings, EVENTS_TABLE)) == 2
    assert counts.landed_rows(filled.settings) == {"page_view": 9, "join_guild": 1}


def test_a_second_run_finds_nothing_to_do(filled: Lake) -> None:
    compact(filled)
    assert compact(filled) == []


def test_a_dry_run_tells_what_would_be_done_and_changes_nothing(filled: Lake) -> None:
    before = counts.listing(filled.settings, EVENTS_TABLE)
    with writing(filled) as writer:
        told = compaction.compact(writer, dry_run=True)
    assert [each.files_after for each in told] == [1, 1, 1]
    assert {each.bytes_after for each in told} == {None}
    assert counts.listing(filled.settings, EVENTS_TABLE) == before


def test_every_table_is_compacted_and_the_newest_audit_file_of_each_stream_keeps_its_name(lake: Lake) -> None:
    for number in range(4):
        landed.land_dead_letters(lake.hdfs, lake.settings, {"event_type": "page_view", "kafka_offset": number})
        landed.land_progress(lake.hdfs, lake.settings, {"stream": "aaaaaaaa", "batch": number})
    folder = layout.location(lake.settings, BATCHES_TABLE)
    for stream, batches in (("aaaaaaaa", 11), ("bbbbbbbb", 3)):
        for batch in range(batches):
            row = {"stream": stream, "batch": batch, "event_type": "page_view", "landed": 1}
            name = layout.audit_name(layout.batch_name(stream, batch))
            landed.put(lake.hdfs, f"{folder}/{name}", landed.parquet(BATCH_COLUMNS, [row]))

    with writing(lake) as writer:
        compaction.compact(writer)
        assert [writer.is_committed(batch) for batch in ("aaaaaaaa-10", "bbbbbbbb-2")] == [True, True]

    assert [count(lake, table) for table in (DEAD_LETTERS_TABLE, BATCHES_TABLE, PROGRESS_TABLE)] == [4, 14, 4]
    names = [file.path.rsplit("/", 1)[1] for file in counts.listing(lake.settings, BATCHES_TABLE)]
    assert names[1:] == ["part-aaaaaaaa-10.parquet", "part-bbbbbbbb-2.parquet"]
    assert [len(counts.listing(lake.settings, table)) for table in (DEAD_LETTERS_TABLE, PROGRESS_TABLE)] == [1, 1]


def test_a_batch_that_is_published_while_files_are_merged_is_there_afterwards(filled: Lake) -> None:
    late = landed.event("late", page="/"), landed.event("later", WEDNESDAY, page="/")
    with writing(filled, at("compact_merged", lambda: publish(writer, "s-7", *late))) as writer:
        compaction.compact(writer)
        assert writer.is_committed("s-7")

    rows = filled.rows("SELECT user_id, event_date FROM page_view WHERE user_id LIKE 'late%' ORDER BY 1")
    assert rows == [("late", MONDAY), ("later", WEDNESDAY.date())]
    assert count(filled) == 12


def test_a_batch_waits_while_partitions_are_switched_and_goes_into_the_new_version(filled: Lake) -> None:
    def begin_to_publish() -> None:
        publishing.start()
        publishing.join(1)
        waited.append(publishing.is_alive())

    waited = list[bool]()
    with writing(filled, at("compact_copied", begin_to_publish)) as writer:
        staged = stage(writer, "s-7", landed.event("late", page="/"))
        publishing = threading.Thread(target=writer.publish, args=staged)
        compaction.compact(writer)
        publishing.join(DEADLINE)

    assert waited == [True]
    assert filled.rows("SELECT event_date FROM page_view WHERE user_id = 'late'") == [(MONDAY,)]
    assert count(filled) == 11


def test_no_query_fails_or_sees_other_rows_while_files_are_merged_again_and_again(filled: Lake) -> None:
    with asking(filled) as answers, writing(filled, compact_grace=GRACE) as writer:
        rounds = itertools.count()
        while len(answers) < ANSWERS:
            publish(writer, f"s-{next(rounds)}", landed.event(page="/"), landed.event(page="/shop"))
            assert compaction.compact(writer)
    rows = [rows for rows, _ in answers]

    assert all(rows == events for rows, events in answers)
    assert rows == sorted(rows)
    assert (rows[0], rows[-1]) == (10, 10 + 2 * next(rounds))


@contextmanager
def asking(lake: Lake) -> Iterator[list[tuple[object, ...]]]:
    """Rows and events as Presto counts them, one question after the other, before, while and after the block runs."""

    def ask() -> None:
        while not ends.is_set():
            look()

    def look() -> None:
        answers.extend(lake.rows("SELECT count(*), count(DISTINCT event_id) FROM events"))

    answers, ends = list[tuple[object, ...]](), threading.Event()
    look()
    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        ends.set()
        thread.join()
    look()


@pytest.mark.parametrize("point", COMPACTION_POINTS)
def test_a_compaction_that_dies_leaves_the_same_rows_and_the_next_writer_finishes(filled: Lake, point: str) -> None:
    before = filled.rows(EVERYTHING)
    with pytest.raises(Killed):
        compact(filled, at(point, die), compact_grace=0)
    assert filled.rows(EVERYTHING) == before
    assert count(filled, DEAD_LETTERS_TABLE) == 3

    compact(filled, compact_grace=0)

    assert filled.rows(EVERYTHING) == before
    assert count(filled, DEAD_LETTERS_TABLE) == 3
    assert len(counts.listing(filled.settings, EVENTS_TABLE)) == 2
    assert versions(filled) == locations(filled)
    assert left_in_staging(filled) == []


def test_a_compaction_whose_lease_was_taken_over_switches_nothing(filled: Lake) -> None:
    def take_over() -> None:
        [held] = [path for path in filled.hdfs.folders(filled.settings.staging) if "/prepared-" in path]
        filled.hdfs.rename(held, layout.prepared(filled.settings, 1000))

    before, lay = filled.rows(EVERYTHING), locations(filled)
    with pytest.raises(LeaseLost, match=f"namespace {filled.settings.namespace}"):
        compact(filled, at("compact_merged", take_over))

    assert locations(filled) == lay
    assert filled.rows(EVERYTHING) == before


def test_compaction_is_refused_while_another_process_holds_the_lease(lake: Lake) -> None:
    brief = lake.settings.in_namespace(lake.settings.namespace, lease_seconds=3)
    with open_writer(brief, "stream"), pytest.raises(LeaseHeld, match=r"is held by questlog stream, process \d+ on "):
        pipeline.compact(brief)


def test_replaced_folders_stay_for_the_grace_period_and_those_in_use_for_ever(filled: Lake) -> None:
    before = locations(filled)
    with writing(filled, compact_grace=GRACE) as writer:
        compaction.compact(writer)
        replaced = time.time()

        compaction.delete_old_versions(writer, replaced + GRACE / 2)
        assert versions(filled) == before | locations(filled)

        compaction.delete_old_versions(writer, replaced + GRACE)
        assert versions(filled) == locations(filled)

        compaction.delete_old_versions(writer, replaced + 1000 * GRACE)
        assert versions(filled) == locations(filled)
    assert count(filled) == 10


def test_a_folder_goes_after_its_own_grace_period_however_often_the_partition_is_compacted(filled: Lake) -> None:
    first = layout.location(filled.settings, EVENTS_TABLE, layout.partition_name(MONDAY))
    with writing(filled, compact_grace=GRACE) as writer:
        compaction.compact(writer)
        for file in filled.hdfs.files(writer.locations[EVENTS_TABLE, layout.partition_name(MONDAY)]):
            filled.hdfs.touch(file.path, round((time.time() - 2 * GRACE) * 1000))
        second = writer.locations[EVENTS_TABLE, layout.partition_name(MONDAY)]
        publish(writer, "s-7", landed.event(page="/"))

        compaction.compact(writer)

        assert first not in versions(filled)
        assert second in versions(filled) - locations(filled)
    assert count(filled) == 11


def test_what_was_switched_stays_where_it_lies_when_tables_and_partitions_are_made_again(filled: Lake) -> None:
    compact(filled)
    lying = locations(filled)
    assert (filled.create(), filled.missing(), filled.announce()) == ([], [], [])
    assert locations(filled) == lying
    assert count(filled) == 10


def test_tables_that_were_dropped_are_made_again_over_the_merged_files(filled: Lake) -> None:
    before = filled.rows(EVERYTHING)
    compact(filled, compact_grace=GRACE)
    lying = locations(filled)
    for name in tables.columns(filled.settings):
        filled.execute(f"DROP {'TABLE' if name in layout.TABLES else 'VIEW'} {name}")

    filled.create()
    filled.announce()

    assert locations(filled) == lying
    assert filled.rows(EVERYTHING) == before
    assert (count(filled), count(filled, DEAD_LETTERS_TABLE)) == (10, 3)


def test_a_field_that_older_files_lack_is_null_in_their_rows(lake: Lake) -> None:
    older = [column for column in events_columns(FEW) if column[0] != "quantity"]
    event = landed.event("ada", event_type="purchase_potion", item="mana", price=7)
    landed.put(lake.hdfs, landed.day_file(lake.settings, MONDAY), landed.parquet(older, [event]))
    lake.land("purchase_potion", landed.event("bob", item="mana", price=7, quantity=2))
    lake.announce()

    assert len(compact(lake)) == 1

    rows = lake.rows("SELECT user_id, quantity FROM purchase_potion ORDER BY user_id")
    assert rows == [("ada", None), ("bob", 2)]


def test_a_file_that_is_no_parquet_is_named_and_nothing_is_switched(filled: Lake) -> None:
    landed.put(filled.hdfs, landed.day_file(filled.settings, MONDAY), b"no parquet file at all")
    lying = locations(filled)
    with pytest.raises(LakeError, match="files of events cannot be merged"):
        compact(filled)
    assert locations(filled) == lying


@pytest.fixture
def publisher(lake: Lake) -> Iterator[Publisher]:
    made = Publisher(lake.settings.in_namespace(lake.settings.namespace, ack_timeout=20))
    yield made
    made.close()


def records(first: int) -> list[Record]:
    """Two events of a type on two days."""
    now, made = datetime.now(UTC), []
    event_type = CATALOGUE["page_view"]
    for number in (first, first + 1):
        happened = (now - timedelta(days=number % 2)).isoformat()
        fields = {"event_id": f"event-{number}", "event_time": happened, "user_id": "ada", "page": "/"}
        made.append(encode(validation.parse(event_type, fields, {}, now)))
    return made


@contextmanager
def streaming(settings: Settings) -> Iterator[None]:
    """A stream in a process of its own while the block runs; it ends by itself when it is told."""
    command = [sys.executable, "-m", "questlog", "stream", "--trigger", "0"]
    process = subprocess.Popen(
        command, env=settings.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, said


def test_a_stream_compacts_by_itself_while_it_lands_and_deletes_what_it_replaced(
    lake: Lake, publisher: Publisher
) -> None:
    often = lake.settings.in_namespace(lake.settings.namespace, compact_files=2, compact_minutes=0.05, compact_grace=5)
    with watching(often) as witness, streaming(often):
        for first in range(0, 12, 2):
            publisher.publish(records(first))
            eventually(lambda first=first: count(lake) == first + 2, "the events are seen", deadline=DEADLINE)
        eventually(
            lambda: len(counts.listing(often, EVENTS_TABLE)) == len(Metastore(often).locations(EVENTS_TABLE)),
            "each day is one file",
            deadline=DEADLINE,
        )
        eventually(lambda: versions(lake) == locations(lake), "replaced folders are gone", deadline=DEADLINE)

    assert [look.error for look in witness.looks if look.error] == []
    assert all(look.rows == look.events for look in witness.looks)
    assert witness.looks[-1].rows == 12
    assert pipeline.ledger(often).problems == ()

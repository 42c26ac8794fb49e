"""Compaction on real servers, without a stream: few files afterwards, the same rows before, meanwhile and after."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

import landed
import pytest
from lake import FEW, Lake, filling

from questlog.catalog import compaction, definitions, files, swap
from questlog.catalog.compaction import Compacted
from questlog.catalog.gate import Gate
from questlog.catalog.metastore import Metastore
from questlog.errors import CatalogError
from questlog.events import CATALOGUE
from questlog.events.schema import table_columns
from questlog.settings import Settings

MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)
NEXT_DAY = landed.NOON + timedelta(days=1)
ALL_POINTS = "SELECT * FROM page_view ORDER BY event_id"


@pytest.fixture
def lake(fresh: Settings) -> Iterator[Lake]:
    with filling(fresh.in_namespace(fresh.namespace, compact_files=2)) as made:
        yield made


@pytest.fixture
def filled(lake: Lake) -> Lake:
    """Page views on two days, three files each, and one file of another type; all announced."""
    for number in range(3):
        lake.land("page_view", landed.event(f"player-{number}", page="/"), landed.event("ada", page="/shop"))
        lake.land("page_view", landed.event("bob", NEXT_DAY, page="/"))
    lake.land("join_guild", landed.event("cy", guild="Owls"))
    lake.announce(("page_view", MONDAY), ("page_view", TUESDAY), ("join_guild", MONDAY))
    return lake


def count(lake: Lake, table: str = "events") -> int:
    [(rows,)] = lake.rows(f"SELECT count(*) FROM {table}")
    assert isinstance(rows, int)
    return rows


def patient(lake: Lake, seconds: float) -> Settings:
    return lake.settings.in_namespace(lake.settings.namespace, compact_files=2, compact_grace=seconds)


def test_many_files_become_few_and_every_row_is_the_same_in_both_tables(filled: Lake) -> None:
    before = filled.rows(ALL_POINTS), filled.rows("SELECT * FROM events ORDER BY event_id")

    done = compaction.compact(filled.settings)

    assert (filled.rows(ALL_POINTS), filled.rows("SELECT * FROM events ORDER BY event_id")) == before
    assert [(each.partition, each.files_before, each.files_after) for each in done] == [
        ("event_type=page_view/event_date=2026-01-05", 3, 1),
        ("event_type=page_view/event_date=2026-01-06", 3, 1),
    ]
    assert len(files.listing(filled.settings, "events")) == 3
    assert files.landed_rows(filled.settings) == {"page_view": 9, "join_guild": 1}


def test_a_second_run_finds_nothing_to_do(filled: Lake) -> None:
    compaction.compact(filled.settings)
    assert compaction.compact(filled.settings) == []


def test_a_dry_run_tells_what_would_be_done_and_changes_nothing(filled: Lake) -> None:
    before = files.listing(filled.settings, "events")
    told = compaction.compact(filled.settings, dry_run=True)
    assert [each.files_after for each in told] == [1, 1]
    assert {each.bytes_after for each in told} == {None}
    assert files.listing(filled.settings, "events") == before


def test_letters_and_accounts_are_merged_and_the_newest_account_of_each_stream_keeps_its_name(lake: Lake) -> None:
    for number in range(4):
        landed.land_dead_letters(lake.files, lake.settings, {"event_type": "page_view", "kafka_offset": number})
    ledger = lake.settings.table_path("ledger")
    for stream, batches in (("aaaaaaaa", 11), ("bbbbbbbb", 3)):
        for batch in range(batches):
            line = {"stream": stream, "batch": batch, "event_type": "page_view", "landed": 1}
            content = landed.parquet(landed.LEDGER_COLUMNS, [line])
            landed.put(lake.files, f"{ledger}/part-{stream}-{batch}.parquet", content)

    compaction.compact(lake.settings)

    assert (count(lake, "dead_letters"), count(lake, "ledger")) == (4, 14)
    assert files.dead_letter_rows(lake.settings) == {"page_view": 4}
    names = [file.path.rsplit("/", 1)[1] for file in files.listing(lake.settings, "ledger")]
    assert names[1:] == ["part-aaaaaaaa-10.parquet", "part-bbbbbbbb-2.parquet"]
    assert len(files.listing(lake.settings, "dead_letters")) == 1


def test_what_lands_while_files_are_merged_is_there_afterwards(filled: Lake) -> None:
    def land_more(point: str) -> None:
        if point == "compact_merged":
            filled.land("page_view", landed.event("late", page="/"))

    compaction.compact(filled.settings, at=land_more)

    assert count(filled, "page_view") == 10
    assert filled.rows("SELECT event_date FROM page_view WHERE user_id = 'late'") == [(MONDAY,)]


def test_what_was_announced_stays_where_it_lies_when_it_is_announced_again(filled: Lake) -> None:
    compaction.compact(filled.settings)
    lying = Metastore(filled.settings).places("events")
    filled.announce(("page_view", MONDAY), ("page_view", TUESDAY))
    assert Metastore(filled.settings).places("events") == lying
    assert filled.missing() == []


def test_creating_the_tables_again_changes_no_place(filled: Lake) -> None:
    compaction.compact(filled.settings)
    assert filled.create() == []
    assert count(filled) == 10


def test_tables_that_were_dropped_are_made_again_over_the_merged_files(filled: Lake) -> None:
    for number in range(3):
        landed.land_dead_letters(filled.files, filled.settings, {"event_type": "page_view", "kafka_offset": number})
    before = filled.rows(ALL_POINTS)
    compaction.compact(patient(filled, 0))
    for name in ("events", *FEW.names, "dead_letters", "ledger"):
        filled.execute(f"DROP TABLE {name}")
    assert files.landed_rows(filled.settings) == {"page_view": 9, "join_guild": 1}

    filled.create()
    filled.announce(*filled.missing())

    assert filled.rows(ALL_POINTS) == before
    assert (count(filled), count(filled, "dead_letters")) == (10, 3)


def test_replaced_files_stay_until_their_time_is_over(filled: Lake) -> None:
    old = f"{definitions.type_path(filled.settings, 'page_view')}/event_date={MONDAY}"
    compaction.compact(patient(filled, 3600))
    assert len(filled.files.ls(old)) == 4  # three files, and when they were replaced

    compaction.compact(patient(filled, 0))

    assert not filled.files.exists(old)
    assert filled.files.ls(swap.folder(filled.settings)) == []
    assert count(filled) == 10
    assert files.landed_rows(filled.settings) == {"page_view": 9, "join_guild": 1}


def test_of_two_at_once_each_partition_is_exchanged_by_one(filled: Lake) -> None:
    inner: list[Compacted] = []

    def compact_too(point: str) -> None:
        if point == "compact_merged" and not inner:
            inner.extend(compaction.compact(filled.settings))

    outer = compaction.compact(filled.settings, at=compact_too)

    assert (len(inner), outer) == (2, [])
    assert count(filled) == 10


def test_the_gate_is_opened_and_the_swap_finished_for_a_holder_that_died(filled: Lake) -> None:
    class Killed(Exception):
        pass

    def die(point: str) -> None:
        if point == "compact_half":
            raise Killed

    with pytest.raises(Killed):
        compaction.compact(filled.settings, at=die)
    assert Gate(filled.files, filled.settings).look().swap
    assert count(filled, "page_view") == count(filled, "page_view") == 9

    folder, moved = compaction.whereabouts(filled.settings)

    assert folder.endswith("/open-2")
    assert len(moved) == 2
    page_views, events = (Metastore(filled.settings).places(table) for table in ("page_view", "events"))
    assert [events[f"event_type=page_view/{day}"] for day in page_views] == [*page_views.values()]
    assert count(filled) == 10


def test_while_the_gate_is_held_a_stream_that_has_not_noticed_moves_nothing(filled: Lake) -> None:
    folder, _ = compaction.whereabouts(filled.settings)
    filled.files.pipe_file(f"{folder}/sealed", b"")
    seen: list[bool] = []
    compaction.compact(filled.settings, at=lambda _: seen.append(filled.files.exists(f"{folder}/sealed")))
    assert seen[0]  # nothing is held yet
    assert not any(seen[1:])
    assert filled.files.exists(f"{compaction.whereabouts(filled.settings)[0]}/sealed")


def test_a_field_that_older_files_lack_is_null_in_their_rows(lake: Lake) -> None:
    older = [column for column in table_columns(CATALOGUE["purchase_potion"]) if column[0] != "quantity"]
    folder = f"{definitions.type_path(lake.settings, 'purchase_potion')}/event_date={MONDAY}"
    content = landed.parquet(older, [landed.event("ada", item="mana", price=7)])
    landed.put(lake.files, f"{folder}/part-old.parquet", content)
    lake.land("purchase_potion", landed.event("bob", item="mana", price=7, quantity=2))
    lake.announce(("purchase_potion", MONDAY))

    compaction.compact(lake.settings)

    rows = lake.rows("SELECT user_id, quantity FROM purchase_potion ORDER BY user_id")
    assert rows == [("ada", None), ("bob", 2)]


def test_a_query_for_one_player_reads_fewer_rows_afterwards(lake: Lake) -> None:
    for begin in range(3):
        players = (f"player-{number % 1000:03}" for number in range(20_000))
        lake.land("page_view", *(landed.event(player, page=f"/{begin}") for player in players))
    lake.announce(("page_view", MONDAY))
    before = rows_read(lake)

    compaction.compact(lake.settings)

    assert before == 60_000
    assert rows_read(lake) == 20_000


def rows_read(lake: Lake) -> int:
    """Rows that Presto takes from files for the page views of one player."""
    [(plan,)] = lake.rows("EXPLAIN ANALYZE SELECT page FROM page_view WHERE user_id = 'player-007'")
    found = re.search(r"Input: ([\d,]+) rows .*?, Filtered", str(plan))
    assert found, plan
    return int(found[1].replace(",", ""))


def test_a_file_that_is_no_parquet_is_left_alone_and_the_rows_too(filled: Lake) -> None:
    path = f"{definitions.type_path(filled.settings, 'page_view')}/event_date={MONDAY}/part-x.parquet"
    landed.put(filled.files, path, b"no parquet file at all")
    with pytest.raises(CatalogError, match="files of events cannot be merged"):
        compaction.compact(filled.settings)
    assert files.moved(filled.files, filled.settings) == {}

"""One table for every event, a view for each type, and what Presto sees of their files."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import landed
import pytest
from lake import FEW, Lake, filling

from questlog.catalog import counts, tables
from questlog.catalog.counts import DataFile
from questlog.errors import CatalogError, LakeError, QueryError
from questlog.events import CATALOGUE, Catalogue, EventType, Field
from questlog.events.schema import events_columns, view_columns
from questlog.settings import Settings

MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)
TO_THE_MICROSECOND = datetime(2026, 1, 5, 23, 59, 59, 123_999, tzinfo=UTC)
TO_THE_MILLISECOND = datetime(2026, 1, 5, 23, 59, 59, 123_000)
PET = EventType(
    name="adopt_pet",
    title="Adopt pet",
    description="A player adopts a pet.",
    fields=(Field(name="species", description="Its species.", example="owl"),),
)


def extended(*fields: Field) -> Catalogue:
    """The few types; page views have these fields besides."""
    first, *others = FEW.types
    more = EventType(name=first.name, title=first.title, description=first.description, fields=(*first.fields, *fields))
    return Catalogue((more, *others))


@pytest.fixture
def lake(fresh: Settings) -> Iterator[Lake]:
    with filling(fresh) as made:
        yield made


def test_creating_names_every_table_and_view_and_creating_again_none(fresh: Settings) -> None:
    lake = Lake(fresh)
    assert lake.create(CATALOGUE) == ["events", *CATALOGUE.names, "dead_letters", "batches", "stream_progress"]
    assert lake.create(CATALOGUE) == []
    lake.drop()


def test_the_table_has_the_columns_of_every_type_and_a_view_those_of_its_own(lake: Lake) -> None:
    found = tables.columns(lake.settings)
    assert found["events"] == {**dict(events_columns(FEW)), "event_date": "date"}
    for event_type in FEW:
        assert found[event_type.name] == {**dict(view_columns(event_type)), "event_date": "date"}


def test_events_are_stored_once_and_types_are_views(lake: Lake) -> None:
    views = lake.rows(
        f"SELECT table_name FROM information_schema.views WHERE table_schema = '{lake.settings.database}'"
    )
    assert {name for (name,) in views} == {*FEW.names, "purchases"}


def test_a_column_tells_its_meaning_and_unit(lake: Lake) -> None:
    comments = {row[0]: row[3] for row in lake.rows("DESCRIBE events")}
    assert comments["price"] == "What one piece cost. (gold)"
    assert all(comments.values())


def test_processes_that_create_the_same_tables_at_once_all_find_them_created(fresh: Settings) -> None:
    lake = Lake(fresh)
    with ThreadPoolExecutor() as pool:
        for created in [pool.submit(lake.create) for _ in range(4)]:
            created.result()

    assert {"events", "batches", "page_view", "purchases"} <= tables.columns(fresh).keys()
    lake.drop()


def test_dropping_leaves_no_table_no_database_and_no_folder(fresh: Settings) -> None:
    lake = Lake(fresh)
    lake.create()
    lake.land("page_view", landed.event())
    for path in (fresh.staging, fresh.checkpoint):
        lake.hdfs.make_folder(path)
    lake.drop()
    assert (fresh.database,) not in lake.rows("SHOW SCHEMAS FROM hive")
    assert not any(lake.hdfs.exists(path) for path in (fresh.warehouse, fresh.staging, fresh.checkpoint))
    lake.drop()


def test_dropping_fails_while_somebody_elses_table_is_there_and_deletes_no_file(lake: Lake) -> None:
    path = lake.land("page_view", landed.event())
    lake.execute("CREATE TABLE somebody_elses (n integer)")

    with pytest.raises(QueryError, match=lake.settings.database):
        lake.drop()

    assert lake.rows("SELECT count(*) FROM somebody_elses") == [(0,)]
    assert lake.hdfs.exists(path)
    lake.execute("DROP TABLE somebody_elses")


def test_a_partition_is_invisible_before_it_is_announced_and_visible_in_table_and_view_after(lake: Lake) -> None:
    lake.land("page_view", landed.event())
    assert lake.rows("SELECT count(*) FROM events") == [(0,)]
    assert lake.missing() == [MONDAY]

    assert lake.announce() == [MONDAY]

    assert lake.rows("SELECT count(*) FROM events") == lake.rows("SELECT count(*) FROM page_view") == [(1,)]
    assert lake.missing() == lake.announce() == []


def test_a_second_file_of_an_announced_partition_is_visible_at_once(lake: Lake) -> None:
    lake.land("page_view", landed.event())
    lake.announce()
    lake.land("page_view", landed.event())
    assert lake.rows("SELECT count(*) FROM events") == lake.rows("SELECT count(*) FROM page_view") == [(2,)]


def test_of_a_partition_that_the_metastore_lost_the_newest_version_is_announced(lake: Lake) -> None:
    older = lake.land("page_view", landed.event("ada"))
    newer = older.replace("v000000-000000", "v000002-000001")
    landed.put(lake.hdfs, newer, landed.encode("page_view", landed.event("bob"), catalogue=FEW))

    assert lake.announce() == [MONDAY]

    assert lake.rows("SELECT user_id FROM events") == [("bob",)]


def test_a_view_gives_the_rows_that_the_table_has_of_its_type(lake: Lake) -> None:
    tomorrow = landed.NOON + timedelta(days=1)
    lake.land("join_guild", *(landed.event(user, guild="Owls") for user in ("ada", "bob")))
    lake.land("join_guild", landed.event("cy", tomorrow, guild="Owls"))
    lake.land("page_view", landed.event("dee", page="/"))
    assert lake.announce() == [MONDAY, TUESDAY]

    columns = ", ".join([*dict(view_columns(FEW["join_guild"])), "event_date"])
    of_all = lake.rows(f"SELECT {columns} FROM events WHERE event_type = 'join_guild' ORDER BY user_id")
    of_type = lake.rows(f"SELECT {columns} FROM join_guild ORDER BY user_id")

    assert of_all == of_type
    assert [row[2] for row in of_type] == ["ada", "bob", "cy"]


def test_columns_are_found_by_name_whatever_their_order_in_the_file(lake: Lake) -> None:
    event = landed.event("ada", event_type="purchase_potion", item="mana", price=7, quantity=3)
    content = landed.parquet(events_columns(FEW)[::-1], [event])
    landed.put(lake.hdfs, landed.day_file(lake.settings, MONDAY), content)
    lake.announce()
    row = lake.rows("SELECT user_id, headers, item, price, quantity FROM purchase_potion")
    assert row == [("ada", {"host": "game"}, "mana", 7, 3)]


@pytest.mark.parametrize(
    "options",
    [
        {"coerce_timestamps": "us"},
        {"coerce_timestamps": "ms", "allow_truncated_timestamps": True},
        {"use_deprecated_int96_timestamps": True},
    ],
    ids=["TIMESTAMP_MICROS", "TIMESTAMP_MILLIS", "INT96"],
)
def test_a_time_is_the_same_instant_whatever_parquets_type_cut_to_the_millisecond(
    lake: Lake, options: dict[str, object]
) -> None:
    event = landed.event(at=TO_THE_MICROSECOND, event_type="page_view")
    content = landed.parquet(events_columns(FEW), [event], **options)
    landed.put(lake.hdfs, landed.day_file(lake.settings, MONDAY), content)
    lake.announce()

    in_view = lake.rows("SELECT event_time, to_unixtime(event_time) FROM page_view")
    found = lake.rows("SELECT count(*) FROM events WHERE event_time = TIMESTAMP '2026-01-05 23:59:59.123'")

    assert in_view == [(TO_THE_MILLISECOND, TO_THE_MILLISECOND.replace(tzinfo=UTC).timestamp())]
    assert found == [(1,)]


def test_a_new_type_gets_its_view_and_its_columns_and_its_rows_are_seen(lake: Lake) -> None:
    more = Catalogue((*FEW, PET))
    lake.land("page_view", landed.event())
    lake.announce()

    assert lake.create(more) == ["adopt_pet"]
    lake.land("adopt_pet", landed.event(species="owl"), catalogue=more)

    assert lake.rows("SELECT species FROM adopt_pet") == [("owl",)]
    assert lake.rows("SELECT event_type, species FROM events ORDER BY 1") == [("adopt_pet", "owl"), ("page_view", None)]


def test_a_view_of_a_type_that_left_the_catalogue_is_dropped_with_the_others(lake: Lake) -> None:
    lake.create(Catalogue((*FEW, PET)))
    lake.drop()
    assert tables.columns(lake.settings) == {}


def test_a_field_added_later_is_in_table_and_view_and_no_file_is_rewritten(lake: Lake) -> None:
    later = extended(Field(name="referrer", description="Where from.", example="/"))
    lake.land("page_view", landed.event("ada", page="/"))
    lake.announce()
    files = counts.listing(lake.settings, "events")

    assert lake.create(later) == []
    assert counts.listing(lake.settings, "events") == files
    lake.land("page_view", landed.event("bob", page="/", referrer="/shop"), catalogue=later)

    for name in ("events", "page_view"):
        rows = lake.rows(f"SELECT user_id, page, referrer FROM {name} ORDER BY user_id")
        assert rows == [("ada", "/", None), ("bob", "/", "/shop")]


def test_a_table_whose_column_has_another_type_is_left_alone_and_named(lake: Lake) -> None:
    location = f"{lake.settings.hdfs_url}{lake.settings.table_path('batches')}"
    lake.execute("DROP TABLE batches")
    lake.execute(f"CREATE TABLE batches (batch varchar) WITH (external_location = '{location}')")
    with pytest.raises(CatalogError, match=r"batches\.batch is varchar, the catalogue says bigint"):
        lake.create()


def test_tables_of_the_former_layout_are_refused_with_the_command_that_upgrades_them(lake: Lake) -> None:
    lake.hdfs.make_folder(f"{lake.settings.table_path('events')}/event_type=page_view/event_date=2026-01-05")
    with pytest.raises(CatalogError, match=r"layout of Questlog 0\.1 .*event_type=page_view.* run `questlog upgrade`"):
        lake.create()


def test_a_listing_gives_files_with_their_partition_and_skips_what_presto_skips(lake: Lake) -> None:
    path = lake.land("page_view", landed.event())
    lake.announce()
    landed.put(lake.hdfs, path.replace("part-", "_tmp/part-"), b"no")
    landed.put(lake.hdfs, path.replace("part-", ".part-"), b"no")
    size = len(lake.hdfs.read(path))
    assert counts.listing(lake.settings, "events") == [DataFile("event_date=2026-01-05", path, size)]


def test_landed_rows_are_counted_by_type_from_the_files_that_presto_sees(lake: Lake) -> None:
    lake.land("page_view", *(landed.event() for _ in range(3)))
    lake.land("page_view", landed.event(at=landed.NOON + timedelta(days=1)))
    lake.land("join_guild", landed.event(guild="Owls"), landed.event(guild="Owls"))
    assert counts.landed_rows(lake.settings) == {}

    lake.announce()

    assert counts.landed_rows(lake.settings) == {"page_view": 4, "join_guild": 2}


def test_rows_of_several_types_in_one_row_group_are_counted_by_type(lake: Lake) -> None:
    events = [landed.event(event_type=name) for name in ("page_view", "join_guild", "page_view")]
    landed.put(lake.hdfs, landed.day_file(lake.settings, MONDAY), landed.parquet(events_columns(FEW), events))
    lake.announce()
    assert counts.landed_rows(lake.settings) == {"page_view": 2, "join_guild": 1}


def test_a_footer_longer_than_the_first_look_is_read_whole(lake: Lake) -> None:
    events = [landed.event(event_type="page_view") for _ in range(300)]
    content = landed.parquet(events_columns(FEW), events, row_group_size=1)
    assert int.from_bytes(content[-8:-4], "little") > counts.TAIL_BYTES
    landed.put(lake.hdfs, landed.day_file(lake.settings, MONDAY), content)
    lake.announce()
    assert counts.landed_rows(lake.settings) == {"page_view": 300}


def test_nothing_landed_is_no_rows(lake: Lake) -> None:
    assert counts.landed_rows(lake.settings) == counts.dead_letter_rows(lake.settings) == {}


def test_before_the_tables_are_created_there_are_no_rows(fresh: Settings) -> None:
    assert counts.landed_rows(fresh) == counts.dead_letter_rows(fresh) == {}


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet file at all"])
def test_a_file_that_is_no_parquet_is_named(lake: Lake, content: bytes) -> None:
    path = landed.put(lake.hdfs, landed.day_file(lake.settings, MONDAY), content)
    lake.announce()
    with pytest.raises(LakeError, match=f"{path} \\({len(content)} bytes\\) is not a parquet file"):
        counts.landed_rows(lake.settings)


def test_dead_letters_are_counted_by_the_type_they_name(lake: Lake) -> None:
    names = ["(unknown)", "page_view", "(unknown)"]
    landed.land_dead_letters(lake.hdfs, lake.settings, *({"event_type": name, "value": b"{"} for name in names))
    landed.land_dead_letters(lake.hdfs, lake.settings, {"event_type": "page_view"})
    assert counts.dead_letter_rows(lake.settings) == {"(unknown)": 2, "page_view": 2}


def test_a_folder_that_is_no_partition_is_named(lake: Lake) -> None:
    lake.hdfs.make_folder(f"{lake.settings.table_path('events')}/monday")
    with pytest.raises(LakeError, match="'monday' is not event_date="):
        lake.missing()

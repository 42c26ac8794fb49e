from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import landed
import pytest
from lake import FEW, Lake, filling

from questlog.catalog import definitions, files, tables
from questlog.catalog.files import DataFile
from questlog.errors import CatalogError
from questlog.events import CATALOGUE, Catalogue, EventType, Field
from questlog.events.schema import COMMON_COLUMNS, table_columns
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


def test_creating_names_every_table_and_creating_again_none(fresh: Settings) -> None:
    lake = Lake(fresh)
    assert lake.create(CATALOGUE) == ["events", *CATALOGUE.names, "dead_letters", "ledger", "stream_progress"]
    assert lake.create(CATALOGUE) == []
    lake.drop(CATALOGUE)


def test_the_tables_have_the_columns_of_the_catalogue(lake: Lake) -> None:
    found = tables.columns(lake.execute, lake.settings)
    assert {"event_type", "event_date", *dict(COMMON_COLUMNS)} == {*found["events"]}
    for event_type in FEW:
        assert found[event_type.name] == {**dict(table_columns(event_type)), "event_date": "date"}


def test_a_column_tells_its_meaning_and_unit(lake: Lake) -> None:
    comments = {row[0]: row[3] for row in lake.rows("DESCRIBE purchase_potion")}
    assert comments["price"] == "What one piece cost. (gold)"
    assert all(comments.values())


def test_dropping_leaves_no_table_no_database_and_no_folder(fresh: Settings) -> None:
    lake = Lake(fresh)
    lake.create()
    lake.land("page_view", landed.event())
    files.make_folders(lake.files, [fresh.staging, fresh.checkpoint])
    lake.drop()
    assert (fresh.database,) not in lake.rows("SHOW SCHEMAS FROM hive")
    assert not any(lake.files.exists(path) for path in (fresh.warehouse, fresh.staging, fresh.checkpoint))
    lake.drop()


def test_a_partition_is_invisible_before_it_is_announced_and_visible_in_both_tables_after(lake: Lake) -> None:
    lake.land("page_view", landed.event())
    assert lake.rows("SELECT count(*) FROM events") == [(0,)]
    assert lake.missing() == [("page_view", MONDAY)]

    lake.announce(("page_view", MONDAY))

    assert lake.rows("SELECT count(*) FROM events") == lake.rows("SELECT count(*) FROM page_view") == [(1,)]
    assert lake.missing() == []


def test_a_second_file_of_an_announced_partition_is_visible_at_once(lake: Lake) -> None:
    lake.land("page_view", landed.event())
    lake.announce(("page_view", MONDAY))
    lake.land("page_view", landed.event())
    assert lake.rows("SELECT count(*) FROM events") == lake.rows("SELECT count(*) FROM page_view") == [(2,)]


def test_a_partition_that_only_one_of_its_tables_knows_is_missing(lake: Lake) -> None:
    lake.land("page_view", landed.event())
    schema = lake.settings.database
    lake.execute(f"CALL hive.system.sync_partition_metadata('{schema}', 'events', 'ADD')")
    assert lake.missing() == [("page_view", MONDAY)]


def test_both_kinds_of_table_give_the_same_rows(lake: Lake) -> None:
    tomorrow = landed.NOON + timedelta(days=1)
    lake.land("join_guild", *(landed.event(user, guild="Owls") for user in ("ada", "bob")))
    lake.land("join_guild", landed.event("cy", tomorrow, guild="Owls"))
    lake.land("page_view", landed.event("dee", page="/"))
    lake.announce(("join_guild", MONDAY), ("join_guild", TUESDAY), ("page_view", MONDAY))

    columns = ", ".join([*dict(COMMON_COLUMNS), "event_date"])
    of_all = lake.rows(f"SELECT {columns} FROM events WHERE event_type = 'join_guild' ORDER BY user_id")
    of_type = lake.rows(f"SELECT {columns} FROM join_guild ORDER BY user_id")

    assert of_all == of_type
    assert [row[2] for row in of_type] == ["ada", "bob", "cy"]


def test_columns_are_found_by_name_whatever_their_order_in_the_file(lake: Lake) -> None:
    backwards = table_columns(CATALOGUE["purchase_potion"])[::-1]
    content = landed.parquet(backwards, [landed.event(item="mana", price=7, quantity=3)])
    folder = definitions.type_path(lake.settings, "purchase_potion")
    landed.put(lake.files, f"{folder}/event_date=2026-01-05/part-1.parquet", content)
    lake.announce(("purchase_potion", MONDAY))
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
    columns = table_columns(CATALOGUE["page_view"])
    content = landed.parquet(columns, [landed.event(at=TO_THE_MICROSECOND)], **options)
    folder = definitions.type_path(lake.settings, "page_view")
    landed.put(lake.files, f"{folder}/event_date=2026-01-05/part-1.parquet", content)
    lake.announce(("page_view", MONDAY))

    in_table = lake.rows("SELECT event_time, to_unixtime(event_time) FROM page_view")
    found = lake.rows("SELECT count(*) FROM events WHERE event_time = TIMESTAMP '2026-01-05 23:59:59.123'")

    assert in_table == [(TO_THE_MILLISECOND, TO_THE_MILLISECOND.replace(tzinfo=UTC).timestamp())]
    assert found == [(1,)]


def test_a_tenth_type_gets_its_table_and_its_rows_are_seen(lake: Lake) -> None:
    tenth = Catalogue((*FEW, PET))
    assert lake.create(tenth) == ["adopt_pet"]
    lake.land("adopt_pet", landed.event(species="owl"), catalogue=tenth)
    lake.announce(("adopt_pet", MONDAY), catalogue=tenth)
    assert lake.rows("SELECT species FROM adopt_pet") == [("owl",)]


def test_a_table_of_a_type_that_left_the_catalogue_is_dropped_with_the_others(lake: Lake) -> None:
    lake.create(Catalogue((*FEW, PET)))
    lake.drop(FEW)
    assert tables.columns(lake.execute, lake.settings) == {}


def test_a_field_added_later_is_null_in_old_files_and_there_in_new_ones_of_the_same_day(lake: Lake) -> None:
    later = extended(Field(name="referrer", description="Where from.", example="/"))
    lake.land("page_view", landed.event("ada", page="/"))
    lake.announce(("page_view", MONDAY))

    assert lake.create(later) == []
    lake.land("page_view", landed.event("bob", page="/", referrer="/shop"), catalogue=later)

    rows = lake.rows("SELECT user_id, page, referrer FROM page_view ORDER BY user_id")
    assert rows == [("ada", "/", None), ("bob", "/", "/shop")]


def test_a_table_whose_column_has_another_type_is_left_alone_and_named(lake: Lake) -> None:
    location = f"{lake.settings.hdfs_url}{lake.settings.table_path('ledger')}"
    lake.execute("DROP TABLE ledger")
    lake.execute(f"CREATE TABLE ledger (batch varchar) WITH (external_location = '{location}')")
    with pytest.raises(CatalogError, match=r"ledger\.batch is varchar, the catalogue says bigint"):
        lake.create()


def test_a_listing_gives_files_with_their_partition_and_skips_what_presto_skips(lake: Lake) -> None:
    path = lake.land("page_view", landed.event())
    landed.put(lake.files, f"{lake.settings.table_path('events')}/_tmp/part-1.parquet", b"no")
    landed.put(lake.files, path.replace("part-", ".part-"), b"no")
    size = lake.files.size(path)
    assert files.listing(lake.settings, "events") == [
        DataFile(path, size, {"event_type": "page_view", "event_date": "2026-01-05"})
    ]


def test_landed_rows_are_counted_from_the_files_whether_announced_or_not(lake: Lake) -> None:
    lake.land("page_view", *(landed.event() for _ in range(3)))
    lake.land("page_view", landed.event(at=landed.NOON + timedelta(days=1)))
    lake.land("join_guild", landed.event(guild="Owls"), landed.event(guild="Owls"))
    assert files.landed_rows(lake.settings) == {"page_view": 4, "join_guild": 2}


def test_a_footer_longer_than_the_first_look_is_read_whole(lake: Lake) -> None:
    columns = table_columns(CATALOGUE["page_view"])
    events = [landed.event() for _ in range(300)]
    content = landed.parquet(columns, events, row_group_size=1)
    assert int.from_bytes(content[-8:-4], "little") > files.TAIL_BYTES
    folder = definitions.type_path(lake.settings, "page_view")
    landed.put(lake.files, f"{folder}/event_date=2026-01-05/part-1.parquet", content)
    assert files.landed_rows(lake.settings) == {"page_view": 300}


def test_nothing_landed_is_no_rows(lake: Lake) -> None:
    assert files.landed_rows(lake.settings) == files.dead_letter_rows(lake.settings) == {}


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet file at all"])
def test_a_file_that_is_no_parquet_is_named(lake: Lake, content: bytes) -> None:
    path = f"{definitions.type_path(lake.settings, 'page_view')}/event_date=2026-01-05/part-1.parquet"
    landed.put(lake.files, path, content)
    with pytest.raises(CatalogError, match=f"{path} \\({len(content)} bytes\\) is not a parquet file"):
        files.landed_rows(lake.settings)


def test_dead_letters_are_counted_by_the_type_they_name(lake: Lake) -> None:
    names = ["(unknown)", "page_view", "(unknown)"]
    landed.land_dead_letters(lake.files, lake.settings, *({"event_type": name, "value": b"{"} for name in names))
    landed.land_dead_letters(lake.files, lake.settings, {"event_type": "page_view"})
    assert files.dead_letter_rows(lake.settings) == {"(unknown)": 2, "page_view": 2}


def test_counting_before_the_tables_are_created_says_so(fresh: Settings) -> None:
    with pytest.raises(CatalogError, match=f"{fresh.table_path('events')}.*`questlog catalog`"):
        files.landed_rows(fresh)


def test_a_folder_that_is_no_partition_is_named(lake: Lake) -> None:
    files.make_folders(lake.files, [f"{lake.settings.table_path('events')}/event_type=page_view/monday"])
    with pytest.raises(CatalogError, match="page_view/monday is not event_type="):
        lake.missing()


def test_folders_that_exist_are_made_again_without_complaint(lake: Lake) -> None:
    path = f"{lake.settings.staging}/a/b"
    files.make_folders(lake.files, [path])
    files.make_folders(lake.files, [path])
    assert lake.files.isdir(path)
    files.delete(lake.files, lake.settings.staging)
    files.delete(lake.files, lake.settings.staging)
    assert not lake.files.exists(path)

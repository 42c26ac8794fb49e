from datetime import date

import pytest

from questlog.catalog import partitions
from questlog.errors import CatalogError
from questlog.settings import Settings

SETTINGS = Settings.load(namespace="shop")
MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)


def test_a_partition_has_one_folder_under_its_name_in_both_of_its_tables() -> None:
    folder = "/warehouse/shop/events/event_type=join_guild/event_date=2026-01-05"
    assert partitions.folders(SETTINGS, [("join_guild", MONDAY)], {}) == {
        "events": {"event_type=join_guild/event_date=2026-01-05": folder},
        "join_guild": {"event_date=2026-01-05": folder},
    }


def test_many_partitions_are_grouped_by_table_and_events_comes_first() -> None:
    given = [("page_view", MONDAY), ("join_guild", TUESDAY), ("join_guild", MONDAY)]
    found = partitions.folders(SETTINGS, given, {})
    assert {name: len(folders) for name, folders in found.items()} == {"events": 3, "join_guild": 2, "page_view": 1}
    assert next(iter(found)) == "events"


def test_a_partition_that_lies_elsewhere_is_announced_there() -> None:
    began = "/warehouse/shop/events/event_type=join_guild/event_date=2026-01-05"
    found = partitions.folders(SETTINGS, [("join_guild", MONDAY)], {began: "/elsewhere"})
    assert [*found["events"].values(), *found["join_guild"].values()] == ["/elsewhere"] * 2


def test_a_type_that_is_not_in_the_catalogue_never_reaches_the_metastore() -> None:
    with pytest.raises(CatalogError, match="'x\"; DROP' is not in the catalogue; it has page_view"):
        partitions.announce(SETTINGS, [('x"; DROP', MONDAY)])

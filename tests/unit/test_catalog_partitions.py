from datetime import date

import pytest

from questlog.catalog import partitions
from questlog.errors import CatalogError
from questlog.settings import Settings

SETTINGS = Settings.load(namespace="shop")
MONDAY, TUESDAY = date(2026, 1, 5), date(2026, 1, 6)


def tables_called(statements: list[str]) -> list[str]:
    assert all("system.sync_partition_metadata('shop', " in statement for statement in statements)
    return [statement.split("'")[3] for statement in statements]


def test_a_partition_is_announced_in_both_of_its_tables_alone() -> None:
    statements: list[str] = []
    partitions.announce(statements.append, SETTINGS, [("join_guild", MONDAY)])
    assert tables_called(statements) == ["events", "join_guild"]


def test_many_partitions_of_a_table_take_one_call() -> None:
    statements: list[str] = []
    found = [("join_guild", MONDAY), ("join_guild", TUESDAY), ("page_view", MONDAY)]
    partitions.announce(statements.append, SETTINGS, found)
    assert tables_called(statements) == ["events", "page_view", "join_guild"]


def test_nothing_is_stated_when_there_is_nothing_to_announce() -> None:
    statements: list[str] = []
    partitions.announce(statements.append, SETTINGS, [])
    assert statements == []


def test_a_type_that_is_not_in_the_catalogue_never_reaches_a_statement() -> None:
    statements: list[str] = []
    with pytest.raises(CatalogError, match="'x\"; DROP' is not in the catalogue; it has page_view"):
        partitions.announce(statements.append, SETTINGS, [('x"; DROP', MONDAY)])
    assert statements == []

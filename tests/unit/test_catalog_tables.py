import pytest

from questlog.catalog import definitions, tables
from questlog.errors import CatalogError
from questlog.events import CATALOGUE, Catalogue, EventType, Field, Kind
from questlog.events.schema import COMMON_COLUMNS, table_columns
from questlog.settings import Settings

SETTINGS = Settings.load(namespace="shop")
BOW = EventType(
    name="purchase_bow",
    title="Purchase bow",
    description="A player buys a bow; it's new.",
    fields=(
        Field(name="item", description="Which.", example="long"),
        Field(name="price", description="How much.", kind=Kind.INTEGER, example=1, unit="gold"),
    ),
)


def existing(catalogue: Catalogue = CATALOGUE) -> dict[str, dict[str, str]]:
    """The columns of a database that lacks nothing, the view's included."""
    made = {table.name: dict(table.columns) for table in definitions.definitions(SETTINGS, catalogue)}
    return {**made, "purchases": {"item": "varchar"}}


def catalogue_with(*fields: Field, name: str = "wave") -> Catalogue:
    return Catalogue((EventType(name=name, title="T", description="D", fields=fields),))


def test_there_is_a_table_of_all_events_one_for_each_type_and_three_of_account() -> None:
    names = [table.name for table in definitions.definitions(SETTINGS)]
    assert names == ["events", *CATALOGUE.names, "dead_letters", "ledger", "stream_progress"]


def test_a_types_table_lies_on_the_types_folder_of_events() -> None:
    table = next(table for table in definitions.definitions(SETTINGS) if table.name == "join_guild")
    assert table.path == "/warehouse/shop/events/event_type=join_guild"
    assert table.columns == table_columns(CATALOGUE["join_guild"])
    assert table.partitioned_by == ("event_date",)


def test_the_table_of_all_events_has_the_common_columns() -> None:
    events = definitions.definitions(SETTINGS)[0]
    assert (events.columns, events.partitioned_by) == (COMMON_COLUMNS, ("event_type", "event_date"))


def test_every_column_of_every_table_is_described() -> None:
    for table in definitions.definitions(SETTINGS):
        assert all(table.descriptions[name] for name, _ in table.columns)


def test_the_database_comes_first_and_the_view_last() -> None:
    first, *_, last = tables.statements(SETTINGS)
    assert first.startswith('CREATE SCHEMA IF NOT EXISTS "hive"."shop"')
    assert "/warehouse/shop'" in first
    assert last.startswith('CREATE OR REPLACE VIEW "hive"."shop"."purchases"')


def test_a_table_is_external_parquet_over_the_files() -> None:
    statement = next(text for text in tables.statements(SETTINGS) if '."page_view"' in text)
    assert f"external_location = '{SETTINGS.hdfs_url}/warehouse/shop/events/event_type=page_view'" in statement
    assert "format = 'PARQUET'" in statement
    assert "partitioned_by = ARRAY['event_date']" in statement


def test_the_partition_columns_are_the_last() -> None:
    statement = tables.statements(SETTINGS)[1]
    assert statement.index('"kafka_offset"') < statement.index('"event_type"') < statement.index('"event_date"')


def test_a_quote_in_a_description_does_not_end_the_comment() -> None:
    statement = next(text for text in tables.statements(SETTINGS, Catalogue((BOW,))) if "COMMENT 'A player" in text)
    assert "it''s new" in statement


def test_nothing_but_the_database_is_stated_when_every_table_exists() -> None:
    assert len(tables.statements(SETTINGS, CATALOGUE, existing())) == 1


def test_a_view_that_is_missing_is_stated_though_every_table_exists() -> None:
    known = existing()
    del known["purchases"]
    assert "CREATE OR REPLACE VIEW" in tables.statements(SETTINGS, CATALOGUE, known)[-1]


def test_a_tenth_type_gets_its_table_and_its_place_in_the_view() -> None:
    _, create, view = tables.statements(SETTINGS, Catalogue((*CATALOGUE, BOW)), existing())
    assert create.startswith('CREATE TABLE IF NOT EXISTS "hive"."shop"."purchase_bow"')
    assert '"purchase_bow"' in view


def test_a_catalogue_that_sells_nothing_has_no_view() -> None:
    field = Field(name="note", description="What.", example="x")
    assert not any("VIEW" in text for text in tables.statements(SETTINGS, catalogue_with(field)))


def test_a_new_field_is_added_to_its_types_table() -> None:
    known = existing()
    del known["leave_guild"]["reason"]
    _, alter, _ = tables.statements(SETTINGS, CATALOGUE, known)
    assert alter.startswith('ALTER TABLE "hive"."shop"."leave_guild" ADD COLUMN IF NOT EXISTS "reason" varchar COMMENT')


def test_a_column_that_changes_its_type_is_refused_with_both_types() -> None:
    known = existing()
    known["purchase_sword"]["price"] = "varchar"
    with pytest.raises(CatalogError, match=r"purchase_sword\.price is varchar, the catalogue says bigint"):
        tables.statements(SETTINGS, CATALOGUE, known)


@pytest.mark.parametrize("name", ["events", "dead_letters", "ledger", "purchases"])
def test_an_event_type_may_not_have_the_name_of_another_table(name: str) -> None:
    with pytest.raises(CatalogError, match=f"'{name}' has the name of a table; taken are events"):
        definitions.definitions(SETTINGS, catalogue_with(name=name))


@pytest.mark.parametrize("name", ["event_id", "kafka_offset", "event_date", "event_type", "headers"])
def test_a_field_may_not_have_the_name_of_a_column_of_every_event(name: str) -> None:
    with pytest.raises(CatalogError, match=rf"field wave\.{name} has the name of a column"):
        definitions.definitions(SETTINGS, catalogue_with(Field(name=name, description="d", example="e")))

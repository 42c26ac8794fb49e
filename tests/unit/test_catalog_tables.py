"""One table of all events with a view for each type: the statements that make them, and those that add to them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from questlog.catalog import definitions, tables
from questlog.catalog.definitions import PURCHASES_VIEW
from questlog.errors import CatalogError
from questlog.events import CATALOGUE, Catalogue, EventType, Field, Kind
from questlog.events.catalogue import COMMON, STAMPED
from questlog.events.schema import events_columns, view_columns
from questlog.settings import Settings

SETTINGS = Settings.load(namespace="shop")
STORED = ["events", "dead_letters", "batches", "stream_progress"]
SHARED = [
    "event_id",
    "event_time",
    "user_id",
    "schema_version",
    "received_at",
    "headers",
    "kafka_partition",
    "kafka_offset",
    "kafka_position",
]
"""The first columns that a type's table had when each type had a table."""
BOW = EventType(
    name="purchase_bow",
    title="Purchase bow",
    description="A player buys a bow; it's new.",
    fields=(
        Field(name="item", description="It's which.", example="long"),
        Field(name="price", description="How much.", kind=Kind.INTEGER, example=1, unit="gold"),
    ),
)
MOOD = Field(name="mood", description="How they felt.", since=2, example="bored")
CREATED = re.compile(r'CREATE (TABLE IF NOT EXISTS|OR REPLACE VIEW) "hive"\."shop"\."(\w+)"')
SELECTED = re.compile(r"^SELECT (.+)$", re.MULTILINE)


def existing(catalogue: Catalogue = CATALOGUE) -> dict[str, dict[str, str]]:
    """The columns of a database that lacks nothing."""
    made = {each.name: dict(each.columns) for each in definitions.definitions(catalogue)}
    for each in definitions.definitions(catalogue):
        if each.is_partitioned:
            made[each.name]["event_date"] = "date"
    return {**made, PURCHASES_VIEW: {"item": "varchar"}}


def grown(name: str, *fields: Field) -> Catalogue:
    """The catalogue, one of whose types has more fields."""
    types = (replace(each, fields=(*each.fields, *fields)) if each.name == name else each for each in CATALOGUE)
    return Catalogue(tuple(types))


def catalogue_with(*fields: Field, name: str = "wave") -> Catalogue:
    return Catalogue((EventType(name=name, title="T", description="D", fields=fields),))


def created(statements: list[str], what: str) -> list[str]:
    found = [match for text in statements if (match := CREATED.match(text))]
    return [match[2] for match in found if match[1].endswith(what)]


def statement(name: str, catalogue: Catalogue = CATALOGUE) -> str:
    """The statement that creates a table or view of an empty database."""
    return next(text for text in tables.statements(SETTINGS, catalogue) if f'"shop"."{name}" ' in text.splitlines()[0])


def selected(view: str) -> list[str]:
    match = SELECTED.search(view)
    assert match
    return [name.strip('"') for name in match[1].split(", ")]


def test_there_is_one_table_of_events_a_view_for_each_type_and_three_more_tables() -> None:
    made = definitions.definitions()

    assert [each.name for each in made] == ["events", *CATALOGUE.names, *STORED[1:]]
    assert [each.name for each in made if not each.is_view] == STORED
    assert [each.name for each in made if each.is_partitioned] == ["events", *CATALOGUE.names]


def test_table_events_has_the_type_the_shared_columns_and_each_type_s_own_once() -> None:
    columns = [name for name, _ in definitions.definitions()[0].columns]

    assert columns == ["event_type", *SHARED, *(field.name for field in CATALOGUE.fields)]
    assert len(set(columns)) == len(columns)


def test_every_column_of_every_table_is_described() -> None:
    for each in definitions.definitions():
        assert all(each.descriptions[name] for name, _ in each.columns)


def test_the_database_comes_first_then_the_tables_then_the_views_and_purchases_last() -> None:
    first, *others = tables.statements(SETTINGS)

    assert first.startswith('CREATE SCHEMA IF NOT EXISTS "hive"."shop"')
    assert "/warehouse/shop'" in first
    assert created(others[:4], "EXISTS") == STORED
    assert created(others[4:], "VIEW") == [*CATALOGUE.names, PURCHASES_VIEW]


def test_table_events_is_external_parquet_partitioned_by_day_alone() -> None:
    text = statement("events")

    assert f"external_location = '{SETTINGS.hdfs_url}/warehouse/shop/events'" in text
    assert "format = 'PARQUET'" in text
    assert "partitioned_by = ARRAY['event_date']" in text


def test_the_partition_column_is_the_last_and_the_type_is_a_column_like_others() -> None:
    text = statement("events")

    assert text.index('"event_type" varchar') < text.index('"kafka_offset" bigint') < text.index('"event_date" date')


@pytest.mark.parametrize("name", STORED[1:])
def test_a_table_without_partitions_lies_in_its_first_version(name: str) -> None:
    text = statement(name)

    assert f"external_location = '{SETTINGS.hdfs_url}/warehouse/shop/{name}/v000000-000000'" in text
    assert "partitioned_by" not in text


def test_a_table_that_lies_elsewhere_is_created_where_its_files_are() -> None:
    newest = "/warehouse/shop/batches/v000003-000001"

    found = tables.statements(SETTINGS, CATALOGUE, None, {"batches": newest})

    assert [text for text in found if f"external_location = '{SETTINGS.hdfs_url}{newest}'" in text] != []
    assert not any("/warehouse/shop/batches/v000000-000000" in text for text in found)


def test_a_view_has_the_columns_that_the_type_s_table_had_in_their_order() -> None:
    assert selected(statement("join_guild")) == [*SHARED, "guild", "event_date"]
    assert selected(statement("purchase_potion")) == [*SHARED, "item", "price", "quantity", "event_date"]
    assert selected(statement("finish_quest")) == [*SHARED, "quest", "outcome", "gold", "duration", "event_date"]


@pytest.mark.parametrize("event_type", tuple(CATALOGUE), ids=CATALOGUE.names)
def test_a_view_selects_the_rows_of_its_type_alone_and_columns_that_table_events_has(event_type: EventType) -> None:
    text = statement(event_type.name)

    assert text.endswith(f'FROM "hive"."shop"."events"\nWHERE "event_type" = \'{event_type.name}\'')
    assert selected(text) == [*(name for name, _ in view_columns(event_type)), "event_date"]
    assert {*view_columns(event_type)} <= {*events_columns(CATALOGUE)}


def test_the_view_of_purchases_is_over_every_type_that_sells() -> None:
    text = statement(PURCHASES_VIEW)

    assert text.endswith("WHERE event_type IN ('purchase_sword', 'purchase_shield', 'purchase_potion')")
    assert "coalesce(quantity, 1) AS quantity, price * coalesce(quantity, 1) AS gold" in text


def test_where_no_type_counts_its_pieces_each_purchase_is_of_one() -> None:
    assert "BIGINT '1' AS quantity" in statement(PURCHASES_VIEW, Catalogue((BOW,)))


def test_a_quote_in_a_description_does_not_end_the_comment() -> None:
    assert "COMMENT 'It''s which.'" in statement("events", Catalogue((BOW,)))


def test_nothing_is_stated_when_everything_exists() -> None:
    assert tables.statements(SETTINGS, CATALOGUE, existing()) == []


@pytest.mark.parametrize("name", STORED)
def test_a_table_that_is_missing_is_created_and_nothing_else(name: str) -> None:
    known = existing()
    del known[name]

    (text,) = tables.statements(SETTINGS, CATALOGUE, known)

    assert text.startswith(f'CREATE TABLE IF NOT EXISTS "hive"."shop"."{name}"')


def test_a_view_of_purchases_that_is_missing_is_made_though_all_else_exists() -> None:
    known = existing()
    del known[PURCHASES_VIEW]

    assert created(tables.statements(SETTINGS, CATALOGUE, known), "VIEW") == [PURCHASES_VIEW]


def test_a_tenth_type_of_known_fields_gets_its_view_and_its_place_among_purchases_and_no_table() -> None:
    view, purchases = tables.statements(SETTINGS, Catalogue((*CATALOGUE, BOW)), existing())

    assert view.startswith('CREATE OR REPLACE VIEW "hive"."shop"."purchase_bow"')
    assert "'purchase_bow'" in purchases


def test_a_catalogue_that_sells_nothing_has_no_view_of_purchases() -> None:
    found = tables.statements(SETTINGS, catalogue_with(Field(name="note", description="What.", example="x")))

    assert created(found, "VIEW") == ["wave"]


def test_a_new_field_is_one_more_column_of_events_and_of_its_type_s_view_and_of_no_other_type_s() -> None:
    alter, *views = tables.statements(SETTINGS, grown("leave_guild", MOOD), existing())

    assert alter == (
        'ALTER TABLE "hive"."shop"."events" ADD COLUMN IF NOT EXISTS "mood" varchar COMMENT \'How they felt.\''
    )
    assert [name for name in created(views, "VIEW") if name != PURCHASES_VIEW] == ["leave_guild"]
    assert selected(views[0]) == [*SHARED, "guild", "reason", "mood", "event_date"]


def test_a_field_that_another_type_has_already_changes_the_view_alone() -> None:
    reason = Field(name="reason", description="Why.", since=2, example="for fun")

    found = tables.statements(SETTINGS, grown("join_guild", reason), existing())

    assert not any(text.startswith("ALTER") for text in found)
    assert [name for name in created(found, "VIEW") if name != PURCHASES_VIEW] == ["join_guild"]


def test_several_new_fields_are_added_one_at_a_time_and_before_every_view() -> None:
    fields = (MOOD, Field(name="weather", description="Rain.", since=2, example="rain"))
    known = existing()

    stages = list(tables._stages(SETTINGS, grown("leave_guild", *fields), known, {}))

    altering = [stage for stage in stages if any(text.startswith("ALTER") for text in stage)]
    assert [len(stage) for stage in altering] == [1, 1]
    assert max(map(stages.index, altering)) < min(place for place, stage in enumerate(stages) if created(stage, "VIEW"))


def test_a_column_that_a_later_release_adds_to_another_table_is_added() -> None:
    known = existing()
    del known["batches"]["duplicates"]

    (alter,) = tables.statements(SETTINGS, CATALOGUE, known)

    assert alter.startswith('ALTER TABLE "hive"."shop"."batches" ADD COLUMN IF NOT EXISTS "duplicates" bigint COMMENT')


def test_a_column_that_changes_its_type_is_refused_with_both_types() -> None:
    known = existing()
    known["events"]["price"] = "varchar"
    with pytest.raises(CatalogError, match=r"events\.price is varchar, the catalogue says bigint"):
        tables.statements(SETTINGS, CATALOGUE, known)


@pytest.mark.parametrize("name", [*STORED, PURCHASES_VIEW])
def test_an_event_type_may_not_have_the_name_of_another_table(name: str) -> None:
    with pytest.raises(CatalogError, match=f"'{name}' has the name of a table; taken are events"):
        definitions.definitions(catalogue_with(name=name))


@pytest.mark.parametrize("name", ["event_type", *SHARED, "event_date"])
def test_a_field_may_not_have_the_name_of_a_column_of_every_event(name: str) -> None:
    kind = {field.name: field.kind for field in (*COMMON, *STAMPED)}.get(name, Kind.STRING)
    with pytest.raises(CatalogError, match=rf"field wave\.{name} has the name of a column"):
        definitions.definitions(catalogue_with(Field(name=name, description="d", kind=kind, example="e")))

from dataclasses import replace

import pytest

from questlog.errors import SettingsError
from questlog.events import CATALOGUE, Catalogue, EventType, Field, Kind
from questlog.events.catalogue import COMMON, DEFAULT_TYPE, STAMPED
from questlog.events.schema import (
    COMMON_COLUMNS,
    EVENT_TYPE,
    PRESTO_TYPES,
    SPARK_TYPES,
    events_columns,
    input_fields,
    own_columns,
    version_field,
    view_columns,
    wire_ddl,
)

NUMBER = Field(name="item", kind=Kind.NUMBER, description="x", example=1.5)


def named(name: str, *fields: Field) -> EventType:
    return EventType(name=name, title=name, description="x", fields=fields)


def versions(*since: int) -> tuple[Field, ...]:
    return tuple(
        Field(name=f"since_{version}", description="x", since=version, example="x") for version in dict.fromkeys(since)
    )


def test_the_game_has_nine_event_types_and_a_default() -> None:
    assert len(CATALOGUE.names) == 9
    assert DEFAULT_TYPE in CATALOGUE
    assert "slay_dragon" not in CATALOGUE


@pytest.mark.parametrize("field", CATALOGUE.fields, ids=lambda field: field.name)
def test_every_field_says_what_it_is_and_gives_an_example(field: Field) -> None:
    assert field.description.endswith(".")
    assert field.allowed
    assert field.example is not None


@pytest.mark.parametrize("name", ["", "Page", "9lives", "a-b", "a/b", "../x", "é", "x" * 49])
def test_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="name"):
        Catalogue((named(name),))


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(SettingsError, match="page_view"):
        Catalogue((*CATALOGUE, named("page_view")))


def test_a_field_of_two_kinds_is_refused() -> None:
    with pytest.raises(SettingsError, match="item"):
        Catalogue((*CATALOGUE, named("lose_item", NUMBER)))


def test_a_field_shared_with_the_same_kind_is_one_column() -> None:
    assert [field.name for field in CATALOGUE.fields].count("item") == 1
    assert Catalogue((*CATALOGUE, named("lose_item", replace(NUMBER, kind=Kind.STRING)))).names[-1] == "lose_item"


def test_types_are_selected_in_the_order_of_the_catalogue() -> None:
    assert CATALOGUE.select(["start_quest", "page_view"]) == ("page_view", "start_quest")
    assert CATALOGUE.select(None) == CATALOGUE.names


def test_selecting_an_unknown_type_names_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"slay_dragon.*page_view"):
        CATALOGUE.select(["slay_dragon"])


def test_every_kind_has_a_type_in_spark_and_in_presto() -> None:
    assert set(SPARK_TYPES) == set(PRESTO_TYPES) == set(Kind)


def test_the_wire_schema_has_every_field_once() -> None:
    columns = [column.split()[0] for column in wire_ddl(CATALOGUE).removesuffix("MAP<STRING, STRING>").split(", ")]

    wanted = [field.name for field in (*STAMPED, *COMMON, *CATALOGUE.fields)]
    assert columns == [*wanted, "headers"]
    assert len(set(columns)) == len(columns)


@pytest.mark.parametrize("event_type", tuple(CATALOGUE), ids=lambda event_type: event_type.name)
def test_a_types_view_has_the_common_columns_and_its_own(event_type: EventType) -> None:
    columns = view_columns(event_type)

    assert columns == (*COMMON_COLUMNS, *own_columns(event_type))
    assert [name for name, _ in own_columns(event_type)] == [field.name for field in event_type.fields]
    assert len(dict(columns)) == len(columns)
    assert input_fields(event_type) == (*COMMON, version_field(event_type), *event_type.fields)


def test_table_events_has_the_type_the_common_columns_and_every_field_once() -> None:
    columns = events_columns(CATALOGUE)

    assert columns[: len(COMMON_COLUMNS) + 1] == ((EVENT_TYPE, "varchar"), *COMMON_COLUMNS)
    assert [name for name, _ in columns[len(COMMON_COLUMNS) + 1 :]] == [field.name for field in CATALOGUE.fields]
    assert len(dict(columns)) == len(columns)


def test_a_types_version_is_that_of_its_newest_field() -> None:
    assert {event_type.version for event_type in CATALOGUE} == {1}
    assert named("grow", *versions(1, 2, 2, 3)).version == 3
    assert named("bare").version == 1
    assert named("late", *versions(2)).version == 2


def test_an_older_version_has_the_fields_of_its_time() -> None:
    grown = named("grow", *versions(1, 2, 3))
    own = [[field.name for field in input_fields(grown, version)[len(COMMON) + 1 :]] for version in (1, 2, 3)]

    assert own == [["since_1"], ["since_1", "since_2"], ["since_1", "since_2", "since_3"]]
    assert version_field(grown).allowed == "an integer from 1 to 3"
    assert version_field(named("bare")).allowed == "the integer 1"


def test_a_new_field_that_is_required_is_refused_for_old_clients_do_not_send_it() -> None:
    new = replace(versions(2)[0], required=True)
    with pytest.raises(SettingsError, match=r"grow\.since_2 is required and has since=2.*optional"):
        Catalogue((named("grow", new),))


@pytest.mark.parametrize(("given", "missing"), [((1, 3), 2), ((3,), 2), ((2, 4, 5), 3)])
def test_versions_with_a_gap_are_refused(given: tuple[int, ...], missing: int) -> None:
    with pytest.raises(SettingsError, match=f"'grow' .* no field with since={missing}"):
        Catalogue((named("grow", *versions(*given)),))


@pytest.mark.parametrize("since", [0, -1])
def test_versions_count_from_one(since: int) -> None:
    with pytest.raises(SettingsError, match=f"since={since}"):
        Catalogue((named("grow", *versions(since)),))


def test_a_pattern_that_not_every_reader_knows_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"grow\.code .*\\\\p\{Lu\}"):
        Catalogue((named("grow", Field(name="code", description="x", pattern=r"\p{Lu}+", example="A")),))

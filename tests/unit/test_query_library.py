import re

import pytest

from questlog.errors import QueryError
from questlog.events.catalogue import COMMON
from questlog.query import library
from questlog.settings import Settings

SETTINGS = Settings.load()


@pytest.fixture(params=library.names())
def query(request: pytest.FixtureRequest) -> library.Query:
    return library.describe(request.param)


def test_a_query_begins_with_the_question_it_answers(query: library.Query) -> None:
    first = query.sql.splitlines()[0]
    assert first.startswith("-- ")
    assert "?" in query.question


def test_a_query_names_its_columns(query: library.Query) -> None:
    assert query.columns


def test_a_query_is_ordered_and_has_no_second_statement(query: library.Query) -> None:
    statement = "\n".join(line for line in query.sql.splitlines() if not line.strip().startswith("--"))
    assert re.search(r"^ORDER BY ", statement, re.MULTILINE)
    assert ";" not in statement


def test_a_query_uses_every_parameter_that_it_describes_and_no_other(query: library.Query) -> None:
    assert set(re.findall(r"%\((\w+)\)s", query.sql)) == set(query.parameters)


def test_a_percent_sign_in_a_query_is_a_parameter(query: library.Query) -> None:
    assert query.sql.count("%") == query.sql.count("%(")


def test_players_without_a_name_are_known_by_the_catalogues_default(query: library.Query) -> None:
    default = next(field.default for field in COMMON if field.name == "user_id")
    assert set(re.findall(r"user_id <> '(\w+)'", query.sql)) <= {default}


def test_a_default_has_the_type_of_its_value() -> None:
    assert library.describe("top_spenders").parameters["most"].default == 10


def test_a_query_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(QueryError, match=r"'nope' is not in the library; it has batch_audit, bots, .*top_spenders"):
        library.text("nope")


def test_a_path_is_not_a_name() -> None:
    with pytest.raises(QueryError, match="not in the library"):
        library.text("../sql/guilds")


def test_a_parameter_that_a_query_does_not_take_is_refused_before_presto_is_asked() -> None:
    with pytest.raises(QueryError, match="'guilds' takes no parameter 'most'; it takes none"):
        library.run(SETTINGS, "guilds", most=3)

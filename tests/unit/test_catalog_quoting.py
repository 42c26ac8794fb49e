from hypothesis import given
from hypothesis import strategies as st

from questlog.catalog import quoting
from questlog.settings import Settings


@given(st.text())
def test_a_literal_ends_only_at_its_own_closing_quote(text: str) -> None:
    assert quoting.literal(text)[1:-1].replace("''", "").count("'") == 0


@given(st.text())
def test_an_identifier_ends_only_at_its_own_closing_quote(name: str) -> None:
    assert quoting.identifier(name)[1:-1].replace('""', "").count('"') == 0


def test_a_table_is_named_with_its_catalog_and_database() -> None:
    settings = Settings.load(namespace="shop", presto_catalog="lake")
    assert quoting.table(settings, "events") == '"lake"."shop"."events"'


def test_an_array_holds_literals() -> None:
    assert quoting.array(["a", "b'c"]) == "ARRAY['a', 'b''c']"

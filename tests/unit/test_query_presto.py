import socket

import pytest

from questlog.errors import QueryError
from questlog.query import presto
from questlog.settings import Settings


@pytest.fixture
def nowhere() -> Settings:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
    return Settings.load(presto_url=address)


def test_presto_that_is_down_is_named_with_the_way_to_start_it(nowhere: Settings) -> None:
    with pytest.raises(QueryError, match=f"does not answer at {nowhere.presto_url}.*`questlog up`"):
        presto.execute(nowhere, "SELECT 1")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_no_parameter(nowhere: Settings, number: float) -> None:
    with pytest.raises(QueryError, match=r"parameter x is (nan|inf): a number has to be finite"):
        presto.execute(nowhere, "SELECT %(x)s", {"x": number})


@pytest.mark.parametrize("value", [{"a": 1}, b"a", [{"a": 1}], object()])
def test_a_value_that_has_no_literal_is_no_parameter(nowhere: Settings, value: object) -> None:
    with pytest.raises(QueryError, match=r"parameter x is a \w+: give text, numbers, dates, or a list of them"):
        presto.execute(nowhere, "SELECT %(x)s", {"x": value})


def test_a_parameter_that_the_statement_lacks_is_named_with_those_given(nowhere: Settings) -> None:
    with pytest.raises(QueryError, match=r"asks for parameter 'day'; given are \['days'\]"):
        presto.execute(nowhere, "SELECT %(day)s", {"days": 3})

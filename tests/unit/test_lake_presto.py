import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from questlog.errors import QueryError
from questlog.lake import presto, retry
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


def failed(name: str) -> dict[str, Any]:
    error = {"message": "it says why", "errorName": name, "errorType": "INTERNAL_ERROR"}
    return {"id": "q", "stats": {"state": "FAILED"}, "error": error}


ONE = {"id": "q", "stats": {"state": "FINISHED"}, "columns": [{"name": "one", "type": "integer"}], "data": [[1]]}


@pytest.fixture
def answers() -> Iterator[tuple[Settings, list[dict[str, Any]]]]:
    """A server that answers each statement as Presto does, with the next of these."""
    given: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps(given.pop(0)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_DELETE(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Settings.load(presto_url=f"http://127.0.0.1:{server.server_port}"), given
        server.shutdown()
        thread.join()


def test_a_presto_that_has_no_worker_yet_is_asked_again(
    answers: tuple[Settings, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "PAUSE", 0.01)
    settings, given = answers
    given += [failed("NO_NODES_AVAILABLE"), failed("NO_NODES_AVAILABLE"), ONE]

    assert presto.execute(settings, "SELECT 1 AS one").rows == [(1,)]


def test_a_presto_that_gets_no_worker_is_asked_no_more_after_a_while(
    answers: tuple[Settings, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presto, "SETTLES_SECONDS", 0.0)
    settings, given = answers
    given += [failed("NO_NODES_AVAILABLE"), failed("NO_NODES_AVAILABLE")]

    with pytest.raises(QueryError, match="NO_NODES_AVAILABLE"):
        presto.execute(settings, "SELECT 1 AS one")


def test_a_statement_that_fails_otherwise_is_not_run_again(answers: tuple[Settings, list[dict[str, Any]]]) -> None:
    settings, given = answers
    given += [failed("GENERIC_INTERNAL_ERROR"), ONE]

    with pytest.raises(QueryError, match="GENERIC_INTERNAL_ERROR"):
        presto.execute(settings, "SELECT 1 AS one")

    assert given == [ONE]

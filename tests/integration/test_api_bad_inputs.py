"""What does not belong does not get in: the table of `bad_inputs`, sent as raw bytes to the API on its real server."""

import json
import socket
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import bad_inputs
import pytest
import requests
from bad_inputs import CASES, SECRET, Case

from questlog.api import patience, server
from questlog.settings import Settings
from questlog.transport import reader, topics

AT_ONCE = 1.0  # seconds within which everybody but a slow client is answered
TRACES = ("Traceback", 'File "', ".py", "questlog.")
BATCHES = 10


@pytest.fixture(scope="module")
def api(settings: Settings) -> Iterator[Settings]:
    """One API server for all cases, in a namespace of its own, with limits as they are unless set."""
    port = server.free_port()
    place = {"api_port": port, "api_url": f"http://{settings.host}:{port}"}
    here = settings.in_namespace(f"test_{uuid.uuid4().hex[:12]}", **place, ack_timeout=5, read_timeout=1, api_threads=4)
    topics.create_topic(here)
    with server.running(here):
        answer_to(here, bad_inputs.get("/page_view"))  # the first one waits for the connection to Kafka
        yield here
    topics.delete_topic(here)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str
    seconds: float


def answer_to(api: Settings, request: bytes, *, pause: float = 0, cut: bool = False) -> Answer:
    """What is answered to these bytes, all at once or with a pause after each, until the server closes."""
    begun = time.monotonic()
    received = b""
    with socket.create_connection((api.host, api.api_port), timeout=30) as connection:
        with suppress(ConnectionError):  # it may answer and close before it was sent everything
            for part in [bytes([each]) for each in request] if pause else [request]:
                connection.sendall(part)
                time.sleep(pause)
            if cut:
                connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            while data := connection.recv(65_536):
                received += data
    seconds = time.monotonic() - begun
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
    return Answer(int(first.split()[1]) if first else 0, headers, body.decode(), seconds)


def is_well(api: Settings) -> bool:
    return requests.get(f"{api.api_url}/health", timeout=30).status_code == 200


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_answered_at_once_as_the_table_says(api: Settings, case: Case) -> None:
    answer = answer_to(api, case.request, cut=case.cut)

    assert answer.status == case.status, answer.body
    assert answer.seconds < AT_ONCE
    assert not [word for word in case.words if word not in answer.body]
    assert not [trace for trace in TRACES if trace in answer.body]
    if case.by_server:
        assert answer.body == ""
    else:
        assert answer.headers["content-type"] == "application/json"
        assert isinstance(json.loads(answer.body), dict)
    assert is_well(api)


def test_the_table_names_each_case_once() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60


def test_every_limit_is_named_with_its_setting_and_its_value(api: Settings) -> None:
    limits = ("max_body_bytes", "max_batch_events", "max_query_bytes", "max_header_count", "max_header_bytes")

    for limit in (*limits, "max_fields", "max_json_depth"):
        (case, *_) = [case for case in CASES if limit in case.words]
        assert f"{getattr(api, limit)}" in answer_to(api, case.request).body


def test_one_id_sent_ten_thousand_times_is_accepted_each_time(api: Settings) -> None:
    batch = bad_inputs.lines(*[{"event_type": "page_view", "event_id": "again"}] * 1000)

    for _ in range(BATCHES):
        answer = answer_to(api, batch)
        assert (answer.status, json.loads(answer.body)) == (201, {"accepted": 1000})


def test_slow_clients_are_sent_away_and_hold_nobody_up(api: Settings) -> None:
    body = bad_inputs.post("/purchase_sword", "", length=1000)
    half = b"POST /purchase_sword HTTP/1.1\r\nHost: game\r\n"
    bound = patience.longest(api) + 2 * api.read_timeout
    threads = api.api_workers * api.api_threads

    def wait_for_answer(request: bytes) -> tuple[int, float]:
        """A client that leaves its connection open and sends no more."""
        begun = time.monotonic()
        with socket.create_connection((api.host, api.api_port), timeout=2 * bound) as connection:
            connection.sendall(request)
            received = connection.recv(1000)
        return int(received.split()[1]) if received else 0, time.monotonic() - begun

    with ThreadPoolExecutor(threads + 4) as pool:
        silent = [pool.submit(wait_for_answer, body) for _ in range(threads)]
        halves = [pool.submit(wait_for_answer, request) for request in (half, b"GET / HT", b"")]
        slow = pool.submit(answer_to, api, body + b" " * 1000, pause=0.02)

        for client in halves:  # the server's own limit, for headers
            status, seconds = client.result()
            assert (status, seconds < 3 * api.read_timeout) == (0, True)
        cut = [client.result() for client in silent]
        assert {status for status, _ in cut} <= {400, 408}  # the first is for those that were cut before their turn
        assert 408 in {status for status, _ in cut}
        assert max(seconds for _, seconds in cut) < bound
        assert answer_to(api, bad_inputs.get("/page_view")).status == 201
        assert slow.result().status in (0, 408)


def test_what_was_refused_and_what_is_secret_is_neither_in_kafka_nor_in_the_log(api: Settings) -> None:
    for case in CASES:
        if SECRET.encode() in case.request:
            assert answer_to(api, case.request).status == 201
    records = list(reader.read_all(api))
    log = (api.logs_dir / f"api-{api.api_port}.log").read_text()

    assert len(records) > 2
    for record in records:
        event = json.loads(record.value or b"")
        assert set(event["headers"]) <= {"host", "user-agent", "x-client-version", "x-request-id"}
        assert SECRET.encode() not in record.value
        assert len(event["headers"].get("user-agent", "")) <= 256
    assert '"path":"/page_view"' in log
    for hidden in (SECRET, "DROP TABLE", "Traceback"):
        assert hidden not in log

"""The API on its real server, with a real Kafka behind it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from questlog.api import counters, server
from questlog.errors import PortTaken, ServiceDied
from questlog.generate.load import load
from questlog.generate.model import simulate
from questlog.generate.send import send
from questlog.generate.world import World
from questlog.settings import Settings
from questlog.transport import reader
from waiting import eventually

SWORD = {"item": "iron", "price": 120}
LINES = "".join(json.dumps({"event_type": "purchase_sword", **SWORD, "price": price}) + "\n" for price in range(100))
NDJSON = {"Content-Type": "application/x-ndjson"}
DEADLINE = 30.0


@pytest.fixture
def here(fresh: Settings) -> Settings:
    """On a port of its own, and patient with Kafka: these tests are of what arrives, on a machine that may be busy."""
    port = server.free_port()
    url = f"http://{fresh.host}:{port}"
    return fresh.in_namespace(fresh.namespace, api_port=port, api_url=url, ack_timeout=20)


@pytest.fixture
def api(here: Settings) -> Iterator[Settings]:
    with server.running(here):
        yield here


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def events(settings: Settings) -> dict[str, dict[str, Any]]:
    """The topic's events, by their id; fails when an id is there twice."""
    found = [json.loads(record.value or b"") for record in reader.read_all(settings)]
    assert max(Counter(event["event_id"] for event in found).values(), default=1) == 1
    return {event["event_id"]: event for event in found}


def apache_bench(settings: Settings, *arguments: str) -> dict[str, int]:
    """Numbers that ab reports, by their name."""
    path, *options = reversed(arguments)
    command = ["ab", "-q", *reversed(options), f"{settings.api_url}{path}"]
    report = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    return {name: int(number) for name, number in re.findall(r"^([\w -]+?):\s+(\d+)\b", report, re.MULTILINE)}


def test_what_was_accepted_by_query_form_or_json_is_in_kafka(api: Settings, session: requests.Session) -> None:
    guild = "Ωméga 😀 \"'\\ &=+%"
    url = f"{api.api_url}/join_guild"
    answers = [
        session.get(url, params={"guild": guild}),
        session.post(url, data={"guild": guild}),
        session.post(url, json={"guild": guild}),
    ]

    assert [answer.status_code for answer in answers] == [201] * 3
    found = events(api)
    assert set(found) == {answer.json()["event_id"] for answer in answers}
    assert {event["guild"] for event in found.values()} == {guild}


def test_a_batch_is_in_kafka_line_by_line(api: Settings, session: requests.Session) -> None:
    answer = session.post(f"{api.api_url}/events", data=LINES, headers=NDJSON)

    assert answer.json() == {"accepted": 100}
    assert sorted(event["price"] for event in events(api).values()) == list(range(100))


def test_nothing_of_a_batch_that_was_cut_off_is_in_kafka(api: Settings, session: requests.Session) -> None:
    head = f"POST /events HTTP/1.1\r\nHost: here\r\nContent-Type: {NDJSON['Content-Type']}\r\n"
    cut = f"{head}Content-Length: {len(LINES) + 1}\r\n\r\n{LINES}"
    cut_in_chunks = f"{head}Transfer-Encoding: chunked\r\n\r\n{len(LINES):x}\r\n{LINES}\r\n"

    for sent, status in ((cut, b"400"), (cut_in_chunks, b"411")):
        with socket.create_connection((api.host, api.api_port), timeout=DEADLINE) as connection:
            connection.sendall(sent.encode())
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1000).split()[1] == status
    assert session.post(f"{api.api_url}/events", data=iter([LINES.encode()]), headers=NDJSON).status_code == 411
    assert events(api) == {}


def test_nothing_of_a_refused_batch_is_in_kafka(api: Settings, session: requests.Session) -> None:
    answer = session.post(f"{api.api_url}/events", data=LINES + "{}\n", headers=NDJSON)

    assert answer.status_code == 400
    assert answer.json()["problems"][0]["line"] == 101
    assert events(api) == {}


def test_the_counters_tell_what_was_accepted_and_refused(api: Settings, session: requests.Session) -> None:
    session.get(f"{api.api_url}/")
    session.post(f"{api.api_url}/events", data=LINES, headers=NDJSON)
    session.get(f"{api.api_url}/slay_dragon")

    assert counters.accepted(api) == {"page_view": 1, "purchase_sword": 100}
    assert counters.refused(api) == {"unknown_type": 1}
    assert 'event_type="purchase_sword"} 100.0' in session.get(f"{api.api_url}/metrics").text


def test_apache_bench_keeps_its_connections_and_loses_nothing(api: Settings, tmp_path: Path) -> None:
    body = tmp_path / "sword.json"
    body.write_text(json.dumps(SWORD))

    kept = apache_bench(
        api, "-k", "-n", "500", "-c", "16", "-p", str(body), "-T", "application/json", "/purchase_sword"
    )
    closed = apache_bench(api, "-n", "100", "-c", "8", "/purchase_shield?item=kite&price=7")

    assert kept["Complete requests"] == kept["Keep-Alive requests"] == 500
    assert closed["Complete requests"] == 100
    for report in (kept, closed):
        assert report["Failed requests"] == 0
        assert "Non-2xx responses" not in report
    assert counters.accepted(api) == {"purchase_sword": 500, "purchase_shield": 100}
    assert len(events(api)) == 600


def test_a_body_that_is_too_large_is_refused_without_closing_the_door(api: Settings, session: requests.Session) -> None:
    answer = session.post(f"{api.api_url}/events", data=b"x" * (api.max_body_bytes * 8), headers=NDJSON)

    assert answer.status_code == 413
    assert session.get(f"{api.api_url}/").status_code == 201


def test_with_a_key_players_and_apache_bench_can_write_and_nobody_else(here: Settings) -> None:
    keyed = here.in_namespace(here.namespace, api_keys="the-key-of-this-test,another-key-of-it")
    world = World(players=5, events=60)
    with server.running(keyed):
        sent = send(keyed, simulate(world), publish=lambda _: None)
        (result,) = load(keyed, event_type="page_view", requests=20, concurrency=4)
        stranger = requests.get(f"{keyed.api_url}/page_view", timeout=DEADLINE)
        log = (keyed.logs_dir / f"api-{keyed.api_port}.log").read_text()

    assert (sent.accepted, result.accepted, stranger.status_code) == (60, 20, 401)
    assert len(events(keyed)) == 80
    assert counters.refused(keyed) == {"unauthorized": 1}
    assert "the-key-of-this-test" not in log


def test_the_rate_limit_holds_over_all_workers_together(here: Settings) -> None:
    limited = here.in_namespace(here.namespace, rate_limit=20, api_workers=3)
    with server.running(limited):
        begun = time.monotonic()
        report = apache_bench(limited, "-n", "600", "-c", "12", "/page_view")
        seconds = time.monotonic() - begun

    accepted = counters.accepted(limited)["page_view"]
    assert report["Complete requests"] == 600
    assert report["Non-2xx responses"] == 600 - accepted
    assert 20 <= accepted <= 20 + 20 * seconds
    assert counters.refused(limited) == {"rate": 600 - accepted}


def test_prometheus_can_read_what_all_workers_did(api: Settings, session: requests.Session) -> None:
    for _ in range(20):
        requests.get(f"{api.api_url}/", timeout=DEADLINE)
    text = session.get(f"{api.api_url}/metrics").text

    samples = {each.name: each.value for family in text_string_to_metric_families(text) for each in family.samples}
    assert samples["questlog_accepted_total"] == samples["questlog_acknowledgement_seconds_count"] == 20
    assert samples["questlog_request_seconds_count"] >= 20
    assert samples["questlog_waiting"] == 0


def test_every_request_answered_before_a_stop_is_in_kafka(here: Settings) -> None:
    answered: list[str] = []
    cut: list[Exception] = []

    def play() -> None:
        with requests.Session() as session:
            session.trust_env = False
            try:
                while True:
                    answered.append(session.get(f"{here.api_url}/", timeout=DEADLINE).json()["event_id"])
            except requests.RequestException as error:
                cut.append(error)

    players = [threading.Thread(target=play) for _ in range(8)]
    with server.running(here):
        for player in players:
            player.start()
        eventually(lambda: len(answered) > 50, deadline=DEADLINE)
    for player in players:
        player.join(DEADLINE)

    assert len(cut) == 8
    assert set(answered) <= set(events(here))
    assert counters.accepted(here)["page_view"] >= len(answered)


def test_a_killed_worker_is_replaced_and_its_counts_stay(api: Settings, session: requests.Session) -> None:
    session.get(f"{api.api_url}/")
    workers = _workers_of(api)
    os.kill(workers[0], signal.SIGKILL)
    eventually(lambda: len(set(_workers_of(api)) - {workers[0]}) == len(workers), deadline=DEADLINE)
    eventually(lambda: all(_listens(worker, api) for worker in _workers_of(api)), deadline=DEADLINE)

    def is_answered() -> bool:
        try:
            return requests.get(f"{api.api_url}/", timeout=DEADLINE).status_code == 201
        except requests.ConnectionError:  # it was in the killed worker's hands
            return False

    eventually(is_answered, deadline=DEADLINE)
    assert counters.accepted(api)["page_view"] >= 2


def test_the_workers_of_a_killed_server_end_and_free_the_port(here: Settings) -> None:
    with server.running(here):
        workers = _workers_of(here)
        os.kill(psutil.Process(workers[0]).ppid(), signal.SIGKILL)
        eventually(lambda: not any(psutil.pid_exists(worker) for worker in workers), deadline=DEADLINE)

        with server.running(here):
            assert requests.get(f"{here.api_url}/", timeout=DEADLINE).status_code == 201


def test_a_port_that_is_taken_is_refused(api: Settings) -> None:
    with pytest.raises(PortTaken, match=str(api.api_port)), server.running(api):
        pass


def test_a_server_that_cannot_start_is_quoted(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(ServiceDied, match="ended with 1"), server.running(here):
        pass


def test_without_kafka_the_server_answers_at_once_and_says_so(here: Settings, tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{server.free_port()}"
    cut_off = here.in_namespace(here.namespace, kafka_bootstrap=nowhere, ack_timeout=0.8, api_workers=1)
    source = "from questlog.settings import Settings; from questlog.api.server import serve; serve(Settings.load())"
    child = subprocess.Popen([sys.executable, "-c", source], env=cut_off.environment(), stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: _is_listening(cut_off), deadline=DEADLINE)
        for path, status in (("/", 503), ("/health", 503), ("/slay_dragon", 404)):
            answer = requests.get(f"{cut_off.api_url}{path}", timeout=DEADLINE)
            assert (answer.status_code, answer.elapsed.total_seconds() < 1) == (status, True)
            assert answer.json()["error"]
    finally:
        child.terminate()
        child.wait(DEADLINE)


def _workers_of(settings: Settings) -> list[int]:
    """The processes of the API server that this process started on the settings' port."""
    port = str(settings.api_port)
    (main,) = [child for child in psutil.Process().children() if child.environ().get("QUESTLOG_API_PORT") == port]
    return sorted(worker.pid for worker in main.children() if worker.status() != psutil.STATUS_ZOMBIE)


def _listens(worker: int, settings: Settings) -> bool:
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == settings.api_port
        for connection in psutil.Process(worker).net_connections()
    )


def _is_listening(settings: Settings) -> bool:
    try:
        requests.get(f"{settings.api_url}/event-types", timeout=DEADLINE)
    except requests.ConnectionError:
        return False
    return True

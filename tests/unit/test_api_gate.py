"""Who may write, how often, and with how much."""

import multiprocessing
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from api_under_test import NDJSON, SWORD, Api

from questlog.api import counters
from questlog.api.throttle import Throttle
from questlog.settings import KEY_HEADER, Settings

KEYS = ("first-key-of-the-game", "second-key-of-the-game")
LINE = '{"event_type": "page_view"}\n'
READING = ("/health", "/metrics", "/event-types", "/openapi.json", "/docs/")


@pytest.fixture
def locked(tmp_path: Path) -> Api:
    return Api(tmp_path, api_keys=",".join(KEYS))


@pytest.mark.parametrize("key", KEYS)
def test_each_of_the_keys_lets_a_client_write(locked: Api, key: str) -> None:
    headers = {KEY_HEADER: key}

    assert locked.client.get("/page_view", headers=headers).status_code == 201
    assert locked.client.post("/purchase_sword", json=SWORD, headers=headers).status_code == 201
    assert locked.client.post("/events", data=LINE, content_type=NDJSON, headers=headers).status_code == 201


@pytest.mark.parametrize("key", [None, "", KEYS[0][:-1], KEYS[0] + "x", ",".join(KEYS), "\xff" * 16, KEYS[0].upper()])
def test_any_other_key_is_refused_and_not_repeated(locked: Api, key: str | None) -> None:
    headers = {} if key is None else {KEY_HEADER: key}

    for answer in (
        locked.client.get("/", headers=headers),
        locked.client.get("/page_view", headers=headers),
        locked.client.post("/events", data=LINE, content_type=NDJSON, headers=headers),
    ):
        assert answer.status_code == 401
        assert KEY_HEADER in answer.headers["WWW-Authenticate"]
        assert KEY_HEADER in answer.get_json()["error"]
        assert not key or key not in answer.text
    assert not locked.published
    assert counters.refused(locked.settings) == {"unauthorized": 3}


@pytest.mark.parametrize("path", READING)
def test_reading_needs_no_key_and_has_no_limit(tmp_path: Path, path: str) -> None:
    api = Api(tmp_path, api_keys=KEYS[0], rate_limit=1)

    assert [api.client.get(path).status_code for _ in range(5)] == [200] * 5


def test_a_key_is_neither_stored_nor_logged(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    api = Api(tmp_path, api_keys=KEYS[0])
    api.client.get("/", headers={KEY_HEADER: KEYS[0]})
    api.client.get("/", headers={KEY_HEADER: "wrong-key-of-the-game"})

    api.client.get("/last")
    logged = ""
    deadline = time.monotonic() + 30
    while "/last" not in logged:
        assert time.monotonic() < deadline
        logged += "".join(capfd.readouterr())
        time.sleep(0.01)
    assert len(api.published) == 1
    for secret in (KEYS[0], "wrong-key"):
        assert secret not in logged
        assert secret.encode() not in api.published[0].value


def test_a_client_that_writes_too_often_is_told_when_to_come_again(tmp_path: Path) -> None:
    api = Api(tmp_path, rate_limit=3)
    answers = [api.client.get("/") for _ in range(10)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert 3 <= len(api.published) <= 5  # a few more were earned if it took long
    assert len(refused) == 10 - len(api.published)
    assert refused[0].headers["Retry-After"] == "1"
    assert "at most 3" in refused[0].get_json()["error"]
    assert "rate_limit" in refused[0].get_json()["error"]
    assert counters.refused(api.settings) == {"rate": len(refused)}


def test_each_address_has_a_limit_of_its_own_whatever_its_headers_say(tmp_path: Path) -> None:
    api = Api(tmp_path, rate_limit=1)

    def send(address: str, forwarded: str = "") -> int:
        environment = {"REMOTE_ADDR": address}
        return api.client.get("/", headers={"X-Forwarded-For": forwarded}, environ_overrides=environment).status_code

    assert [send("192.0.2.1"), send("192.0.2.2")] == [201, 201]
    assert send("192.0.2.1", forwarded="192.0.2.3") == 429


def test_without_a_limit_nothing_is_kept_of_clients(tmp_path: Path) -> None:
    api = Api(tmp_path)

    assert [api.client.get("/").status_code for _ in range(100)] == [201] * 100
    assert not list(api.settings.metrics_dir.glob("clients*"))


def _write_for_a_while(settings: Settings, taken: "multiprocessing.Queue[tuple[int, float, float]]") -> None:
    throttle, count, begun = Throttle(settings), 0, time.monotonic()
    while time.monotonic() < begun + 1.5:
        count += throttle.wait("192.0.2.1") == 0
    taken.put((count, begun, time.monotonic()))


def test_the_limit_holds_over_all_processes_together(tmp_path: Path) -> None:
    settings = Settings.load(data_dir=tmp_path, rate_limit=50)
    context = multiprocessing.get_context("spawn")
    taken: multiprocessing.Queue[tuple[int, float, float]] = context.Queue()
    writers = [context.Process(target=_write_for_a_while, args=(settings, taken)) for _ in range(3)]
    for writer in writers:
        writer.start()
    counts, begun, ended = zip(*(taken.get(timeout=120) for _ in writers), strict=True)
    for writer in writers:
        writer.join(60)

    # a second's worth at once, then 50 a second for as long as anyone wrote
    assert 50 <= sum(counts) <= 51 + 50 * (max(ended) - min(begun))
    assert [writer.exitcode for writer in writers] == [0, 0, 0]


def test_a_clock_that_was_set_back_locks_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now: list[int] = [time.time_ns()]
    monkeypatch.setattr(time, "time_ns", lambda: now[0])
    throttle = Throttle(Settings.load(data_dir=tmp_path, rate_limit=1))
    assert [throttle.wait("ada"), throttle.wait("ada")] == [0, 1]

    now[0] -= 3_600 * 10**9
    throttle.wait("ada")
    now[0] += 2 * 10**9

    assert throttle.wait("ada") == 0


def _too_much(limit: str) -> Callable[[Api], object]:
    return {
        "max_query_bytes": lambda api: api.client.get("/?page=" + "x" * 252),
        "max_header_count": lambda api: api.client.get("/", headers={f"X-{n}": "1" for n in range(8)}),
        "max_header_bytes": lambda api: api.client.get("/", headers={"X-Long": "x" * 1024}),
        "max_fields": lambda api: api.client.get("/?" + "&".join(f"f{n}=" for n in range(9))),
        "max_json_depth": lambda api: api.client.post("/", json={"page": [[]]}),
        "max_body_bytes": lambda api: api.client.post("/", data=b" " * 1025, content_type="application/json"),
        "max_batch_events": lambda api: api.client.post("/events", data=LINE * 3, content_type=NDJSON),
    }[limit]


@pytest.mark.parametrize(
    ("limit", "value", "status"),
    [
        ("max_query_bytes", 256, 414),
        ("max_header_count", 8, 431),
        ("max_header_bytes", 1024, 431),
        ("max_fields", 8, 400),
        ("max_json_depth", 2, 400),
        ("max_body_bytes", 1024, 413),
        ("max_batch_events", 2, 413),
    ],
)
def test_a_limit_is_a_setting_and_its_refusal_names_both(tmp_path: Path, limit: str, value: int, status: int) -> None:
    send = _too_much(limit)
    answer = send(Api(tmp_path, **{limit: value}))

    assert answer.status_code == status
    assert re.search(rf"\b{value}\b.*\(setting {limit}\)", answer.get_json()["error"])
    assert send(Api(tmp_path)).status_code != status or status == 400


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "GZIP", "identity, gzip"])
def test_a_compressed_body_is_refused_and_never_inflated(tmp_path: Path, coding: str) -> None:
    api = Api(tmp_path)
    answer = api.client.post("/purchase_sword", json=SWORD, headers={"Content-Encoding": coding})

    assert answer.status_code == 415
    assert coding.lower() in answer.get_json()["error"]
    assert not api.published

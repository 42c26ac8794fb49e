"""What can be seen of the API while it runs: ids of requests, its log, its metrics."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from api_under_test import NDJSON, SWORD, Api
from prometheus_client.parser import text_string_to_metric_families

from questlog.api import counters, shared
from questlog.settings import Settings

SECRETS = {"Authorization": "Bearer swordfish", "Cookie": "session=swordfish", "X-API-Key": "swordfish"}
HOLD = """
import sys, time
from questlog.api.counters import Counters
from questlog.settings import Settings
mine = Counters(Settings.load(data_dir=sys.argv[1]))
mine.count_accepted("page_view", 7)
with mine.publishing():
    print("waiting", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def api(tmp_path: Path) -> Api:
    return Api(tmp_path)


class Log:
    """What the API logged in this test; lines are written behind the requests, in their order."""

    def __init__(self, folder: Path, captured: pytest.CaptureFixture[str]) -> None:
        self._captured, self._client = captured, Api(folder).client
        self.lines()  # whatever earlier tests left

    def lines(self) -> list[dict[str, Any]]:
        self._client.get("/end")
        deadline, out = time.monotonic() + 30, ""
        while '"/end"' not in out:
            assert time.monotonic() < deadline
            out += self._captured.readouterr().out
            time.sleep(0.01)
        return [json.loads(line) for line in out.splitlines()][:-1]


@pytest.fixture
def log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Log:
    return Log(tmp_path / "log", capfd)


def sample(settings: Settings, name: str, **labels: str) -> float | None:
    text = counters.exposition(settings).decode()
    found = [each for family in text_string_to_metric_families(text) for each in family.samples if each.name == name]
    return next((each.value for each in found if each.labels == labels), None)


def test_the_id_of_a_request_is_answered_and_stored(api: Api) -> None:
    answer = api.client.get("/", headers={"X-Request-Id": "shop-17.a:b_c"})

    assert answer.headers["X-Request-Id"] == "shop-17.a:b_c"
    assert json.loads(api.published[0].value)["headers"]["x-request-id"] == "shop-17.a:b_c"


@pytest.mark.parametrize("given", [None, "", "x" * 129, "a b", "'; DROP TABLE events; --", "\xff", "a\tb", "{}"])
def test_a_request_without_a_sane_id_gets_one(api: Api, given: str | None) -> None:
    answer = api.client.post(
        "/events",
        data='{"event_type": "page_view"}\n' * 2,
        content_type=NDJSON,
        headers={} if given is None else {"X-Request-Id": given},
    )

    made = answer.headers["X-Request-Id"]
    assert len(made) == 36
    assert made != given
    assert {json.loads(record.value)["headers"]["x-request-id"] for record in api.published} == {made}


def test_a_refusal_has_its_id_too(api: Api) -> None:
    for path in ("/purchase_sword", "/slay_dragon", "/health"):
        assert api.client.get(path, headers={"X-Request-Id": "mine"}).headers["X-Request-Id"] == "mine"


def test_every_request_is_one_line_of_json(api: Api, log: Log) -> None:
    api.client.post("/purchase_sword", json=SWORD, headers={"X-Request-Id": "mine"})
    api.client.post("/events", data='{"event_type": "page_view"}\n' * 3, content_type=NDJSON)
    api.client.get("/purchase_sword?item=spoon")
    api.without_kafka().client.get("/")

    accepted, batch, refused, unavailable = log.lines()
    assert accepted.items() >= {"level": "info", "status": 201, "event_type": "purchase_sword", "accepted": 1}.items()
    assert accepted.items() >= {"request_id": "mine", "method": "POST", "path": "/purchase_sword"}.items()
    assert accepted["client"] == "127.0.0.1"
    assert accepted["ms"] >= 0
    assert accepted["time"].endswith("Z")
    assert (batch["event_type"], batch["accepted"], "reason" in batch) == (None, 3, False)
    assert (refused["level"], refused["accepted"], refused["reason"]) == ("warning", 0, "invalid")
    assert (unavailable["level"], unavailable["status"], unavailable["reason"]) == ("error", 503, "unavailable")


def test_nothing_that_a_client_wrote_but_method_path_and_id_is_logged(
    api: Api, log: Log, capfd: pytest.CaptureFixture[str]
) -> None:
    api.client.get("/join_guild?guild=swordfish", headers=SECRETS)
    api.client.post("/join_guild", json={"guild": "swordfish"}, headers=SECRETS)
    api.client.post("/join_guild", data="{swordfish", content_type="application/json", headers=SECRETS)
    api.client.get("/join_guild?swordfish", headers={**SECRETS, "User-Agent": "swordfish"})

    logged = log.lines()
    assert len(logged) == 4
    assert "swordfish" not in json.dumps(logged)
    assert "swordfish" not in capfd.readouterr().err
    for record in api.published:
        assert set(json.loads(record.value)["headers"]) <= {"host", "user-agent", "x-request-id"}


def test_a_path_cannot_forge_a_line(api: Api, log: Log) -> None:
    api.client.get('/x%0a{"level":"info"}' + "y" * 500)

    (line,) = log.lines()
    assert line["path"].startswith('/x\n{"level"')
    assert len(line["path"]) == 200


def test_a_log_that_cannot_be_written_changes_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = open("/dev/full", "w", buffering=1)  # noqa: SIM115  # closing it fails, too
    monkeypatch.setattr(sys, "stdout", full)
    api = Api(tmp_path)
    assert [api.client.get("/").status_code for _ in range(100)] == [201] * 100
    assert len(api.published) == 100
    with suppress(OSError):
        full.close()


def test_a_process_that_ends_has_written_every_line(tmp_path: Path) -> None:
    ask = "for number in range(500): client.get('/', headers={'X-Request-Id': str(number)})"
    program = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from api_under_test import Api
client = Api(Path({str(tmp_path)!r})).client
{ask}
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=300)

    assert [json.loads(line)["request_id"] for line in done.stdout.splitlines()] == [str(n) for n in range(500)]


def test_the_log_can_be_turned_off_and_says_nothing_of_health(tmp_path: Path, log: Log) -> None:
    Api(tmp_path, api_access_log=False).client.get("/")
    Api(tmp_path).client.get("/health")

    assert log.lines() == []


def test_an_unexpected_error_says_nothing_of_the_inside_also_in_debug_mode(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    log: Log,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    api = Api(tmp_path)
    api.trouble = RuntimeError("the password is swordfish")
    answer = api.client.post("/purchase_sword", json=SWORD)

    assert (answer.status_code, answer.mimetype) == (500, "application/json")
    assert list(answer.get_json()) == ["error"]
    for inside in ("swordfish", "RuntimeError", "Traceback", ".py", "questlog"):
        assert inside not in answer.text
    (line,) = log.lines()
    assert (line["level"], line["reason"]) == ("error", "fault")
    assert answer.headers["X-Request-Id"] in caplog.text  # with the stack trace, for whoever runs the server
    assert counters.refused(api.settings) == {"fault": 1}


def test_durations_are_in_cumulative_buckets(api: Api) -> None:
    for _ in range(3):
        api.client.get("/")
    api.without_kafka().client.get("/")

    for name, count in (("questlog_acknowledgement_seconds", 3), ("questlog_request_seconds", 4)):
        buckets = [sample(api.settings, f"{name}_bucket", le=le) for le in ("0.001", "0.01", "0.1", "1.0", "+Inf")]
        assert None not in buckets
        assert buckets == sorted(buckets)
        assert buckets[-1] == sample(api.settings, f"{name}_count") == count
        assert 0 < sample(api.settings, f"{name}_sum") < 10


def test_requests_that_wait_for_kafka_are_a_gauge(api: Api) -> None:
    mine = counters.Counters(api.settings)
    with mine.publishing(), mine.publishing():
        assert sample(api.settings, "questlog_waiting") == 2
    assert sample(api.settings, "questlog_waiting") == 0


def test_a_killed_process_leaves_its_counts_and_takes_its_gauge(tmp_path: Path) -> None:
    settings = Settings.load(data_dir=tmp_path)
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "waiting\n"
        assert sample(settings, "questlog_waiting") == 1
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)

    assert counters.accepted(settings) == {"page_view": 7}
    assert not sample(settings, "questlog_waiting")


def test_a_reset_leaves_the_gauge_alone(api: Api) -> None:
    mine = counters.Counters(api.settings)
    with mine.publishing():
        counters.reset(api.settings)
        assert sample(api.settings, "questlog_waiting") == 1


def test_rates_are_of_this_second(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counters, "READING_APART", 0.2)
    api.client.post("/events", data='{"event_type": "page_view"}\n' * 1000, content_type=NDJSON)
    assert counters.rates(api.settings) == counters.Rates(0, 0)

    with ThreadPoolExecutor(1) as pool:
        rates = pool.submit(counters.rates, api.settings)
        while not rates.done():
            api.client.get("/slay_dragon")

    assert rates.result().accepted_per_second == 0
    assert rates.result().refused_per_second > 0


def test_a_file_that_is_being_made_is_left_out(tmp_path: Path) -> None:
    settings = Settings.load(data_dir=tmp_path)
    settings.metrics_dir.mkdir(parents=True)
    (settings.metrics_dir / f"{shared.COUNTER}_1.db").touch()

    assert counters.accepted(settings) == {}

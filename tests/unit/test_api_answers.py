import json
from pathlib import Path

import pytest
from api_under_test import NDJSON, SWORD, Api
from werkzeug.test import TestResponse

from questlog.api import counters
from questlog.events import CATALOGUE


@pytest.fixture
def api(tmp_path: Path) -> Api:
    return Api(tmp_path, max_body_bytes=2048)


def error_of(answer: TestResponse) -> str:
    """Every error is JSON, and shows no code of ours."""
    assert answer.mimetype == "application/json"
    assert answer.content_length == len(answer.data)
    assert "Traceback" not in answer.text
    error: str = answer.get_json()["error"]
    return error


def test_an_unknown_event_type_is_answered_with_the_known_ones(api: Api) -> None:
    answer = api.client.get("/slay_dragon")

    assert answer.status_code == 404
    assert error_of(answer)
    assert answer.get_json()["event_types"] == list(CATALOGUE.names)


@pytest.mark.parametrize("path", ["/purchase_sword/", "/events/1", "/../etc/passwd", "/PURCHASE_SWORD", "/favicon.ico"])
def test_any_other_path_is_unknown(api: Api, path: str) -> None:
    answer = api.client.get(path)

    assert answer.status_code == 404
    assert error_of(answer)
    assert not api.published


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/purchase_sword"), ("DELETE", "/"), ("GET", "/events"), ("POST", "/health")]
)
def test_a_method_that_is_not_of_the_page_is_refused(api: Api, method: str, path: str) -> None:
    answer = api.client.open(path, method=method)

    assert answer.status_code == 405
    assert method in error_of(answer)
    assert answer.headers["Allow"]


def test_a_head_request_publishes_nothing(api: Api) -> None:
    assert api.client.head("/page_view").status_code == 405
    assert not api.published


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", NDJSON, None])
def test_a_body_of_another_content_type_is_refused(api: Api, content_type: str | None) -> None:
    answer = api.client.post("/purchase_sword", data=json.dumps(SWORD), content_type=content_type)

    assert answer.status_code == 415
    assert "application/json" in error_of(answer)


def test_a_body_may_be_as_large_as_allowed_and_not_one_byte_more(api: Api) -> None:
    body = json.dumps(SWORD).encode()

    def send(size: int) -> TestResponse:
        return api.client.post("/purchase_sword", data=body.ljust(size), content_type="application/json")

    assert send(2048).status_code == 201
    assert send(2049).status_code == 413
    assert "2048" in error_of(send(2049))


@pytest.mark.parametrize("path", ["/purchase_sword", "/events"])
def test_a_body_without_a_length_is_refused(api: Api, path: str) -> None:
    body = json.dumps({"event_type": "purchase_sword", **SWORD})
    chunked = {"Transfer-Encoding": "chunked"}
    answer = api.client.post(path, data=body, content_type="application/json", headers=chunked)

    assert answer.status_code == 411
    assert "Content-Length" in error_of(answer)
    assert not api.published


@pytest.mark.parametrize("path", ["/purchase_sword", "/events"])
def test_a_body_that_ends_before_its_length_is_refused(api: Api, path: str) -> None:
    body = json.dumps({"event_type": "purchase_sword", **SWORD})
    longer = {"CONTENT_LENGTH": str(len(body) + 1), "wsgi.input_terminated": True}
    answer = api.client.post(path, data=body, content_type="application/json", environ_overrides=longer)

    assert answer.status_code == 400
    assert str(len(body)) in error_of(answer)
    assert not api.published


def test_without_kafka_the_answer_is_to_try_again_in_a_second(api: Api) -> None:
    answer = api.without_kafka().client.post("/purchase_sword", json=SWORD)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert "Kafka" in error_of(answer)


def test_a_fault_of_the_server_shows_nothing_of_its_inside(api: Api) -> None:
    api.trouble = RuntimeError("the password is swordfish")
    answer = api.client.post("/purchase_sword", json=SWORD)

    assert answer.status_code == 500
    assert "swordfish" not in error_of(answer)


def test_health_is_ok_while_events_can_be_taken(api: Api) -> None:
    answer = api.client.get("/health")

    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})
    assert not api.published


def test_health_says_why_events_cannot_be_taken(api: Api) -> None:
    answer = api.without_kafka().client.get("/health")

    assert answer.status_code == 503
    assert error_of(answer) == "Kafka is away"


def test_the_catalogue_can_be_asked_for(api: Api) -> None:
    described = api.client.get("/event-types").get_json()

    assert [known["name"] for known in described["event_types"]] == list(CATALOGUE.names)
    assert {field["name"] for field in described["common_fields"]} == {"event_id", "event_time", "user_id"}
    for known in described["event_types"]:
        assert api.client.post("/events", json=known["example"]).status_code == 201


def test_accepted_events_are_counted_by_type(api: Api) -> None:
    for _ in range(3):
        api.client.get("/")
    api.client.post("/purchase_sword", json=SWORD)
    api.client.post("/events", data='{"event_type": "page_view"}\n' * 5, content_type=NDJSON)

    assert counters.accepted(api.settings) == {"page_view": 8, "purchase_sword": 1}
    assert counters.refused(api.settings) == {}


def test_refused_requests_are_counted_by_reason(api: Api) -> None:
    api.client.get("/purchase_sword")
    api.client.get("/purchase_sword?item=")
    api.client.get("/slay_dragon")
    api.client.put("/")
    api.client.post("/events", data="{", content_type="application/json")
    api.client.post("/events", data="x", content_type="text/plain")
    api.client.post("/", data="x" * 4000)
    api.without_kafka().client.get("/")

    assert counters.accepted(api.settings) == {}
    assert counters.refused(api.settings) == {
        "invalid": 2,
        "unknown_type": 1,
        "method": 1,
        "unreadable": 1,
        "content_type": 1,
        "too_large": 1,
        "unavailable": 1,
    }


def test_counts_go_on_from_nought_after_a_reset_while_the_server_runs(api: Api) -> None:
    api.client.get("/")
    counters.reset(api.settings)
    assert counters.accepted(api.settings) == {}

    api.client.get("/")
    assert counters.accepted(api.settings) == {"page_view": 1}


def test_counts_outlive_the_application_that_counted(api: Api, tmp_path: Path) -> None:
    api.client.get("/")
    Api(tmp_path).client.get("/")

    assert counters.accepted(api.settings) == {"page_view": 2}


def test_nothing_is_counted_where_nothing_ever_ran(tmp_path: Path) -> None:
    settings = Api(tmp_path / "fresh").settings

    counters.reset(settings)
    assert counters.accepted(settings) == {}
    assert counters.refused(settings) == {}


def test_metrics_are_in_the_text_format_of_prometheus(api: Api) -> None:
    api.client.get("/")
    api.client.get("/purchase_sword")
    text = api.client.get("/metrics").text

    assert 'questlog_accepted_total{event_type="page_view"} 1.0' in text
    assert 'questlog_refused_total{event_type="purchase_sword",reason="invalid"} 1.0' in text

import json
from pathlib import Path

import pytest
from api_under_test import NDJSON, SWORD, Api
from werkzeug.test import TestResponse

LINE = json.dumps({"event_type": "purchase_sword", **SWORD})


@pytest.fixture
def api(tmp_path: Path) -> Api:
    return Api(tmp_path, max_batch_events=50, max_body_bytes=65_536)


def send(api: Api, *lines: str, end: str = "\n") -> TestResponse:
    return api.client.post("/events", data=end.join(lines), content_type=NDJSON)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_a_batch_is_accepted_in_the_order_of_its_lines(api: Api, end: str) -> None:
    lines = [json.dumps({"event_type": "page_view", "page": f"/{number}"}) for number in range(3)]

    answer = send(api, *lines, "", end=end)

    assert (answer.status_code, answer.get_json()) == (201, {"accepted": 3})
    assert [json.loads(record.value)["page"] for record in api.published] == ["/0", "/1", "/2"]


def test_one_json_object_is_one_event(api: Api) -> None:
    answer = api.client.post("/events", json={"event_type": "purchase_sword", **SWORD, "event_id": "order-17"})

    assert (answer.status_code, answer.get_json()) == (201, {"event_id": "order-17"})
    assert len(api.published) == 1


def test_one_bad_line_refuses_the_whole_batch(api: Api) -> None:
    answer = send(api, LINE, LINE.replace("iron", "spoon"), LINE)

    assert answer.status_code == 400
    (problem,) = answer.get_json()["problems"]
    assert (problem["line"], problem["field"], problem["value"]) == (2, "item", "spoon")
    assert "mithril" in problem["allowed"]
    assert not api.published


@pytest.mark.parametrize("line", ["{", "[]", "null", "NaN", '{"a": 1, "a": 2}', '{"event_type": "page_view"} {}'])
def test_a_line_that_is_no_json_object_is_named(api: Api, line: str) -> None:
    answer = send(api, LINE, "", line)

    assert answer.status_code == 400
    assert [problem["line"] for problem in answer.get_json()["problems"]] == [3]


@pytest.mark.parametrize("claimed", [{}, {"event_type": "slay_dragon"}, {"event_type": None}, {"event_type": {}}])
def test_a_line_must_name_a_known_event_type(api: Api, claimed: dict[str, object]) -> None:
    answer = send(api, json.dumps({**claimed, **SWORD}))

    assert answer.status_code == 400
    (problem,) = answer.get_json()["problems"]
    assert problem["field"] == "event_type"
    assert "page_view" in problem["allowed"]


def test_at_most_twenty_problems_are_listed_and_all_are_counted(api: Api) -> None:
    body = send(api, *["{}"] * 45).get_json()

    assert len(body["problems"]) == 20
    assert body["problem_count"] == 45


@pytest.mark.parametrize("body", ["", "\n", " \n\r\n"])
def test_a_batch_without_an_event_is_refused(api: Api, body: str) -> None:
    assert send(api, body).status_code == 400


def test_a_batch_may_hold_as_many_events_as_are_allowed_and_not_one_more(api: Api) -> None:
    assert send(api, *[LINE] * 50).status_code == 201
    answer = send(api, *[LINE] * 51)

    assert answer.status_code == 413
    assert "51" in answer.get_json()["error"]
    assert "50" in answer.get_json()["error"]
    assert len(api.published) == 50


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_another_content_type_is_refused(api: Api, content_type: str | None) -> None:
    answer = api.client.post("/events", data=LINE, content_type=content_type)

    assert answer.status_code == 415
    assert NDJSON in answer.get_json()["error"]


def test_a_query_beside_a_batch_is_refused_rather_than_ignored(api: Api) -> None:
    assert api.client.post("/events?user_id=me", data=LINE, content_type=NDJSON).status_code == 400
    assert not api.published

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from api_under_test import SWORD, Api

from questlog.errors import SettingsError
from questlog.events import CATALOGUE, Catalogue, EventType, Field, Kind


@pytest.fixture
def api(tmp_path: Path) -> Api:
    return Api(tmp_path)


def only_event(api: Api) -> dict[str, object]:
    assert len(api.published) == 1
    event: dict[str, object] = json.loads(api.published[0].value)
    return event


@pytest.mark.parametrize(
    "given",
    [
        {"query_string": SWORD},
        {"data": SWORD},
        {"json": SWORD},
        {"query_string": {"item": "iron"}, "json": {"price": 120}},
        {"query_string": {"item": "steel", "price": 120}, "data": {"item": "iron"}},
    ],
    ids=["query", "form", "json", "query and json", "the form's value counts"],
)
def test_an_event_may_come_by_query_form_or_json(api: Api, given: dict[str, object]) -> None:
    answer = api.client.post("/purchase_sword", **given)

    assert answer.status_code == 201
    event = only_event(api)
    assert event | SWORD == event
    assert event["event_type"] == "purchase_sword"
    assert answer.get_json() == {"event_id": event["event_id"]}


def test_a_bare_get_is_a_page_view(api: Api) -> None:
    assert api.client.get("/").status_code == 201
    assert only_event(api)["event_type"] == "page_view"


@pytest.mark.parametrize("event_type", tuple(CATALOGUE), ids=lambda event_type: event_type.name)
def test_every_event_type_has_an_endpoint_that_takes_its_example(api: Api, event_type: EventType) -> None:
    example = {field.name: field.example for field in event_type.fields}

    assert api.client.get(f"/{event_type.name}?{urlencode(example)}").status_code == 201
    assert api.client.post(f"/{event_type.name}", json=example).status_code == 201


def test_a_tenth_event_type_needs_nothing_but_its_entry_in_the_catalogue(tmp_path: Path) -> None:
    flag = Field(name="friendly", kind=Kind.BOOLEAN, description="x", example=True, required=True)
    tenth = EventType(name="send_greeting", title="Send greeting", description="x", fields=(flag,))
    api = Api(tmp_path, Catalogue((*CATALOGUE, tenth)))

    assert api.client.get("/send_greeting?friendly=true").status_code == 201
    assert api.client.get("/send_greeting?friendly=perhaps").status_code == 400
    assert only_event(api)["friendly"] is True


def test_an_event_type_may_not_take_the_name_of_another_endpoint(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="health"):
        Api(tmp_path, Catalogue((EventType(name="health", title="Health", description="x", fields=()),)))


def test_a_client_may_choose_the_event_id_so_that_it_can_send_again(api: Api) -> None:
    answer = api.client.post("/purchase_sword", json={**SWORD, "event_id": "order-17"})

    assert answer.get_json() == {"event_id": "order-17"}


def test_the_event_type_may_be_said_again_if_it_agrees(api: Api) -> None:
    assert api.client.post("/purchase_sword", json={**SWORD, "event_type": "purchase_sword"}).status_code == 201


@pytest.mark.parametrize("said", ["purchase_shield", "", ["purchase_sword"], 7])
def test_an_event_type_that_does_not_agree_is_refused(api: Api, said: object) -> None:
    answer = api.client.post("/purchase_sword", json={**SWORD, "event_type": said})

    assert answer.status_code == 400
    assert answer.get_json()["problems"][0]["field"] == "event_type"
    assert not api.published


def test_every_wrong_field_is_named_with_its_value_and_what_is_allowed(api: Api) -> None:
    answer = api.client.get("/purchase_sword?item=spoon&price=-1&colour=red")

    assert answer.status_code == 400
    problems = {problem["field"]: problem for problem in answer.get_json()["problems"]}
    assert set(problems) == {"item", "price", "colour"}
    assert problems["item"]["value"] == "spoon"
    assert "mithril" in problems["item"]["allowed"]
    assert "from 0 to" in problems["price"]["allowed"]
    assert not api.published


def test_a_missing_field_is_named(api: Api) -> None:
    problem = api.client.get("/purchase_sword?item=iron").get_json()["problems"][0]

    assert (problem["field"], problem["value"]) == ("price", None)
    assert "missing" in problem["problem"]


def test_only_headers_of_the_allow_list_are_kept(api: Api) -> None:
    kept = {"User-Agent": "ab", "X-Request-Id": "mine"}
    api.client.get("/", headers={"Authorization": "secret", "Cookie": "secret", **kept})

    assert only_event(api)["headers"] == {"host": "localhost", "user-agent": "ab", "x-request-id": "mine"}
    assert b"secret" not in api.published[0].value


@pytest.mark.parametrize("encoded", ["item=iron&item=steel&price=1", "item", "item=%FF&price=1", "item=iron&&price=1"])
def test_a_query_or_form_that_cannot_be_read_for_certain_is_refused(api: Api, encoded: str) -> None:
    form = "application/x-www-form-urlencoded"

    for answer in (
        api.client.get(f"/purchase_sword?{encoded}"),
        api.client.post("/purchase_sword", data=encoded, content_type=form),
    ):
        assert answer.status_code == 400
        assert answer.get_json()["error"]
    assert not api.published


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"7",
        b'{"item": "iron", "item": "steel", "price": 1}',
        b'{"item": "iron", "price": NaN}',
        b'{"item": "iron", "price": Infinity}',
        b'{"item": "iron", "price": -Infinity}',
        b'{"item": "iron", "price": 1e999}',
        b'{"item": "\xff", "price": 1}',
        b'{"item": "iron", "price": ' + b"9" * 5000 + b"}",
        b'{"item": ' + b"[" * 100_000,
        '{"item": "iron", "price": 1}'.encode("utf-16"),
    ],
    ids=lambda body: repr(body[:30]),
)
def test_a_body_that_is_not_one_unambiguous_json_object_is_refused(api: Api, body: bytes) -> None:
    answer = api.client.post("/purchase_sword", data=body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.get_json()["error"]
    assert not api.published


def test_text_of_any_script_arrives_as_it_was_sent(api: Api) -> None:
    text = "Ωméga 😀 \u2028 'quoted' \"twice\" \\ ;--"

    assert api.client.post("/join_guild", json={"guild": text}).status_code == 201
    assert api.client.get("/join_guild", query_string={"guild": text}).status_code == 201
    assert [json.loads(record.value)["guild"] for record in api.published] == [text, text]

"""The OpenAPI document says what the API does."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from api_under_test import NDJSON, SWORD, Api
from hypothesis import example, given
from openapi_spec_validator import validate
from werkzeug.test import TestResponse

from event_strategies import ALL_KINDS, WIDE, Event, changed_events, events
from questlog.api.openapi import ELSEWHERE
from questlog.api.refusal import BY_STATUS, WHY
from questlog.events import CATALOGUE, Catalogue
from questlog.settings import KEY_HEADER

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
KEY = "0123456789abcdef"
LINE = json.dumps({"event_type": "purchase_sword", **SWORD})


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Api:
    """An API of types with fields of every kind and of several versions."""
    return Api(tmp_path_factory.mktemp("api"), WIDE, api_access_log=False)


def document(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.client.get("/openapi.json").get_json()
    return found


class Document:
    """The document of an API, and validators of its schemas."""

    def __init__(self, api: Api) -> None:
        self.said = document(api)

    def validator(self, schema: dict[str, Any]) -> Any:
        whole = {**schema, "components": self.said["components"]}
        return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)

    def body(self, path: str, media_type: str) -> Any:
        return self.validator(self.said["paths"][path]["post"]["requestBody"]["content"][media_type]["schema"])

    def response(self, method: str, path: str, status: int) -> dict[str, Any]:
        responses = self.said["paths"][path][method.lower()]["responses"]
        return self.resolved(responses[str(status)])

    def resolved(self, part: dict[str, Any]) -> dict[str, Any]:
        found = self.said
        for name in part.get("$ref", "").split("/")[1:]:
            found = found[name]
        return found if "$ref" in part else part

    def check(self, answer: TestResponse, path: str, response: dict[str, Any] | None = None) -> None:
        """The answer is one that the document has, with its headers and a body of its schema."""
        said = response or self.response(answer.request.method, path, answer.status_code)
        content = said["content"][answer.mimetype]
        assert set(said["headers"]) <= set(answer.headers.keys())
        if answer.mimetype == JSON:
            self.validator(content["schema"]).validate(answer.get_json())


@pytest.fixture(scope="module")
def described(api: Api) -> Document:
    return Document(api)


@pytest.fixture(scope="module")
def bodies(described: Document) -> dict[tuple[str, str], Any]:
    """Validators of the request bodies of every type's endpoint, by type and media type."""
    kinds = (JSON, FORM)
    return {(known.name, kind): described.body(f"/{known.name}", kind) for known in WIDE for kind in kinds}


@pytest.mark.parametrize("given", [{}, {"api_keys": (KEY,), "rate_limit": 5}], ids=["as it comes", "with keys"])
@pytest.mark.parametrize("catalogue", [CATALOGUE, WIDE, Catalogue((ALL_KINDS,))], ids=["the game", "wide", "one type"])
def test_the_document_is_valid_openapi(tmp_path: Path, catalogue: Catalogue, given: dict[str, object]) -> None:
    found = document(Api(tmp_path, catalogue, **given))

    validate(found)
    assert found["openapi"].startswith("3.1.")
    assert {f"/{name}" for name in catalogue.names} <= set(found["paths"])


def test_every_page_of_the_application_is_in_the_document(api: Api, described: Document) -> None:
    for rule in api.app.url_map.iter_rules():
        if not rule.rule.startswith("/docs"):
            methods = {method.lower() for method in rule.methods or ()} - {"head", "options"}
            assert methods == set(described.said["paths"][rule.rule])


def test_every_operation_has_a_name_of_its_own(described: Document) -> None:
    names = [operation["operationId"] for path in described.said["paths"].values() for operation in path.values()]

    assert len(set(names)) == len(names)


def test_every_status_of_an_error_is_described_once() -> None:
    assert set(BY_STATUS) <= set(WHY)
    assert set(ELSEWHERE) <= set(WHY)


def test_a_key_is_asked_for_only_when_the_server_has_one(tmp_path: Path) -> None:
    kept, is_open = document(Api(tmp_path, api_keys=(KEY,))), document(Api(tmp_path))

    assert kept["components"]["securitySchemes"]["key"]["name"] == KEY_HEADER
    assert kept["paths"]["/purchase_sword"]["get"]["security"] == [{"key": []}]
    assert "security" not in kept["paths"]["/health"]["get"]
    assert "401" in kept["paths"]["/events"]["post"]["responses"]
    assert "securitySchemes" not in is_open["components"]
    assert "401" not in is_open["paths"]["/events"]["post"]["responses"]
    assert KEY not in json.dumps(kept)


@given(changed_events(WIDE) | events(WIDE))
def test_a_json_object_is_accepted_exactly_if_it_keeps_to_the_schema(
    api: Api, bodies: dict[tuple[str, str], Any], made: Event
) -> None:
    event_type, values = made

    answer = api.client.post(f"/{event_type.name}", json=values)

    assert answer.status_code == (201 if bodies[event_type.name, JSON].is_valid(values) else 400), answer.text


@given(changed_events(WIDE) | events(WIDE))
def test_a_named_event_is_accepted_exactly_if_it_keeps_to_the_schema(api: Api, any_event: Any, made: Event) -> None:
    event_type, values = made
    named = {"event_type": event_type.name, **values}

    answer = api.client.post("/events", json=named)
    lines = api.client.post("/events", data=json.dumps(named), content_type=NDJSON)

    assert answer.status_code == lines.status_code == (201 if any_event.is_valid(named) else 400), answer.text


@pytest.fixture(scope="module")
def any_event(described: Document) -> Any:
    return described.body("/events", JSON)


@given(events(WIDE))
@example((ALL_KINDS, {"ratio": 1.0, "flag": True, "count": -1, "schema_version": 1}))
def test_a_query_and_a_form_of_allowed_values_are_accepted(
    api: Api, bodies: dict[tuple[str, str], Any], made: Event
) -> None:
    event_type, values = made
    given_values = {name: value for name, value in values.items() if value is not None}
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given_values.items()}

    assert bodies[event_type.name, FORM].is_valid(given_values)
    assert api.client.post(f"/{event_type.name}", data=texts).status_code == 201
    assert api.client.get(f"/{event_type.name}", query_string=texts).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "request_of", "status"),
    [
        ("GET", "/purchase_sword", {"query_string": SWORD}, 201),
        ("POST", "/purchase_sword", {"json": SWORD}, 201),
        ("POST", "/purchase_sword", {"data": SWORD}, 201),
        ("GET", "/", {}, 201),
        ("POST", "/events", {"data": LINE, "content_type": JSON}, 201),
        ("POST", "/events", {"data": f"{LINE}\n{LINE}", "content_type": NDJSON}, 201),
        ("GET", "/purchase_sword", {"query_string": {"item": "spoon"}}, 400),
        ("GET", "/purchase_sword", {"query_string": "item=iron&item=iron"}, 400),
        ("POST", "/events", {"data": "{}\n[", "content_type": NDJSON}, 400),
        ("POST", "/purchase_sword", {"json": SWORD, "headers": {"Transfer-Encoding": "chunked"}}, 411),
        ("POST", "/purchase_sword", {"data": " " * 2000, "content_type": JSON}, 413),
        ("POST", "/events", {"data": f"{LINE}\n" * 3, "content_type": NDJSON}, 413),
        ("GET", "/purchase_sword", {"query_string": "x" * 300}, 414),
        ("POST", "/purchase_sword", {"data": "x", "content_type": "text/plain"}, 415),
        ("GET", "/purchase_sword", {"headers": {f"x-{number}": "x" for number in range(10)}}, 431),
        ("GET", "/event-types", {}, 200),
        ("GET", "/health", {}, 200),
        ("GET", "/metrics", {}, 200),
        ("GET", "/openapi.json", {}, 200),
    ],
)
def test_an_answer_is_as_the_document_says(
    tmp_path: Path, method: str, path: str, request_of: dict[str, Any], status: int
) -> None:
    api = Api(tmp_path, max_body_bytes=1024, max_batch_events=2, max_query_bytes=256, max_header_count=8)

    answer = api.client.open(path, method=method, **request_of)

    assert answer.status_code == status
    Document(api).check(answer, path)


def test_an_answer_of_a_server_in_trouble_is_as_the_document_says(tmp_path: Path) -> None:
    api = Api(tmp_path).without_kafka()
    described = Document(api)

    for path in ("/purchase_sword", "/health"):
        answer = api.client.get(path, query_string=SWORD)
        assert answer.status_code == 503
        described.check(answer, path)
    api.trouble = RuntimeError("unexpected")
    fault = api.client.get("/purchase_sword", query_string=SWORD)
    assert fault.status_code == 500
    described.check(fault, "/purchase_sword")


def test_an_answer_to_a_client_that_may_not_write_is_as_the_document_says(tmp_path: Path) -> None:
    api = Api(tmp_path, api_keys=(KEY,), rate_limit=1)
    described = Document(api)

    answers = [api.client.get("/page_view") for _ in range(20)]

    assert {answer.status_code for answer in answers} == {401, 429}
    for answer in answers:
        described.check(answer, "/page_view")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/slay_dragon", 404), ("PUT", "/purchase_sword", 405)])
def test_an_answer_to_what_the_document_does_not_have_is_described_beside_its_pages(
    api: Api, described: Document, method: str, path: str, status: int
) -> None:
    answer = api.client.open(path, method=method)

    assert answer.status_code == status
    described.check(answer, path, described.said["components"]["responses"][str(status)])


def test_the_page_to_try_it_reads_the_document_and_comes_from_this_server_alone(api: Api) -> None:
    page = api.client.get("/docs", follow_redirects=True)
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)

    assert page.status_code == 200
    assert '"url": "/openapi.json"' in page.text
    assert '"validatorUrl": null' in page.text
    assert len(loaded) >= 5
    for address in loaded:
        assert address.startswith("/docs/")
        with api.client.get(address) as file:
            assert file.status_code == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "http" not in page.headers["Content-Security-Policy"]

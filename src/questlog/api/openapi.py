"""The OpenAPI document of the API, made from the catalogue and the settings.

Source: https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

from questlog.api import access, reading, schemas
from questlog.api.pages import BATCH, HEALTH, METRICS, OPENAPI, TYPES
from questlog.api.refusal import RETRIED, WHY
from questlog.events import Catalogue, EventType
from questlog.events.catalogue import DEFAULT_TYPE
from questlog.settings import KEY_HEADER, Settings

Part = dict[str, Any]

OPENAPI_VERSION = "3.1.0"
KEY = "key"
WRITING, READING = "events", "looking in"
BODIES = {400: "unreadable_or_invalid", 404: "unknown"}
"""Schemas of the errors that say more than a sentence."""
ELSEWHERE = (404, 405)
"""Answers to paths and methods that the document does not have."""


def document(settings: Settings, catalogue: Catalogue) -> Part:
    """The whole document; what the settings leave off, keys and a rate limit, is not in it."""
    paths = {f"/{known.name}": _of_type(settings, known, known.name) for known in catalogue}
    if DEFAULT_TYPE in catalogue:
        paths["/"] = _of_type(settings, catalogue[DEFAULT_TYPE], "default")
    return {
        "openapi": OPENAPI_VERSION,
        "info": _info(catalogue),
        "tags": [{"name": WRITING}, {"name": READING}],
        "paths": {**paths, f"/{BATCH}": {"post": _batch(settings, catalogue)}, **_pages()},
        "components": _components(settings, catalogue),
    }


def _info(catalogue: Catalogue) -> Part:
    return {
        "title": "Questlog",
        "version": version("questlog"),
        "description": f"Takes the events of a game: {', '.join(catalogue.names)}. Every body needs a Content-Length. "
        "Other paths are answered with 404, other methods with 405.",
    }


def _of_type(settings: Settings, known: EventType, name: str) -> Part:
    """GET with a query, POST with a form or a JSON object."""
    about = {"summary": known.title, "description": known.description}
    content = {
        reading.JSON: {"schema": schemas.event(known), "example": schemas.example(known)},
        reading.FORM: {"schema": schemas.form(known), "example": schemas.example(known)},
    }
    body = {"requestBody": {"required": bool(schemas.required(known)), "content": content}}
    how = {**about, **_writing(settings, "accepted")}
    return {
        "get": {"operationId": f"get_{name}", "parameters": _query(known), **how},
        "post": {"operationId": f"post_{name}", **body, **how},
    }


def _query(known: EventType) -> list[Part]:
    needed = schemas.required(known)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in needed,
            "description": schema["description"],
            "schema": {key: said for key, said in schema.items() if key != "description"},
        }
        for name, schema in schemas.fields(known).items()
    ]


def _batch(settings: Settings, catalogue: Catalogue) -> Part:
    events = [{schemas.TYPE: known.name, **schemas.example(known)} for known in catalogue]
    many = {
        "type": "array",
        "items": _ref("event"),
        "minItems": 1,
        "maxItems": settings.max_batch_events,
        "description": "Each on a line of its own: newline-delimited JSON.",
    }
    content = {
        reading.JSON: {"schema": _ref("event"), "example": events[0]},
        reading.NDJSON: {"schema": many, "example": "\n".join(json.dumps(event) for event in events)},
    }
    return {
        "operationId": "post_events",
        "summary": "Events of any type",
        "description": "One as a JSON object that names its event_type, or many: all are accepted, or none.",
        "requestBody": {"required": True, "content": content},
        **_writing(settings, "accepted_one_or_many"),
    }


def _writing(settings: Settings, accepted: str) -> Part:
    off = [*ELSEWHERE, *([] if settings.api_keys else [401]), *([] if settings.rate_limit else [429])]
    refusals = {str(status): {"$ref": f"#/components/responses/{status}"} for status in WHY if status not in off}
    said: Part = {"tags": [WRITING], "responses": {"201": _json("Kafka has the events.", accepted), **refusals}}
    return {**said, "security": [{KEY: []}]} if settings.api_keys else said


def _pages() -> Part:
    """What can be looked at, by everybody."""
    fine, ill = _json("Events can be taken.", "health"), _json("Events cannot be taken.", "ill_health")
    counts = {"description": "In Prometheus' text format.", "headers": _headers(), "content": {"text/plain": {}}}
    itself = {
        "description": "OpenAPI.",
        "headers": _headers(),
        "content": {reading.JSON: {"schema": {"type": "object"}}},
    }
    return {
        f"/{TYPES}": _page("event_types", "The catalogue", {"200": _json("Every event type.", "catalogue")}),
        f"/{HEALTH}": _page("health", "Whether events can be taken", {"200": fine, "503": ill}),
        f"/{METRICS}": _page("metrics", "Counts and durations", {"200": counts}),
        f"/{OPENAPI}": _page("openapi", "This document", {"200": itself}),
    }


def _page(name: str, summary: str, responses: Part) -> Part:
    fault = {"500": {"$ref": "#/components/responses/500"}}
    return {"get": {"operationId": name, "summary": summary, "tags": [READING], "responses": {**responses, **fault}}}


def _components(settings: Settings, catalogue: Catalogue) -> Part:
    made: Part = {
        "schemas": {**_events(catalogue), **schemas.answers(catalogue)},
        "responses": {str(status): _refusal(status) for status in WHY},
    }
    if settings.api_keys:
        made["securitySchemes"] = {KEY: {"type": "apiKey", "in": "header", "name": KEY_HEADER}}
    return made


def _events(catalogue: Catalogue) -> Part:
    """A schema for each type, which has to say its name, and one for any of them."""
    each = {f"event.{known.name}": schemas.event(known, is_named=True) for known in catalogue}
    mapping = {known.name: _ref(f"event.{known.name}")["$ref"] for known in catalogue}
    choice = {"propertyName": schemas.TYPE, "mapping": mapping}
    return {**each, "event": {"oneOf": [_ref(name) for name in each], "discriminator": choice}}


def _refusal(status: int) -> Part:
    made = _json(WHY[status], BODIES.get(status, "refused"))
    if status in RETRIED:
        made["headers"]["Retry-After"] = {"schema": {"type": "integer"}, "description": "(seconds)"}
    return made


def _json(description: str, schema: str) -> Part:
    return {"description": description, "headers": _headers(), "content": {reading.JSON: {"schema": _ref(schema)}}}


def _headers() -> Part:
    return {access.HEADER: {"schema": {"type": "string"}, "description": "The request's id, in the server's log too."}}


def _ref(schema: str) -> Part:
    return {"$ref": f"#/components/schemas/{schema}"}

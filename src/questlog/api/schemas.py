"""JSON schemas of what clients send and what they are answered, for the OpenAPI document.

What an event must keep to comes from the models that check it (`questlog.events.models.model`), so that a schema
admits exactly what the API accepts, but for two rules of text that no schema states: JSON text is well-formed Unicode
(no lone surrogate), and a query gives each name once.
"""

from __future__ import annotations

from typing import Any

from questlog.events import Catalogue, EventType
from questlog.events.catalogue import VERSION
from questlog.events.fields import Kind
from questlog.events.models import model
from questlog.events.schema import input_fields

Schema = dict[str, Any]

TYPE = "event_type"


def fields(event_type: EventType) -> dict[str, Schema]:
    """Each field that a client may give with an event of this type, null apart: from a query or a form."""
    made = model(event_type, event_type.version).model_json_schema()["properties"]
    named = {TYPE: {"type": "string", "enum": [event_type.name], "description": "Its kind; it may be said again."}}
    return {**{name: _plain(schema) for name, schema in made.items()}, **named}


def required(event_type: EventType) -> list[str]:
    """The fields without which there is no event of this type."""
    return [field.name for field in event_type.fields if field.required]


def form(event_type: EventType) -> Schema:
    """A form; its texts are read as values of the fields' kinds."""
    return _closed(event_type, fields(event_type), required(event_type), never=False)


def event(event_type: EventType, *, is_named: bool = False) -> Schema:
    """A JSON object, in which null counts as not given; `is_named` if it has to say its event type."""
    needed = [*required(event_type), *([TYPE] if is_named else [])]
    known = {
        name: schema if name in (*needed, TYPE) else _or_null(schema) for name, schema in fields(event_type).items()
    }
    return _closed(event_type, known, needed, never={"type": "null"})


def example(event_type: EventType) -> dict[str, Any]:
    """An event with all of its own fields."""
    return {field.name: field.example for field in event_type.fields}


def answers(catalogue: Catalogue) -> dict[str, Schema]:
    """What the API says, by name."""
    sentence, name = {"type": "string"}, {"type": "string", "enum": list(catalogue.names)}
    problem: Schema = {
        "line": {"type": "integer", "minimum": 1, "description": "Line of the batch."},
        "field": sentence,
        "value": {"description": "What was given, cut if it is long."},
        "problem": sentence,
        "allowed": sentence,
    }
    problems = {"type": "array", "items": {"$ref": "#/components/schemas/problem"}}
    return {
        "accepted": _object({"event_id": sentence}),
        "accepted_many": _object({"accepted": {"type": "integer", "minimum": 1, "description": "(events)"}}),
        "accepted_one_or_many": _either("accepted", "accepted_many"),
        "refused": _object({"error": sentence}),
        "problem": _object(problem, optional=("line",)),
        "invalid": _object({"error": sentence, "problems": problems, "problem_count": {"type": "integer"}}),
        "unreadable_or_invalid": _either("refused", "invalid"),
        "unknown": _object({"error": sentence, "event_types": {"type": "array", "items": name}}),
        "health": _object({"status": {"const": "ok"}}),
        "ill_health": _object({"status": {"const": "unavailable"}, "error": sentence}),
        **_description(name),
    }


def _description(name: Schema) -> dict[str, Schema]:
    """What `questlog.api.description` says."""
    text, number = {"type": "string"}, {"type": ["integer", "null"]}
    field: Schema = {
        "name": text,
        "kind": {"type": "string", "enum": [kind.value for kind in Kind]},
        "description": text,
        "required": {"type": "boolean"},
        "default": {},
        "unit": text,
        "choices": {"type": "array", "items": text},
        "minimum": number,
        "maximum": number,
        "since": {"type": "integer", "minimum": 1, "description": "Version of the event type that brought it."},
        "allowed": text,
        "example": {},
    }
    fields = {"type": "array", "items": {"$ref": "#/components/schemas/field"}}
    event_type: Schema = {
        "name": name,
        "path": text,
        "title": text,
        "description": text,
        "version": {"type": "integer", "minimum": 1, "description": "The newest version of its fields."},
        "fields": fields,
        VERSION: {"$ref": "#/components/schemas/field"},
        "example": {"type": "object"},
    }
    types = {"type": "array", "items": {"$ref": "#/components/schemas/event_type"}}
    return {
        "field": _object(field),
        "event_type": _object(event_type),
        "catalogue": _object({"event_types": types, "common_fields": fields}),
    }


def _either(*names: str) -> Schema:
    return {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in names]}


def _object(properties: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    needed = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}


def _closed(event_type: EventType, known: dict[str, Schema], needed: list[str], *, never: Schema | bool) -> Schema:
    """An object of these properties and no others; `never` is the schema of a field that its version does not have."""
    closed: Schema = {
        "type": "object",
        "description": event_type.description,
        "properties": known,
        "required": needed,
        "additionalProperties": False,
    }
    if rules := [_of_version(event_type, version, never) for version in range(1, event_type.version)]:
        closed["allOf"] = rules
    return closed


def _of_version(event_type: EventType, version: int, never: Schema | bool) -> Schema:
    names = {field.name for field in input_fields(event_type, version)}
    later = {field.name: never for field in event_type.fields if field.name not in names}
    return {
        "if": {"properties": {VERSION: {"const": version}}, "required": [VERSION]},
        "then": {"properties": later},
    }


def _plain(schema: Schema) -> Schema:
    """Without pydantic's title, and without the default null, which means that there is none."""
    return {name: said for name, said in schema.items() if name != "title" and not (name == "default" and said is None)}


def _or_null(schema: Schema) -> Schema:
    choices = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [schema["type"], "null"], **choices}

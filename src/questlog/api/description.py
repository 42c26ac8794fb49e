"""The catalogue as JSON, for clients: every event type, its version, its fields, what they may hold, an example."""

from __future__ import annotations

from typing import Any

from questlog.events import Catalogue, EventType, Field
from questlog.events.catalogue import COMMON, VERSION
from questlog.events.schema import version_field


def described(catalogue: Catalogue) -> dict[str, Any]:
    """``event_types`` (with ``fields``, an ``example``, their ``path``) and the ``common_fields`` of all of them.

    Each type has its newest ``version``, each field the version ``since`` which it is there; an event may say in
    ``schema_version`` to which it keeps.
    """
    return {
        "event_types": [_event_type(known) for known in catalogue],
        "common_fields": [_field(field) for field in COMMON],
    }


def _event_type(known: EventType) -> dict[str, Any]:
    return {
        "name": known.name,
        "path": f"/{known.name}",
        "title": known.title,
        "description": known.description,
        "version": known.version,
        VERSION: _field(version_field(known)),
        "fields": [_field(field) for field in known.fields],
        "example": {"event_type": known.name, **{field.name: field.example for field in known.fields}},
    }


def _field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "kind": field.kind.value,
        "description": field.description,
        "required": field.required,
        "default": field.default,
        "unit": field.unit,
        "choices": field.choices,
        "minimum": field.minimum,
        "maximum": field.maximum,
        "since": field.since,
        "allowed": field.allowed,
        "example": field.example,
    }

"""Where an event is sent, and in what form: the API's endpoints as a client knows them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from questlog.events.fields import Value
from questlog.settings import KEY_HEADER, Settings

BATCH_ENDPOINT = "events"


def batch_url(settings: Settings) -> str:
    """The endpoint that takes many events of any type as NDJSON."""
    return f"{settings.api_url}/{BATCH_ENDPOINT}"


def event_url(settings: Settings, event_type: str, parameters: Mapping[str, Value]) -> str:
    """The endpoint of one type, with the event as query parameters; ``event_type`` among them is left out."""
    query = urlencode({name: _text(value) for name, value in parameters.items() if name != "event_type"})
    return f"{settings.api_url}/{event_type}?{query}"


def headers(settings: Settings) -> dict[str, str]:
    """The key that the API asks for, when there is one; of several any will do."""
    return {KEY_HEADER: settings.api_keys[0].get_secret_value()} if settings.api_keys else {}


def ndjson(events: Iterable[Mapping[str, Value]]) -> bytes:
    """One JSON object a line."""
    return b"".join(json.dumps(event, ensure_ascii=False).encode() + b"\n" for event in events)


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

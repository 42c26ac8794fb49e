"""A request's query, form or JSON becomes parameters; what cannot be read for certain is refused, not guessed."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, NoReturn
from urllib.parse import parse_qsl

import orjson
from flask import Request
from werkzeug.exceptions import LengthRequired, RequestTimeout, UnsupportedMediaType

from questlog.api.refusal import Unreadable, over
from questlog.errors import EventError
from questlog.events import EventType
from questlog.events.validation import SHOWN, from_text
from questlog.settings import Settings

FORM, JSON, NDJSON = "application/x-www-form-urlencoded", "application/json", "application/x-ndjson"
IDENTITY = "identity"  # no content encoding
EXACT = 2.0**53  # below it a float was no integer that is too large for 64 bits

_FLAT = frozenset({str, int, float, bool, type(None)})


def parameters(request: Request, settings: Settings, event_type: EventType) -> dict[str, Any]:
    """The query's parameters and the body's (a form or one JSON object); the body's value counts where both have one.

    A query's and a form's texts become values of the fields' kinds.

    Raises:
        Unreadable: not UTF-8, not JSON, not an object, too many, or a name is given twice in the same place.
        UnsupportedMediaType: the body is of another content type, or compressed.
        LengthRequired, RequestEntityTooLarge, RequestTimeout: as `body`.
    """
    query = from_text(event_type, pairs(request.query_string, "query", settings))
    return {**query, **_parameters_of_body(request, settings, event_type)}


def pairs(encoded: bytes, where: str, settings: Settings) -> dict[str, Any]:
    """Parameters from ``a=1&b=2``, percent-encoded UTF-8.

    Raises:
        Unreadable: it is not that, there are more than `Settings.max_fields`, or a name is given twice.
    """
    if (count := encoded.count(b"&") + 1) > settings.max_fields:
        raise Unreadable(over(f"the {where} gives {count} parameters", settings, "max_fields"))
    try:
        found = parse_qsl(encoded.decode(), keep_blank_values=True, strict_parsing=bool(encoded), errors="strict")
    except ValueError as error:
        raise Unreadable(f"the {where} cannot be read: {error}") from None
    return _once(found, where)


def json_value(encoded: bytes, settings: Settings) -> Any:
    """What one JSON text in UTF-8 says (RFC 8259); stricter than `json.loads` on names and numbers.

    Raises:
        Unreadable: it is not JSON, has a name twice, NaN or Infinity, or is nested deeper than
            `Settings.max_json_depth`.
    """
    try:
        value = _STRICT.decode(encoded.decode())
    except ValueError as error:
        shown = encoded[:SHOWN].decode("utf-8", "replace")
        raise Unreadable(f"{shown!r} is not JSON: {error}") from None
    except RecursionError:
        raise Unreadable(over("JSON nested too deep to be read", settings, "max_json_depth")) from None
    if (depth := _depth(value)) > settings.max_json_depth:
        raise Unreadable(over(f"JSON nested {depth} deep", settings, "max_json_depth"))
    return value


def json_object(encoded: bytes, settings: Settings) -> dict[str, Any]:
    """One JSON object.

    Raises:
        Unreadable: as `json_value`, it is not an object, or has more than `Settings.max_fields` fields.
    """
    value = flat_object(encoded)
    if value is None:
        value = json_value(encoded, settings)
    if not isinstance(value, dict):
        raise Unreadable(f"a JSON object is wanted, this is of type {type(value).__name__}")
    if len(value) > settings.max_fields:
        raise Unreadable(over(f"an object of {len(value)} fields", settings, "max_fields"))
    return value


def flat_object(encoded: bytes) -> dict[str, Any] | None:
    """What `json_value` gives for an object of texts, numbers, truth values and nulls, ten times as fast.

    None where that is not certain. orjson is as strict but for two things: it keeps the last of a name that is given
    twice, and makes a float of a large integer. In a text in which no quote mark is escaped each string has two of
    them, so that there are as many as the names and texts that are left account for only if no name came twice.
    """
    if b'\\"' in encoded:
        return None
    try:
        value = orjson.loads(encoded)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict):
        return None
    kinds = list(map(type, value.values()))
    is_clear = encoded.count(b'"') == 2 * (len(value) + kinds.count(str)) and _FLAT.issuperset(kinds)
    if is_clear and float in kinds:
        is_clear = all(abs(each) < EXACT for each in value.values() if type(each) is float)
    return value if is_clear else None


def claimed_type(claimed: object, names: tuple[str, ...]) -> str:
    """The event type that a client names.

    Raises:
        EventError: it is missing, or none of `names`.
    """
    if isinstance(claimed, str) and claimed in names:
        return claimed
    problem = "required, but missing" if claimed is None else "not an event type of this page"
    raise EventError([wrong("event_type", claimed, problem, f"one of {', '.join(names)}")])


def wrong(field: str, value: object, problem: str, allowed: str) -> dict[str, object]:
    """One problem, in the form that `EventError` holds."""
    shown = value if value is None or isinstance(value, bool | int) else str(value)[:SHOWN]
    return {"field": field, "value": shown, "problem": problem, "allowed": allowed}


def unsupported(request: Request, *allowed: str) -> UnsupportedMediaType:
    """The refusal of a body's content type."""
    return UnsupportedMediaType(f"content type {request.mimetype!r}: send {' or '.join(allowed)}")


def body(request: Request, settings: Settings) -> bytes:
    """The whole body. One without a length is refused: were its client cut off, a part would pass for the whole.

    Raises:
        LengthRequired: it is sent in chunks.
        UnsupportedMediaType: it is compressed.
        RequestEntityTooLarge: it is larger than is allowed.
        RequestTimeout: it did not come in time.
        Unreadable: it ended before its length.
    """
    if "HTTP_TRANSFER_ENCODING" in request.environ:
        raise LengthRequired("a body needs a Content-Length: send it in one piece, not in chunks")
    if (coding := request.environ.get("HTTP_CONTENT_ENCODING", IDENTITY).lower()) != IDENTITY:
        raise UnsupportedMediaType(f"content encoding {coding[:SHOWN]!r}: send the body as it is")
    begun = time.monotonic()
    data = request.get_data(cache=False)
    if len(data) < (request.content_length or 0):
        cut = f"the body ended after {len(data)} of {request.content_length} bytes"
        if time.monotonic() - begun < settings.read_timeout:
            raise Unreadable(cut)
        raise RequestTimeout(f"{cut}: it has to come within {settings.read_timeout} s (setting read_timeout)")
    return data


def _parameters_of_body(request: Request, settings: Settings, event_type: EventType) -> dict[str, Any]:
    data = body(request, settings)
    if not data:
        return {}
    if request.mimetype == JSON:
        return json_object(data, settings)
    if request.mimetype == FORM:
        return from_text(event_type, pairs(data.strip(b"\r\n"), "form", settings))
    raise unsupported(request, FORM, JSON)


def _depth(value: Any) -> int:
    """How deep lists and objects are nested; 0 for anything else. Counted level by level: recursion has an end."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [inner for outer in level for inner in _inside(outer)]
    return depth


def _inside(outer: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return outer.values() if isinstance(outer, dict) else outer


def _once(found: list[tuple[str, Any]], where: str) -> dict[str, Any]:
    once = dict(found)
    if len(once) < len(found):
        twice = [name for name, count in Counter(name for name, _ in found).items() if count > 1]
        raise Unreadable(f"the {where} gives {', '.join(map(repr, twice))} more than once")
    return once


def _json_object(found: list[tuple[str, Any]]) -> dict[str, Any]:
    return _once(found, "JSON object")


def _not_a_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


_STRICT = json.JSONDecoder(object_pairs_hook=_json_object, parse_constant=_not_a_number)

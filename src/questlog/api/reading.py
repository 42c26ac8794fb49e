"""A request's query, form or JSON becomes parameters; what cannot be read for certain is refused, not guessed."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.exceptions import LengthRequired, UnsupportedMediaType

from questlog.api.refusal import Unreadable
from questlog.errors import EventError

FORM, JSON, NDJSON = "application/x-www-form-urlencoded", "application/json", "application/x-ndjson"
MOST_PARAMETERS = 100
SHOWN = 100  # characters of a client's text that an answer repeats


def parameters(request: Request) -> dict[str, Any]:
    """The query's parameters and the body's (a form or one JSON object); the body's value counts where both have one.

    Raises:
        Unreadable: not UTF-8, not JSON, not an object, or a name is given twice in the same place.
        UnsupportedMediaType: the body is of another content type.
        LengthRequired, RequestEntityTooLarge: as `body`.
    """
    return {**pairs(request.query_string, "query"), **_parameters_of_body(request)}


def pairs(encoded: bytes, where: str) -> dict[str, Any]:
    """Parameters from ``a=1&b=2``, percent-encoded UTF-8.

    Raises:
        Unreadable: it is not that, or a name is given twice.
    """
    try:
        found = parse_qsl(
            encoded.decode(),
            keep_blank_values=True,
            strict_parsing=bool(encoded),
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError as error:
        raise Unreadable(f"the {where} cannot be read: {error}") from None
    return _once(found, where)


def json_value(encoded: bytes) -> Any:
    """What one JSON text in UTF-8 says (RFC 8259); stricter than `json.loads` on names and numbers.

    Raises:
        Unreadable: it is not JSON, has a name twice, NaN or Infinity, or is nested too deep.
    """
    try:
        return _STRICT.decode(encoded.decode())
    except (ValueError, RecursionError) as error:
        shown = encoded[:SHOWN].decode("utf-8", "replace")
        raise Unreadable(f"{shown!r} is not JSON: {error}") from None


def json_object(encoded: bytes) -> dict[str, Any]:
    """One JSON object.

    Raises:
        Unreadable: as `json_value`, or it is not an object.
    """
    value = json_value(encoded)
    if not isinstance(value, dict):
        raise Unreadable(f"a JSON object is wanted, this is of type {type(value).__name__}")
    return value


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


def body(request: Request) -> bytes:
    """The whole body. One without a length is refused: were its client cut off, a part would pass for the whole.

    Raises:
        LengthRequired: it is sent in chunks.
        RequestEntityTooLarge: it is larger than is allowed.
        Unreadable: it ended before its length.
    """
    if "Transfer-Encoding" in request.headers:
        raise LengthRequired("a body needs a Content-Length: send it in one piece, not in chunks")
    data = request.get_data(cache=False)
    if len(data) < (request.content_length or 0):
        raise Unreadable(f"the body ended after {len(data)} of {request.content_length} bytes")
    return data


def _parameters_of_body(request: Request) -> dict[str, Any]:
    data = body(request)
    if not data:
        return {}
    if request.mimetype == JSON:
        return json_object(data)
    if request.mimetype == FORM:
        return pairs(data.strip(b"\r\n"), "form")
    raise unsupported(request, FORM, JSON)


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

"""Every error as a JSON answer: its status (`WHY` lists them), what was wrong, what is allowed. No stack trace.

What is not HTTP (a Content-Length that is no number, more than 100 headers) never gets here: the server itself answers
it with 400, 414 or 431 and no body, and closes the connection.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping

from flask import Response, current_app, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from questlog.errors import EventError, TransportError
from questlog.events import Catalogue
from questlog.settings import Settings

WHY = {
    400: "The body or query cannot be read, or a field is missing, unknown or not allowed.",
    401: "The server has API keys, and the request none of them.",
    404: "No such event type, or page.",
    405: "The method is not one of this page.",
    408: "The body took too long to come.",
    411: "The body comes in chunks, without a length.",
    413: "The body has too many bytes, or too many events.",
    414: "The query has too many bytes.",
    415: "The body's content type is not one of this page, or it is compressed.",
    429: "The client's address has sent too many requests in this second; Retry-After says when to come again.",
    431: "There are too many headers, or they have too many bytes.",
    500: "A fault of the server.",
    503: "Kafka did not acknowledge in time: send again, with the same event_id.",
}
"""Every status of an error, and what it means."""
RETRIED = (429, 503)  # they have the header Retry-After, in seconds

MOST_PROBLEMS = 20  # of one answer; it says how many there are in all
MOST_READ_AWAY, CHUNK = 16 * 1024 * 1024, 65_536  # bytes; a body that is larger still is cut off
RETRY_AFTER = "1"  # seconds
TOLD = ("Retry-After", "WWW-Authenticate")  # headers of an error that its answer has, too


class Reason(enum.Enum):
    """Why a request was refused: the closed set of the counter's label."""

    INVALID = "invalid"
    UNREADABLE = "unreadable"
    UNKNOWN_TYPE = "unknown_type"
    METHOD = "method"
    TOO_LARGE = "too_large"
    CONTENT_TYPE = "content_type"
    UNAUTHORIZED = "unauthorized"
    RATE = "rate"
    SLOW = "slow"
    UNAVAILABLE = "unavailable"
    FAULT = "fault"


BY_STATUS = {
    401: Reason.UNAUTHORIZED,
    404: Reason.UNKNOWN_TYPE,
    405: Reason.METHOD,
    408: Reason.SLOW,
    413: Reason.TOO_LARGE,
    414: Reason.TOO_LARGE,
    415: Reason.CONTENT_TYPE,
    429: Reason.RATE,
    431: Reason.TOO_LARGE,
    500: Reason.FAULT,
    503: Reason.UNAVAILABLE,
}


class Unreadable(HTTPException):
    """The body or query cannot be read at all; the description says why."""

    code = 400


def answer(status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer; it carries its Content-Length."""
    return Response(json.dumps(body) + "\n", status, headers, content_type="application/json")


def over(what: str, settings: Settings, limit: str) -> str:
    """The sentence on a limit that was passed: what came, what is allowed, and the setting that says so."""
    return f"{what}: at most {getattr(settings, limit)} are allowed (setting {limit})"


def reason_of(error: Exception) -> Reason:
    """The counter's label for an error."""
    match error:
        case EventError():
            return Reason.INVALID
        case TransportError():
            return Reason.UNAVAILABLE
        case HTTPException():
            return BY_STATUS.get(error.code or 500, Reason.UNREADABLE)
        case _:
            return Reason.FAULT


def refuse(error: Exception, catalogue: Catalogue) -> Response:
    """The answer to an error."""
    match error:
        case EventError():
            return _invalid(error)
        case TransportError():
            return answer(503, {"error": str(error)}, {"Retry-After": RETRY_AFTER})
        case HTTPException(code=404):
            return answer(404, {"error": "no such event type", "event_types": catalogue.names})
        case MethodNotAllowed():
            allowed = ", ".join(sorted(error.valid_methods or ()))
            return answer(405, {"error": f"{request.method} is not allowed here, only {allowed}"}, {"Allow": allowed})
        case HTTPException(code=int(status)):
            _read_away()
            headers = {name: text for name, text in error.get_headers() if name in TOLD}
            return answer(status, {"error": _sentence(error)}, headers)
        case _:
            current_app.logger.error("a fault in request %s", g.request_id, exc_info=error)
            return answer(500, {"error": "a fault of the server; its log says more"})


def _read_away() -> None:
    """Read what is left of a body: a client that is cut off while it sends would never see the answer."""
    left = MOST_READ_AWAY
    while left > 0 and (data := request.environ["wsgi.input"].read(min(left, CHUNK))):
        left -= len(data)


def _sentence(error: HTTPException) -> str | None:
    """What happened, the value against its limit; werkzeug's own sentence on a large body names neither."""
    if error.description == RequestEntityTooLarge.description:
        most = request.max_content_length
        return f"the body is larger than the {most} bytes that are allowed (setting max_body_bytes)"
    return error.description


def _invalid(error: EventError) -> Response:
    count = len(error.problems)
    body = {
        "error": f"nothing was accepted: {count} problem{'s' if count > 1 else ''}",
        "problems": error.problems[:MOST_PROBLEMS],
        "problem_count": count,
    }
    return answer(400, body)

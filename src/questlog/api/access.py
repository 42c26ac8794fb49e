"""Each request's id and duration, and its line in the log.

The id is the one of ``X-Request-Id`` if that is `SANE`, else a new one; the answer has it in the same header, and so
have the stored events. The line is a JSON object on standard output: ``time`` (UTC), ``level``, ``request_id``,
``client`` (its address), ``method``, ``path`` (without the query), ``status``, ``event_type`` (null for a batch),
``accepted`` (events), ``ms``, and for a refusal ``reason``. Nothing else of the request is logged: no query, no header,
no body.
"""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

import orjson
from flask import Flask, Request, Response
from flask.ctx import _AppCtxGlobals
from flask.globals import app_ctx, request_ctx

from questlog.api.counters import Counters
from questlog.api.lines import Lines
from questlog.events.validation import Receipt, kept_headers, timestamp
from questlog.ids import new_id
from questlog.settings import Settings

HEADER = "X-Request-Id"
SANE = re.compile(r"[A-Za-z0-9._:-]{1,128}")
UNLOGGED = {"/health"}  # asked every few seconds by whoever watches over the server: it would drown the rest
LOGGED = 200  # characters of a path
REMEMBERED_NAMES = 1024  # of headers
FORMAT = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z

Known: TypeAlias = _AppCtxGlobals
"""What is known of a request: ``flask.g`` itself."""

_LINES = Lines()


def attach(app: Flask, settings: Settings, counters: Counters) -> None:
    """Have the application do it for every request; ``flask.g.headers`` are then the request's headers."""

    def begin() -> None:
        request, known = at_hand()
        known.begun = time.perf_counter()
        known.headers = _headers(request.environ)
        given = known.headers.get(HEADER, "")
        known.request_id = given if SANE.fullmatch(given) else new_id()

    def end(response: Response) -> Response:
        request, known = at_hand()
        seconds = time.perf_counter() - known.begun
        response.headers[HEADER] = known.request_id
        counters.took(seconds)
        if settings.api_access_log and request.path not in UNLOGGED:
            _LINES.write(orjson.dumps(_line(request, known, response, seconds), option=FORMAT))
        return response

    app.before_request(begin)
    app.after_request(end)


def at_hand() -> tuple[Request, Known]:
    """The request and what is known of it, themselves: ``flask.request`` and ``flask.g`` look for them at each use."""
    return request_ctx._get_current_object().request, app_ctx._get_current_object().g  # type: ignore[attr-defined]


def receipt(known: Known) -> Receipt:
    """What is stored of the request with each of its events: this moment, its headers, and the id that it goes by."""
    return Receipt(timestamp(datetime.now(UTC)), kept_headers({**known.headers, HEADER: known.request_id}))


def _line(request: Request, known: Known, response: Response, seconds: float) -> dict[str, object]:
    line: dict[str, object] = {
        "time": datetime.now(UTC),
        "level": _level(response.status_code),
        "request_id": known.request_id,
        "client": request.remote_addr,
        "method": request.method,
        "path": request.path[:LOGGED],
        "status": response.status_code,
        "event_type": known.get("event_type"),
        "accepted": known.get("accepted", 0),
        "ms": round(seconds * 1000, 2),
    }
    return {**line, "reason": known.reason.value} if "reason" in known else line


def _level(status: int) -> str:
    if status < 400:
        return "info"
    return "warning" if status < 500 else "error"


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    """Every header of the request, by its name in title case: read once, for werkzeug goes through all at each use."""
    return {name: value for variable, value in environ.items() if value and (name := _name(variable))}


@functools.lru_cache(REMEMBERED_NAMES)
def _name(variable: str) -> str:
    """The header that WSGI gives in a variable (PEP 3333); nothing for a variable that is no header."""
    if variable in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):  # they come without the prefix
        return ""
    if variable in ("CONTENT_TYPE", "CONTENT_LENGTH") or variable.startswith("HTTP_"):
        return variable.removeprefix("HTTP_").replace("_", "-").title()
    return ""

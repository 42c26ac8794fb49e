"""Each request's id and duration, and its line in the log.

The id is the one of ``X-Request-Id`` if that is `SANE`, else a new one; the answer has it in the same header, and so
have the stored events. The line is a JSON object on standard output: ``time`` (UTC), ``level``, ``request_id``,
``client`` (its address), ``method``, ``path`` (without the query), ``status``, ``event_type`` (null for a batch),
``accepted`` (events), ``ms``, and for a refusal ``reason``. Nothing else of the request is logged: no query, no header,
no body.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from datetime import UTC, datetime
from typing import Any, TextIO, cast

import structlog
from flask import Flask, Response, g, request

from questlog.api.counters import Counters
from questlog.api.lines import Lines
from questlog.events.validation import Receipt, kept_headers, timestamp
from questlog.settings import Settings

HEADER = "X-Request-Id"
SANE = re.compile(r"[A-Za-z0-9._:-]{1,128}")
UNLOGGED = {"/health"}  # asked every few seconds by whoever watches over the server: it would drown the rest
LOGGED = 200  # characters of a path

_LINES = cast(TextIO, Lines())


def attach(app: Flask, settings: Settings, counters: Counters) -> None:
    """Have the application do it for every request; ``flask.g.headers`` are then the request's headers."""
    log = _logger() if settings.api_access_log else None

    def begin() -> None:
        g.begun = time.perf_counter()
        g.headers = dict(request.headers)  # once: werkzeug looks through the whole environment for them
        given = g.headers.get(HEADER, "")
        g.request_id = given if SANE.fullmatch(given) else str(uuid.uuid4())

    def end(response: Response) -> Response:
        seconds = time.perf_counter() - g.begun
        response.headers[HEADER] = g.request_id
        counters.took(seconds)
        if log and request.path not in UNLOGGED:
            log.log(_level(response.status_code), "request", **_line(response, seconds))
        return response

    app.before_request(begin)
    app.after_request(end)


def receipt() -> Receipt:
    """What is stored of the request with each of its events: this moment, its headers, and the id that it goes by."""
    return Receipt(timestamp(datetime.now(UTC)), kept_headers({**g.headers, HEADER: g.request_id}))


def _line(response: Response, seconds: float) -> dict[str, object]:
    line: dict[str, object] = {
        "request_id": g.request_id,
        "client": request.remote_addr,
        "method": request.method,
        "path": request.path[:LOGGED],
        "status": response.status_code,
        "event_type": g.get("event_type"),
        "accepted": g.get("accepted", 0),
        "ms": round(seconds * 1000, 2),
    }
    return {**line, "reason": g.reason.value} if "reason" in g else line


def _level(status: int) -> int:
    if status < 400:
        return logging.INFO
    return logging.WARNING if status < 500 else logging.ERROR


def _logger() -> Any:
    made = structlog.wrap_logger(
        structlog.WriteLogger(_LINES),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.JSONRenderer(),
        ],
    )
    return made.bind()  # else it is put together anew for each line

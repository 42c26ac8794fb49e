"""Many events in one request, as newline-delimited JSON: all of them are accepted, or none."""

from __future__ import annotations

from typing import Any

from werkzeug.exceptions import RequestEntityTooLarge

from questlog.api.reading import claimed_type, json_object, wrong
from questlog.api.refusal import Unreadable, over
from questlog.errors import EventError
from questlog.events import Catalogue
from questlog.events.validation import Receipt, received
from questlog.settings import Settings


def events(body: bytes, settings: Settings, catalogue: Catalogue, receipt: Receipt) -> list[dict[str, Any]]:
    """The events of the body's lines, in their order; empty lines are skipped.

    Raises:
        EventError: holds every problem of every line; each problem has its ``line``, counted from 1.
        RequestEntityTooLarge: there are more than `Settings.max_batch_events` events.
    """
    lines = [(number, line) for number, line in enumerate(body.split(b"\n"), start=1) if line.strip()]
    if len(lines) > settings.max_batch_events:
        raise RequestEntityTooLarge(over(f"{len(lines)} events in one request", settings, "max_batch_events"))
    if not lines:
        raise EventError([{"line": 1, **wrong("", None, "no event", "one JSON object a line")}])
    parsed: list[dict[str, Any]] = []
    problems: list[dict[str, object]] = []
    for number, line in lines:
        try:
            parsed.append(_event(json_object(line, settings), catalogue, receipt))
        except Unreadable as error:
            problems.append({"line": number, **wrong("", None, str(error.description), "one JSON object a line")})
        except EventError as error:
            problems.extend({"line": number, **problem} for problem in error.problems)
    if problems:
        raise EventError(problems)
    return parsed


def _event(given: dict[str, Any], catalogue: Catalogue, receipt: Receipt) -> dict[str, Any]:
    name = claimed_type(given.pop("event_type", None), catalogue.names)
    return received(catalogue[name], given, receipt)

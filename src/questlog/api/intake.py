"""The way of an event through the API: admit, read, check, publish, count, answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from flask import Response, g
from werkzeug.exceptions import MethodNotAllowed

from questlog.api import access, batch, reading, refusal
from questlog.api.counters import Counters
from questlog.api.gate import Gate
from questlog.events import Catalogue
from questlog.events.catalogue import UNKNOWN_TYPE
from questlog.events.validation import received
from questlog.events.wire import Record, encode
from questlog.settings import Settings

Publish = Callable[[Sequence[Record]], None]

METHODS = ["GET", "POST"]


class Intake:
    """The views that take events, and what becomes of their errors."""

    def __init__(self, settings: Settings, catalogue: Catalogue, publish: Publish, counters: Counters) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._publish = publish
        self._counters = counters
        self._gate = Gate(settings)

    def take_one(self, name: str) -> Response:
        """One event of the type `name`, from the query, a form or a JSON object."""
        request, known = access.at_hand()
        known.event_type = name
        if request.method not in METHODS:  # HEAD comes with GET, and may change nothing
            raise MethodNotAllowed(METHODS)
        self._gate.admit(request, known.headers)
        given = reading.parameters(request, self._settings, self._catalogue[name])
        reading.claimed_type(given.setdefault("event_type", name), (name,))
        del given["event_type"]
        return self._accept_one(received(self._catalogue[name], given, access.receipt(known)), known)

    def take_many(self) -> Response:
        """One event as a JSON object, or many as NDJSON."""
        request, known = access.at_hand()
        self._gate.admit(request, known.headers)
        if request.query_string:
            raise refusal.Unreadable("no query is taken here: put every field into the body")
        if request.mimetype not in (reading.JSON, reading.NDJSON):
            raise reading.unsupported(request, reading.JSON, reading.NDJSON)
        body, receipt = reading.body(request, self._settings), access.receipt(known)
        if request.mimetype == reading.JSON:
            given = reading.json_object(body, self._settings)
            known.event_type = reading.claimed_type(given.pop("event_type", None), self._catalogue.names)
            return self._accept_one(received(self._catalogue[known.event_type], given, receipt), known)
        events = batch.events(body, self._settings, self._catalogue, receipt)
        self._accept(events, known)
        return refusal.answer(201, {"accepted": len(events)})

    def refuse(self, error: Exception) -> Response:
        """The answer to whatever was raised; counts it."""
        g.reason = refusal.reason_of(error)
        self._counters.count_refused(g.get("event_type", UNKNOWN_TYPE), g.reason)
        return refusal.refuse(error, self._catalogue)

    def _accept_one(self, event: dict[str, Any], known: access.Known) -> Response:
        self._accept([event], known)
        return refusal.answer(201, {"event_id": event["event_id"]})

    def _accept(self, events: list[dict[str, Any]], known: access.Known) -> None:
        """Publish the events, then count them."""
        records = [encode(event) for event in events]
        with self._counters.publishing():
            self._publish(records)
        known.accepted = len(events)
        for name, number in Counter(event["event_type"] for event in events).items():
            self._counters.count_accepted(name, number)

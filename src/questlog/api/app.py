"""The Flask application: one endpoint for each event type of the catalogue, one for batches, six to look in.

=====================  ======================================================================================
``GET|POST /<type>``   one event; fields from the query, a form or a JSON object (the body's value counts
                       where the query has the same name), so that a plain ``curl`` or ``ab`` will do
``GET|POST /``         the same, for the type `DEFAULT_TYPE`
``POST /events``       one event as a JSON object that names its ``event_type``, or many as NDJSON
``GET /event-types``   the catalogue
``GET /health``        200 while events can be taken, else 503
``GET /metrics``       counts, in Prometheus' text format
``GET /openapi.json``  the whole of this as an OpenAPI document
``GET /docs``          a page on which to try it
=====================  ======================================================================================

An event is answered with 201 and ``{"event_id": ...}``, a batch with 201 and ``{"accepted": n}``: after `publish`
returned, and never before. Errors are in `refusal`; who may write, and how often, in `gate`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from flask import Flask, Response

from questlog.api import access, counters, description, openapi, trying
from questlog.api.intake import METHODS, Intake, Publish
from questlog.api.pages import BATCH, HEALTH, METRICS, OPENAPI, RESERVED, TYPES
from questlog.api.refusal import answer
from questlog.errors import SettingsError, TransportError
from questlog.events import Catalogue
from questlog.events.catalogue import DEFAULT_TYPE
from questlog.settings import Settings

Check = Callable[[], None]

EXPOSITION = "text/plain; version=0.0.4"


View = Callable[..., Any]


class Application(Flask):
    """Flask without the question, several times a request, whether a function is a coroutine: here none is."""

    def ensure_sync(self, func: View) -> View:
        """The function itself."""
        return func


def create_app(settings: Settings, catalogue: Catalogue, publish: Publish, check: Check = lambda: None) -> Flask:
    """The application.

    Args:
        publish: takes the records to Kafka; returns once they are acknowledged, raises TransportError when they are not
        check: asks whether events can be taken; raises TransportError when they cannot

    Raises:
        SettingsError: an event type has the name of another endpoint.
    """
    if taken := sorted(set(RESERVED) & set(catalogue.names)):
        raise SettingsError(f"event types {taken!r} have the name of an endpoint: give them another one")
    app = Application("questlog", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.debug = False  # whatever FLASK_DEBUG says
    counted = counters.Counters(settings)
    access.attach(app, settings, counted)
    intake = Intake(settings, catalogue, publish, counted)
    for name in catalogue.names:
        app.add_url_rule(f"/{name}", name, functools.partial(intake.take_one, name), methods=METHODS)
    if DEFAULT_TYPE in catalogue:
        app.add_url_rule("/", "default", functools.partial(intake.take_one, DEFAULT_TYPE), methods=METHODS)
    app.add_url_rule(f"/{BATCH}", BATCH, intake.take_many, methods=["POST"])
    app.add_url_rule(f"/{TYPES}", TYPES, lambda: answer(200, description.described(catalogue)))
    app.add_url_rule(f"/{HEALTH}", HEALTH, functools.partial(_health, check))
    app.add_url_rule(f"/{METRICS}", METRICS, lambda: Response(counters.exposition(settings), mimetype=EXPOSITION))
    described = openapi.document(settings, catalogue)
    app.add_url_rule(f"/{OPENAPI}", OPENAPI.replace(".", "-"), lambda: answer(200, described))
    app.register_blueprint(trying.page())
    app.register_error_handler(Exception, intake.refuse)
    return app


def _health(check: Check) -> Response:
    try:
        check()
    except TransportError as error:
        return answer(503, {"status": "unavailable", "error": str(error)})
    return answer(200, {"status": "ok"})

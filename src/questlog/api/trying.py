"""A page on which a person tries the API: Swagger UI, served from its own package."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_swagger_ui import get_swaggerui_blueprint  # type: ignore[import-untyped]

from questlog.api.pages import DOCS, OPENAPI

CONFIG = {
    "app_name": "Questlog: try the API",
    "layout": "BaseLayout",  # without the bar that asks for another document
    "validatorUrl": None,  # else it sends the document's address to a validator on the web
    "oauth2RedirectUrl": "",  # else it is made of the request's Host header
}
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""The browser itself sees to it that no request goes to another server."""


def page() -> Blueprint:
    """The page and its files below ``/docs/``."""
    made: Blueprint = get_swaggerui_blueprint(f"/{DOCS}", f"/{OPENAPI}", CONFIG)
    made.after_request(_held_to_the_policy)
    return made


def _held_to_the_policy(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    return response

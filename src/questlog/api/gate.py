"""Who may write, how often, and how large a request's head may be: asked before anything of the event is read."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from flask import Request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import RequestHeaderFieldsTooLarge, RequestURITooLarge, TooManyRequests, Unauthorized

from questlog.api.refusal import over
from questlog.api.throttle import Throttle
from questlog.settings import KEY_HEADER, Settings

CHALLENGE = WWWAuthenticate("ApiKey", {"realm": "questlog", "header": KEY_HEADER})


class Gate:
    """Lets a request pass, or raises the refusal."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._throttle = Throttle(settings) if settings.rate_limit else None
        self._keys = [key.get_secret_value().encode() for key in settings.api_keys]

    def admit(self, request: Request, headers: Mapping[str, str]) -> None:
        """Return if the request may write. The client is the address that it comes from, whatever its headers say.

        Raises:
            TooManyRequests: the client has sent too many in this second; says when to come again.
            Unauthorized: keys are set, and the request has none of them.
            RequestURITooLarge: its query is too long.
            RequestHeaderFieldsTooLarge: it has too many headers, or too large ones.
        """
        self._check_rate(request.remote_addr or "")
        self._check_key(headers)
        self._check_head(request, headers)

    def _check_rate(self, client: str) -> None:
        if self._throttle and (wait := self._throttle.wait(client)):
            raise TooManyRequests(over("requests in one second", self._settings, "rate_limit"), retry_after=wait)

    def _check_key(self, headers: Mapping[str, str]) -> None:
        if not self._keys:
            return
        given = headers.get(KEY_HEADER.title(), "").encode("utf-8", "replace")
        matches = [hmac.compare_digest(given, key) for key in self._keys]  # all, always: the time taken tells nothing
        if not any(matches):
            raise Unauthorized(f"writing needs the header {KEY_HEADER} with a key of this server", None, CHALLENGE)

    def _check_head(self, request: Request, headers: Mapping[str, str]) -> None:
        if (size := len(request.query_string)) > self._settings.max_query_bytes:
            raise RequestURITooLarge(over(f"a query of {size} bytes", self._settings, "max_query_bytes"))
        if (count := len(headers)) > self._settings.max_header_count:
            raise RequestHeaderFieldsTooLarge(over(f"{count} headers", self._settings, "max_header_count"))
        if (size := sum(map(len, headers)) + sum(map(len, headers.values()))) > self._settings.max_header_bytes:
            raise RequestHeaderFieldsTooLarge(over(f"headers of {size} bytes", self._settings, "max_header_bytes"))

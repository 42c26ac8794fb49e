"""The connections over which Python speaks WebHDFS."""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter

CONNECT_SECONDS, READ_SECONDS = 5, 60


class Session(requests.Session):
    """Kept-alive connections for so many threads, never without a timeout, and blind to the environment's proxies."""

    def __init__(self, threads: int) -> None:
        super().__init__()
        self.trust_env = False
        self.mount("http://", HTTPAdapter(pool_maxsize=threads))
        self.mount("https://", HTTPAdapter(pool_maxsize=threads))

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """As in `requests`, with the timeouts of this module."""
        return super().request(*args, **{"timeout": (CONNECT_SECONDS, READ_SECONDS), **kwargs})

"""The site of a bare clone, served on loopback, and the machine's browser to visit it."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from questlog.book.browser import launch
from questlog.paths import ROOT

SCREENSHOTS = ROOT / "_build" / "screenshots"
COMPRESSED = ("text/", "application/javascript", "image/svg")
GZIP_LEVEL = 6


class Handler(SimpleHTTPRequestHandler):
    """Serves files, text compressed as public servers send it, and says nothing."""

    def do_GET(self) -> None:
        file = Path(self.translate_path(self.path))
        kind = self.guess_type(str(file))
        if not file.is_file() or not kind.startswith(COMPRESSED):
            super().do_GET()
            return
        body = gzip.compress(file.read_bytes(), GZIP_LEVEL)
        self.send_response(HTTPStatus.OK)
        for name, value in (("Content-Type", kind), ("Content-Encoding", "gzip"), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def address(html: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(html))) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where a picture of each page is left, for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return SCREENSHOTS

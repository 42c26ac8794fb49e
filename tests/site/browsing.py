"""A browser on the site: every page is visited at two widths, and what it complains of is remembered."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

NARROW = {"width": 390, "height": 844}
WIDE = {"width": 1440, "height": 900}
HIGHEST = 4000  # pixels of a page that are drawn at once: Chromium leaves blank what is far below
EXTENT = "[innerWidth, document.documentElement.scrollHeight]"
NOTHING_STICKS = (
    ".bd-header-article, .bd-header, .bd-sidebar-primary, .bd-sidebar-secondary { position: static !important }"
)
LOADED = "document.fonts.ready.then(() => [...document.images].every(image => image.complete))"


@dataclass
class Visit:
    """One page in a fresh browser profile, with all that went wrong while it was open, and its weight in bytes."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    weight: int = 0

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)

    def go(self, address: str) -> None:
        """Open a page and wait until it has loaded, pictures and fonts included."""
        self.weight = 0
        self.page.goto(address, wait_until="load")
        self.page.evaluate("document.querySelectorAll('img').forEach(image => { image.loading = 'eager' })")
        self.page.wait_for_function(LOADED)

    def picture(self, path: Path) -> None:
        """Save a picture of the whole page, drawn in pieces: each is scrolled to, as Chromium draws what it shows."""
        width, height = self.page.evaluate(EXTENT)
        seen = self.page.viewport_size or WIDE
        self.page.set_viewport_size({"width": width, "height": min(height, HIGHEST)})
        width, height = self.page.evaluate(EXTENT)
        whole = Image.new("RGB", (width, height))
        for wanted in range(0, height, HIGHEST):
            top = self.page.evaluate("top => { scrollTo({top, behavior: 'instant'}); return scrollY }", wanted)
            drawn = self.page.screenshot(style=NOTHING_STICKS)
            whole.paste(Image.open(io.BytesIO(drawn)), (0, round(top)))
        self.page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
        self.page.set_viewport_size(seen)
        whole.save(path)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        self.complaints.append(f"request failed: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")
        self.weight += int(response.headers.get("content-length", 0))


@contextmanager
def visit(browser: Browser, *, size: dict[str, int], theme: str) -> Iterator[Visit]:
    """A visitor whose screen has this `size` in pixels, and whose system prefers this `theme`."""
    context = browser.new_context(viewport=size, color_scheme=theme, accept_downloads=True)
    try:
        yield Visit(context.new_page())
    finally:
        context.close()

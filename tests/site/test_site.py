"""The site in a real browser: every page at the width of a phone and of a desk, each in the dark and in the light."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import NARROW, WIDE, visit
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from sphinx_external_toc.parsing import parse_toc_yaml

from questlog.book import chapters
from questlog.paths import ROOT

PAGES = [*parse_toc_yaml(ROOT / chapters.TOC)]
SIZES = {"phone": NARROW, "desk": WIDE}
SCREENS = {f"{name}-{theme}": (size, theme) for name, size in SIZES.items() for theme in ("dark", "light")}
LONGEST = "book/06_presto"
HEAVIEST = 1_500_000  # bytes of a page with all that it loads, on the wire
SEVERE = {"serious", "critical"}

every_page = pytest.mark.parametrize("page", PAGES)
every_screen = pytest.mark.parametrize("screen", SCREENS)


def findings(page: Page) -> list[str]:
    """What axe finds that keeps people from reading: the rule, and the first element that breaks it."""
    violations = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({len(one['nodes'])}): {one['nodes'][0]['html'][:200]}"
        for one in violations
        if one["impact"] in SEVERE
    ]


@every_screen
@every_page
def test_a_page_is_whole_and_readable(
    browser: Browser, address: str, screenshots: Path, page: str, screen: str
) -> None:
    size, theme = SCREENS[screen]
    with visit(browser, size=size, theme=theme) as visitor:
        visitor.go(f"{address}/{page}.html")
        seen = visitor.page
        visitor.picture(screenshots / f"{Path(page).name}-{screen}.png")
        width = seen.evaluate("document.documentElement.scrollWidth")
        broken = seen.evaluate("[...document.images].filter(image => !image.naturalWidth).map(image => image.src)")

        assert visitor.complaints == []
        assert broken == []
        assert width <= size["width"], "the page scrolls sideways"
        assert visitor.weight < HEAVIEST
        assert findings(seen) == []


@every_screen
def test_search_finds_the_sword(browser: Browser, address: str, screen: str) -> None:
    size, theme = SCREENS[screen]
    with visit(browser, size=size, theme=theme) as visitor:
        visitor.go(f"{address}/{PAGES[0]}.html")
        visitor.page.keyboard.press("Control+k")
        visitor.page.keyboard.type("sword")
        visitor.page.keyboard.press("Enter")

        found = visitor.page.locator("#search-results")
        expect(found.locator("a", has_text="The event dictionary").first).to_be_visible()
        assert visitor.complaints == []


@every_screen
def test_a_picture_of_a_page_has_what_is_far_below(browser: Browser, address: str, tmp_path: Path, screen: str) -> None:
    size, theme = SCREENS[screen]
    with visit(browser, size=size, theme=theme) as visitor:
        visitor.go(f"{address}/{LONGEST}.html")
        visitor.picture(tmp_path / "page.png")
        foot = visitor.page.locator("footer.bd-footer-content").bounding_box()
        assert foot

        with Image.open(tmp_path / "page.png") as drawn:
            left, top = int(foot["x"]), int(foot["y"])
            (darkest, brightest) = (
                drawn.crop((left, top, left + 200, top + int(foot["height"]))).convert("L").getextrema()
            )
    assert brightest - darkest > 100


def test_the_theme_switches_and_stays(browser: Browser, address: str) -> None:
    with visit(browser, size=WIDE, theme="light") as visitor:
        visitor.go(f"{address}/{PAGES[0]}.html")
        root = visitor.page.locator("html")
        expect(root).to_have_attribute("data-theme", "light")

        visitor.page.get_by_role("button", name="Color mode").click()
        expect(root).to_have_attribute("data-theme", "dark")
        visitor.go(f"{address}/{PAGES[1]}.html")
        expect(root).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("page", PAGES[:3])
def test_the_keyboard_reaches_the_content_first(browser: Browser, address: str, page: str) -> None:
    with visit(browser, size=WIDE, theme="light") as visitor:
        visitor.go(f"{address}/{page}.html")

        visitor.page.keyboard.press("Tab")
        assert visitor.page.evaluate("document.activeElement.textContent") == "Skip to main content"
        visitor.page.keyboard.press("Enter")
        visitor.page.keyboard.press("Tab")

        assert visitor.page.evaluate("document.querySelector('#main-content').contains(document.activeElement)")


@pytest.mark.parametrize("chapter", chapters.chapters())
def test_a_chapter_can_be_downloaded_as_it_was_executed(browser: Browser, address: str, chapter: str) -> None:
    with visit(browser, size=WIDE, theme="light") as visitor:
        visitor.go(f"{address}/book/{chapter}.html")
        visitor.page.locator(".dropdown-download-buttons button").first.click()
        with visitor.page.expect_download() as download:
            visitor.page.locator(".btn-download-source-button").click()

        notebook = json.loads(download.value.path().read_text())
        assert any(cell.get("outputs") for cell in notebook["cells"])


def test_the_first_page_shows_two_ways_to_read(browser: Browser, address: str) -> None:
    with visit(browser, size=WIDE, theme="light") as visitor:
        visitor.page.goto(f"{address}/index.html")
        ways = visitor.page.get_by_role("navigation", name="Two ways to read this book")
        ways.get_by_role("link", name="I build").click()

        expect(visitor.page).to_have_title(re.compile("Where to begin"))


def test_the_report_is_there_as_a_pdf(browser: Browser, address: str, html: Path) -> None:
    with visit(browser, size=WIDE, theme="light") as visitor:
        visitor.go(f"{address}/{PAGES[0]}.html")
        target = visitor.page.get_by_role("link", name="This report as a PDF").get_attribute("href")

    printed = (html / "book" / str(target)).resolve().read_bytes()
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") > 3

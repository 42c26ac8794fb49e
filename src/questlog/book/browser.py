"""The machine's Chromium or Chrome: it prints the report as a PDF, and the tests of the site visit every page with it.

To find the browser, this module needs only the standard library, so that scripts/setup can ask it before anything is
installed. To start the browser, it needs Playwright.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from questlog.errors import SetupError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

# chromium-browser comes last: on Ubuntu it may be a stub that only asks for the snap.
NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
SNAPS = "/snap/bin"  # not on every PATH
QUIET = ("--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync")
START_ONCE = """
from playwright.sync_api import sync_playwright
from questlog.book import browser
with sync_playwright() as playwright:
    browser.launch(playwright).close()
"""
MISSING_LIBRARY = re.compile(r"error while loading shared libraries: ([^\s:]+)")
BROWSER_SAID = re.compile(r"^\[pid=\d+\]\[err\] (.+)", re.MULTILINE)
SHOWN = 1000  # characters of what the browser or Playwright said


def find() -> str | None:
    """The path of the browser; None if this machine has none."""
    return next((path for name in NAMES if (path := shutil.which(name) or shutil.which(name, path=SNAPS))), None)


def sandbox() -> tuple[str, ...]:
    """Chromium refuses to run as root unless its sandbox is off."""
    return ("--no-sandbox",) if os.geteuid() == 0 else ()


def launch(playwright: Playwright) -> Browser:
    """Start the browser without a window.

    Raises:
        SetupError: this machine has no browser.
    """
    return playwright.chromium.launch(executable_path=_required(), args=[*QUIET, *sandbox()])


def check() -> None:
    """Start the browser once through Playwright, in a process of its own whose output can be quoted.

    Raises:
        SetupError: the browser did not start; says what is missing.
    """
    path = _required()
    done = subprocess.run([sys.executable, "-c", START_ONCE], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError(
            f"Playwright could not start {path}: {reason(done.stderr)}\n"
            "Correct this, then run scripts/setup --with-browser again."
        )


def reason(output: str) -> str:
    """Why the browser did not start, from what Playwright wrote, and what to do."""
    if missing := MISSING_LIBRARY.search(output):
        library = missing[1]
        return f"the shared library {library} is missing. Debian's `apt-file search {library}` names its package."
    said = "\n".join(BROWSER_SAID.findall(output)) or output.strip()
    return f"its output was:\n{said[-SHOWN:]}"


def _required() -> str:
    if path := find():
        return path
    raise SetupError(f"no browser found, none of {', '.join(NAMES)}: run scripts/setup --with-browser")


if __name__ == "__main__":
    try:
        if sys.argv[1:] == ["--check"]:
            check()
        print(_required())
    except SetupError as error:
        sys.exit(str(error))

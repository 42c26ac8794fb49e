"""The report on paper: Chromium prints the page of the site, with the site's style for printing."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from questlog.book.browser import sandbox
from questlog.errors import BookError

REPORT = "report.pdf"
FLAGS = ("--headless", "--disable-quic", "--disable-background-networking", "--no-first-run", "--no-pdf-header-footer")
SECONDS = 120
SHOWN = 1000  # characters of what Chromium said


def print_page(chromium: str, page: Path, target: Path) -> None:
    """Print a page of the site, a file, into `target`.

    Raises:
        BookError: Chromium did not print it; quotes what it said.
    """
    with tempfile.TemporaryDirectory() as profile:
        flags = (*FLAGS, *sandbox(), f"--user-data-dir={profile}", f"--print-to-pdf={target.resolve()}")
        command = [chromium, *flags, page.resolve().as_uri()]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
        except subprocess.TimeoutExpired as error:
            raise BookError(f"{chromium} did not print {page} within {SECONDS} s") from error
    if not target.is_file():
        raise BookError(f"{chromium} did not print {page}: {done.stderr[-SHOWN:]}")

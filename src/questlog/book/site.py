"""Builds the site with Jupyter Book; every warning is an error."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from questlog.book import browser, chapters, pdf
from questlog.book.manifest import Manifest
from questlog.book.plain import plain
from questlog.errors import BookError

JUPYTER_BOOK = "from jupyter_book.cli.main import main; main()"
# --all: a page that was built before would keep its warning to itself
STRICT = ("--all", "-n", "-W", "--keep-going", "-q")
MARKS = ("WARNING", "ERROR", "error:", "Error")
SHOWN_LINES = 30
COMPARED = "editions.json"
MANIFESTS = TypeAdapter(list[Manifest])


def build(source: Path, out: Path | None = None) -> Path:
    """Build the site of the folder `source` into ``_build/html`` under `out` (by default under `source`).

    If this machine has Chromium or Chrome, the site has the report as a PDF, too.

    Returns:
        Path of its ``index.html``.

    Raises:
        BookError: quotes the warnings.
    """
    out = (out or source).resolve()
    command = [sys.executable, "-c", JUPYTER_BOOK, "build", str(source.resolve()), "--path-output", str(out), *STRICT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BookError(f"the site of {source} was not built:\n{_complaints(done.stderr + done.stdout)}")
    html = out / "_build" / "html"
    if chromium := browser.find():
        pdf.print_page(chromium, html / f"{chapters.first_page(source)}.html", html / pdf.REPORT)
    return html / "index.html"


def lay_beside(source: Path, accounts: Sequence[Manifest]) -> None:
    """Put the accounts of all editions into the folder of one, for its page that compares them."""
    (source / "book" / COMPARED).write_bytes(MANIFESTS.dump_json(list(accounts), indent=1))


def laid_beside(source: Path) -> list[Manifest]:
    """The accounts that `lay_beside` put there; none in a checkout, where there is but one edition."""
    file = source / "book" / COMPARED
    return MANIFESTS.validate_json(file.read_bytes()) if file.is_file() else []


def _complaints(said: str) -> str:
    lines = plain(said).splitlines()
    marked = [line for line in lines if any(mark in line for mark in MARKS)]
    return "\n".join((marked or lines)[-SHOWN_LINES:])

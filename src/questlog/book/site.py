"""Builds the site with Jupyter Book; every warning is an error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from questlog.book.plain import plain
from questlog.errors import BookError

JUPYTER_BOOK = "from jupyter_book.cli.main import main; main()"
# --all: a page that was built before would keep its warning to itself
STRICT = ("--all", "-n", "-W", "--keep-going", "-q")
MARKS = ("WARNING", "ERROR", "error:", "Error")
SHOWN_LINES = 30


def build(source: Path, out: Path | None = None) -> Path:
    """Build the site of the folder `source` into ``_build/html`` under `out` (by default under `source`).

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
    return out / "_build" / "html" / "index.html"


def _complaints(said: str) -> str:
    lines = plain(said).splitlines()
    marked = [line for line in lines if any(mark in line for mark in MARKS)]
    return "\n".join((marked or lines)[-SHOWN_LINES:])

"""Editions of the book, side by side below one build folder: the same chapters, run with other parameters.

::

    editions/NAME/   the executed chapters with their manifest: what `jupyter-book build` needs
    html/NAME/       the site of that edition
    html/index.html  leads to the edition that was built last

The page `editions` of each site compares all of them, so every site is built anew when one edition is.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from questlog.book import manifest, site
from questlog.book.arguments import Value
from questlog.book.manifest import Manifest
from questlog.errors import BookError
from questlog.paths import ROOT

BUILD = ROOT / "_build" / "book"
DEFAULT = "default"
MOST_CHARACTERS = 40
NAME = re.compile(rf"[a-z0-9](?:[a-z0-9-]{{0,{MOST_CHARACTERS - 2}}}[a-z0-9])?")
FORWARD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Questlog</title>
<meta http-equiv="refresh" content="0; url={to}"></head>
<body><a href="{to}">Questlog</a></body></html>
"""


@dataclass(frozen=True)
class Edition:
    """One edition by its name, below the folder `build` of all.

    Raises:
        BookError: the name is not one of small letters, digits and hyphens.
    """

    name: str
    build: Path = BUILD

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise BookError(
                f"an edition cannot be named {self.name!r}: its name becomes a folder and an address, so it takes 1 to "
                f"{MOST_CHARACTERS} of a-z, 0-9 and -, with no - at either end, as in --name large"
            )

    @property
    def folder(self) -> Path:
        """Where its executed chapters are."""
        return self.build / "editions" / self.name

    @property
    def html(self) -> Path:
        """Where its site is."""
        return self.build / "html" / self.name

    @property
    def manifest(self) -> Manifest | None:
        """Its account; None before its first chapter has run."""
        return manifest.read(self.folder / "book")


def named_after(given: Mapping[str, Value]) -> str:
    """The name of an edition that was given none: its parameters, so that it replaces no other; `DEFAULT` without."""
    words = "-".join(f"{name}-{value}" for name, value in given.items())
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or DEFAULT


def known(build: Path = BUILD) -> tuple[Edition, ...]:
    """The editions of which at least one chapter has run: the default one first, then by name."""
    folders = sorted((build / "editions").glob("*"), key=lambda folder: (folder.name != DEFAULT, folder.name))
    found = (Edition(folder.name, build) for folder in folders if NAME.fullmatch(folder.name))
    return tuple(edition for edition in found if edition.manifest)


def publish(latest: Edition) -> Path:
    """Build the site of every edition, each with the comparison of all, and let the first page lead to the `latest`.

    Returns:
        Path of the latest edition's ``index.html``.

    Raises:
        BookError: names the edition whose site cannot be built.
    """
    there = known(latest.build)
    accounts = [edition.manifest for edition in there]
    for edition in there:
        site.lay_beside(edition.folder, [account for account in accounts if account])
        try:
            _replace(edition.html, site.build(edition.folder).parent)
        except BookError as error:
            raise BookError(f"edition {edition.name}: {error}\nRun it again, or delete {edition.folder}.") from error
    front = latest.html.parent / "index.html"
    front.write_text(FORWARD.format(to=f"{latest.name}/index.html"))
    return latest.html / "index.html"


def _replace(site_of_edition: Path, built: Path) -> None:
    """Put what was built into place; what was there before is away only for the moment of two renames."""
    site_of_edition.parent.mkdir(parents=True, exist_ok=True)
    before = site_of_edition.with_name(f".{site_of_edition.name}.before")
    shutil.rmtree(before, ignore_errors=True)
    if site_of_edition.exists():
        site_of_edition.rename(before)
    built.rename(site_of_edition)
    shutil.rmtree(before, ignore_errors=True)

"""The chapters of the book: their order is that of ``_toc.yml``, their parameters those that each declares."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import papermill
from sphinx_external_toc.api import SiteMap
from sphinx_external_toc.parsing import MalformedError, parse_toc_yaml

from questlog.errors import BookError
from questlog.paths import ROOT

TOC = "_toc.yml"
CONFIG = "_config.yml"
README = "README.md"  # a page of the site includes a part of it
NUMBERED = re.compile(r"\d\d_")


@dataclass(frozen=True)
class Parameter:
    """One line ``name: type = default  # help`` of a chapter's cell tagged ``parameters``; `default` as written."""

    name: str
    type: str
    default: str
    help: str

    def __str__(self) -> str:
        return f"{self.name}: {self.type} = {self.default}  ({self.help})"


def chapters(root: Path = ROOT) -> tuple[str, ...]:
    """Names of the chapters in the order in which they run: the numbered ones, those for reference, then the report.

    The report comes first on the site, but it tells what the others computed.

    Raises:
        BookError: when the table of contents is missing or damaged.
    """
    names = [Path(page).name for page in _contents(root) if notebook(Path(page).name, root).exists()]
    report = Path(first_page(root)).name
    return tuple(sorted(names, key=lambda name: (NUMBERED.match(name) is None, name == report)))


def first_page(root: Path = ROOT) -> str:
    """The page that the site opens with, as ``_toc.yml`` names it: ``book/report``.

    Raises:
        BookError: when the table of contents is missing or damaged.
    """
    return str(_contents(root).root.docname)


def _contents(root: Path) -> SiteMap:
    try:
        return parse_toc_yaml(root / TOC)
    except (OSError, MalformedError) as error:
        raise BookError(f"the table of contents {root / TOC} cannot be read: {error}") from error


def notebook(chapter: str, root: Path = ROOT) -> Path:
    """The chapter's notebook in a checkout or a build folder."""
    return root / "book" / f"{chapter}.ipynb"


def parameters(root: Path = ROOT) -> dict[str, dict[str, Parameter]]:
    """For each chapter, in the order of running, its parameters by name."""
    return {chapter: _declared(notebook(chapter, root)) for chapter in chapters(root)}


def select(only: Sequence[str] | None, root: Path = ROOT) -> tuple[str, ...]:
    """The chapters asked for, in the order of running; all of them for None.

    Raises:
        BookError: names those that do not exist.
    """
    known = chapters(root)
    if unknown := sorted(set(only or ()) - set(known)):
        raise BookError(f"there is no chapter {', '.join(map(repr, unknown))}; there are {', '.join(known)}")
    return tuple(name for name in known if only is None or name in only)


def _declared(path: Path) -> dict[str, Parameter]:
    found = papermill.inspect_notebook(literal(path)).values()
    return {
        one["name"]: Parameter(one["name"], one["inferred_type_name"], one["default"], one["help"]) for one in found
    }


def literal(path: Path) -> str:
    """The path as papermill has to be given it."""
    return str(path).replace("{", "{{").replace("}", "}}")  # papermill formats the paths that it is given

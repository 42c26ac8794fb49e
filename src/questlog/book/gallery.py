"""The named queries as a page: each question with its columns, its parameters, its SQL, and who asks it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from questlog.book import notebooks
from questlog.book.comparison import literal, table
from questlog.query import library
from questlog.query.library import Query

PACKAGE = Path(__file__).parents[1]
ELSEWHERE = {"query", "cli"}  # the room that holds the questions does not ask them; the command line has examples
ASKING = re.compile(r"\bquery\(settings\b|\bQUERIES\b")
"""What the text of a module has that asks: others name things like a question, such as the effect ``bots``."""
NAMED = re.compile(r"questlog query \w+|<query-\w+>")
"""In prose only a command or a link names a question."""


def markdown(book: Path) -> str:
    """All questions, in alphabetical order; `book` is the folder of the chapters that may use them.

    Each has a target ``query-NAME``, for links from other pages.
    """
    chapters = {path.stem: _words(path) for path in sorted(book.glob("*.ipynb"))}
    files = [path for path in sorted(PACKAGE.rglob("*.py")) if ELSEWHERE.isdisjoint(path.parts)]
    modules = {_module(path): text for path in files if ASKING.search(text := path.read_text())}
    return "\n\n".join(_entry(library.describe(name), chapters, modules) for name in library.names())


def users(name: str, texts: dict[str, str]) -> list[str]:
    """Those of `texts`, by their keys, that name the question: in quotes as in Python, in a command, in a link."""
    asked = re.compile(rf"""["']{name}["']|questlog query {name}\b|<query-{name}>""")
    return [key for key, text in texts.items() if asked.search(text)]


def _words(path: Path) -> str:
    """The code of a chapter, and of its prose what names a question."""
    cells = notebooks.read(path).cells
    return "\n".join(one.source if one.cell_type == "code" else "\n".join(NAMED.findall(one.source)) for one in cells)


def _module(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def _where(chapters: list[str], modules: list[str]) -> str:
    read = ", ".join(f"{{doc}}`{chapter}`" for chapter in chapters)
    told = f"asked in {read}" if read else "no chapter asks it, so it is yours to ask"
    return f"{told}; in the package by {', '.join(f'`{module}`' for module in modules)}" if modules else told


def _entry(query: Query, chapters: dict[str, str], modules: dict[str, str]) -> str:
    where = _where(users(query.name, chapters), users(query.name, modules))
    return "\n\n".join(
        (
            f"(query-{query.name})=\n## {literal(query.question)}",
            f"`questlog query {query.name}`; {where}.",
            *_tables(query),
            f"```sql\n{_statement(query)}\n```",
        )
    )


def _tables(query: Query) -> Iterator[str]:
    yield table(["column", "meaning"], _rows(query.columns.items()))
    if query.parameters:
        rows = [(f"`{name}`", f"`{one.default!r}`", literal(one.meaning)) for name, one in query.parameters.items()]
        yield table(["parameter", "unless given", "meaning"], rows)


def _rows(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(f"`{name}`", literal(meaning)) for name, meaning in pairs]


def _statement(query: Query) -> str:
    """The SQL without the comments that the tables above it show."""
    lines = query.sql.splitlines()
    head = next(number for number, line in enumerate(lines) if not line.startswith("-- "))
    return "\n".join(lines[head:])

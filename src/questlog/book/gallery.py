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
LIBRARY = "query"  # the room that holds the questions does not ask them


def markdown(book: Path) -> str:
    """All questions, in alphabetical order; `book` is the folder of the chapters that may use them.

    Each has a target ``query-NAME``, for links from other pages.
    """
    chapters = {path.stem: _words(path) for path in sorted(book.glob("*.ipynb"))}
    modules = {path.stem: path.read_text() for path in sorted(PACKAGE.rglob("*.py")) if LIBRARY not in path.parts}
    return "\n\n".join(_entry(library.describe(name), chapters, modules) for name in library.names())


def users(name: str, texts: dict[str, str]) -> list[str]:
    """Those of `texts`, by their keys, that name the question: in quotes, as Python does, or as a shell's word."""
    asked = re.compile(rf"""["']{name}["']|questlog query {name}\b""")
    return [key for key, text in texts.items() if asked.search(text)]


def _words(path: Path) -> str:
    return "\n".join(cell.source for cell in notebooks.read(path).cells)


def _where(used: list[str]) -> str:
    return f"asked in {', '.join(used)}" if used else "no chapter asks it, so it is yours to ask"


def _entry(query: Query, chapters: dict[str, str], modules: dict[str, str]) -> str:
    used = [f"{{doc}}`{chapter}`" for chapter in users(query.name, chapters)]
    used += [f"the module `{module}` of the package" for module in users(query.name, modules)]
    return "\n\n".join(
        (
            f"(query-{query.name})=\n## {literal(query.question)}",
            f"`questlog query {query.name}`; {_where(used)}.",
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

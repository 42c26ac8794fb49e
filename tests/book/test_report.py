"""The report: no number in it was typed, and each leads to the query and the chapter behind it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from questlog.book import chapters, notebooks
from questlog.query import library

REPORT = notebooks.read(chapters.notebook("report"))
BEHIND = "*Behind it:*"
ROLES = re.compile(r"\{[\w:]+\}`[^`]*`")
NUMBERING = re.compile(r"^(?:## )?\d+\. ", re.MULTILINE)
REFERENCE = re.compile(r"\{ref\}`(\w+) <query-(\w+)>`")
CHAPTER = re.compile(r"\{doc\}`\d\d_\w+`")
TELLS = ("findings.markdown(", "figures.", "timelines.", "recovered.", "tables.table(", "tables.cards(")
ASKED_BY = {
    "price_change": {"prices_by_day", "first_purchases"},
    "campaign": {"new_players_joining"},
    "joining": {"returning_by_joining"},
}
"""Findings that are not named after their query."""


def prose() -> list[str]:
    return [cell.source for cell in REPORT.cells if cell.cell_type == "markdown"]


def test_no_sentence_of_the_report_holds_a_figure_that_somebody_typed() -> None:
    typed = [NUMBERING.sub("", ROLES.sub("", source)) for source in prose()]

    assert [text for text in typed if re.search(r"\d", text)] == []


IN_SHORT = re.compile(r"\(finding-([\w-]+)\)=$", re.MULTILINE)


def parts() -> Iterator[tuple[nbformat.NotebookNode, str]]:
    """Each cell that tells or draws something, with the next source that is named after it."""
    cells = REPORT.cells
    for place, cell in enumerate(cells):
        if cell.cell_type == "code" and any(told in cell.source for told in TELLS):
            following = (later.source for later in cells[place:] if later.cell_type == "markdown")
            yield cell, next((source for source in following if BEHIND in source or "{ref}`" in source), "")


def asked(source: str) -> set[str]:
    """The queries whose answers a cell of the report uses."""
    strings = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    names = {str(one) for one in strings}
    return {query for name in names for query in ASKED_BY.get(name, {name})} & set(library.names())


@pytest.mark.parametrize("cell", [cell.id for cell, _ in parts()])
def test_everything_that_the_report_tells_is_followed_by_its_query_and_a_chapter(cell: str) -> None:
    ((told, behind),) = [(one, source) for one, source in parts() if one.id == cell]

    assert asked(told.source) <= {name for name, _ in REFERENCE.findall(behind)}
    assert CHAPTER.search(behind) or "tables.cards(" in told.source


def test_every_link_to_a_query_bears_its_name_and_the_query_exists() -> None:
    links = [pair for source in prose() for pair in REFERENCE.findall(source)]

    assert links
    assert [name for name, target in links if name != target or name not in library.names()] == []


def test_every_query_of_the_report_is_linked(html: Path) -> None:
    page = (html / "book" / "report.html").read_text()

    for name in {name for source in prose() for name, _ in REFERENCE.findall(source)}:
        assert f'href="queries.html#query-{name.replace("_", "-")}"' in page


def test_what_the_recovery_asks_is_what_its_source_names() -> None:
    from questlog.report import recovery

    (source,) = [source for source in prose() if "first_week" in source]

    assert {name for name, _ in REFERENCE.findall(source)} == set(recovery.QUERIES)


def test_each_line_in_short_leads_to_the_section_that_tells_it() -> None:
    (listed,) = [cell.source for cell in REPORT.cells if "findings.headlines(" in cell.source]
    sections = [
        (place, found[1].replace("-", "_"))
        for place, cell in enumerate(REPORT.cells)
        if (found := IN_SHORT.match(cell.source))
    ]

    assert [name for _, name in sections] == re.findall(r'"(\w+)"', listed)
    for place, name in sections:
        assert f'found["{name}"]' in REPORT.cells[place + 1].source

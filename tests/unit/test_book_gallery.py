"""The query gallery: each named query with its columns, its SQL and where it is asked."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from questlog.book import gallery, notebooks
from questlog.query import library


@pytest.fixture
def book(tmp_path: Path) -> Path:
    asked = nbformat.v4.new_code_cell('pipeline.query(settings, "funnel")')
    typed = nbformat.v4.new_markdown_cell("`questlog query guilds --format csv`")
    notebooks.write(nbformat.v4.new_notebook(cells=[asked, typed]), tmp_path / "06_presto.ipynb")
    return tmp_path


def entry(page: str, name: str) -> str:
    (found,) = [part for part in page.split("\n\n(query-") if part.removeprefix("(query-").startswith(f"{name})=")]
    return found


def test_every_query_has_its_question_its_columns_and_its_sql(book: Path) -> None:
    page = gallery.markdown(book)

    for name in library.names():
        known = library.describe(name)
        assert all(f"| `{column}` |" in entry(page, name) for column in known.columns)
        assert all(f"| `{parameter}` |" in entry(page, name) for parameter in known.parameters)
        assert known.sql.splitlines()[-1] in entry(page, name)


def test_a_query_names_the_chapters_that_ask_it_in_code_or_as_a_command(book: Path) -> None:
    page = gallery.markdown(book)

    assert "{doc}`06_presto`" in entry(page, "funnel")
    assert "{doc}`06_presto`" in entry(page, "guilds")
    assert "{doc}`06_presto`" not in entry(page, "quests")


def test_a_query_names_the_modules_that_ask_it_and_none_that_only_has_its_name(book: Path) -> None:
    page = gallery.markdown(book)

    assert "`questlog.pipeline.questions`" in entry(page, "batch_audit")
    assert "`questlog.report.recovery`" in entry(page, "bots")
    assert "effects" not in entry(page, "bots")


def test_a_query_names_the_chapters_whose_prose_has_a_link_to_it_but_not_its_name_alone(book: Path) -> None:
    said = nbformat.v4.new_markdown_cell('The effects `["bots"]`; see {ref}`gallery <query-sessions>`.')
    notebooks.write(nbformat.v4.new_notebook(cells=[said]), book / "03_load.ipynb")
    page = gallery.markdown(book)

    assert "{doc}`03_load`" in entry(page, "sessions")
    assert "{doc}`03_load`" not in entry(page, "bots")


def test_a_name_inside_a_longer_one_is_no_use() -> None:
    assert gallery.users("quests", {"one": '"quests_by_difficulty"', "two": "'quests'"}) == ["two"]

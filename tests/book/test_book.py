"""The committed book: its chapters keep to the rules, its site builds from a bare clone, its runner runs them."""

from __future__ import annotations

import ast
import itertools
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbval.plugin import get_sanitize_patterns

from questlog.book import chapters, notebooks, run, site
from questlog.errors import BookError
from questlog.query import library
from questlog.settings import Settings

CHAPTERS = chapters.chapters()
NUMBERED = [name for name in CHAPTERS if chapters.NUMBERED.match(name)]
PARAMETERS = chapters.parameters()
SANITIZERS = Path(__file__).with_name("sanitizers.cfg").read_text()
SECTIONS = ("You need", "It takes")
HEADINGS = ("What can go wrong", "How this grows on a cluster", "Summary", "References")
SHOWN_QUERY = re.compile(r'library\.text\("(\w+)"\)')
ASKED_QUERY = re.compile(r'pipeline\.query\(\s*\w+,\s*"(\w+)"')
NUMBERED_REFERENCE = re.compile(r"\{numref\}`(?:[^`<]*<)?([\w-]+)>?`")
SOLUTION = re.compile(r"^\*\*\d\.\*\* .+?^```\{dropdown\} Solution$", re.MULTILINE | re.DOTALL)
MOST_MEDIAN_LINES = 10
MOST_CHARACTERS = 92  # of a line of code, on a page 1440 pixels wide
MACHINE_PATH = re.compile(r"(?<![\w/])/(?:root|home|Users|tmp|work|var|mnt)/")
ADDRESS_OF_AN_OBJECT = re.compile(r" at 0x[0-9a-f]{6,}")

every_chapter = pytest.mark.parametrize("chapter", CHAPTERS)
every_numbered_chapter = pytest.mark.parametrize("chapter", NUMBERED)


def read(chapter: str) -> nbformat.NotebookNode:
    return notebooks.read(chapters.notebook(chapter))


def code(chapter: str) -> list[nbformat.NotebookNode]:
    return [cell for cell in read(chapter).cells if cell.cell_type == "code"]


def prose(chapter: str) -> str:
    return "\n\n".join(cell.source for cell in read(chapter).cells if cell.cell_type == "markdown")


def printed(chapter: str) -> Iterator[str]:
    """The text of all outputs, in every form."""
    for cell in code(chapter):
        for output in cell.outputs:
            yield from [output["text"]] if "text" in output else []
            yield from (text for kind, text in output.get("data", {}).items() if kind.startswith("text/"))


def test_there_are_chapters_and_the_report_runs_last() -> None:
    assert len(NUMBERED) >= 6
    assert CHAPTERS[-1] == "report"


@every_chapter
def test_a_chapter_has_one_cell_of_parameters_each_with_type_and_meaning(chapter: str) -> None:
    (cell,) = [cell for cell in code(chapter) if "parameters" in cell.metadata.get("tags", [])]

    declared = PARAMETERS[chapter].values()

    assert len(declared) == len(cell.source.splitlines())
    assert all(parameter.type != "None" and parameter.help for parameter in declared)


def test_a_parameter_is_the_same_in_every_chapter_that_has_it() -> None:
    known = {}
    for declared in PARAMETERS.values():
        for name, parameter in declared.items():
            assert known.setdefault(name, parameter) == parameter


@every_chapter
def test_a_chapter_is_a_valid_notebook_whose_cells_have_ids(chapter: str) -> None:
    notebook = read(chapter)

    nbformat.validate(notebook)
    ids = [cell["id"] for cell in notebook.cells]

    assert len(set(ids)) == len(ids)


@every_chapter
def test_a_chapter_bears_no_trace_of_the_run_that_made_its_outputs(chapter: str) -> None:
    stored = read(chapter)

    assert stored == notebooks.for_a_commit(read(chapter))


@every_chapter
def test_a_chapter_defines_no_helper_and_installs_nothing(chapter: str) -> None:
    for cell in code(chapter):
        tree = ast.parse(cell.source)  # fails on magics and shell lines, too
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]


@every_chapter
def test_a_chapter_was_executed_from_its_first_cell_to_its_last(chapter: str) -> None:
    counts = [cell.execution_count for cell in code(chapter)]

    assert counts == list(range(1, len(counts) + 1))
    assert any(cell.outputs for cell in code(chapter))


@every_chapter
def test_no_output_is_an_error_or_a_complaint(chapter: str) -> None:
    outputs = [output for cell in code(chapter) for output in cell.outputs]

    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]


@every_chapter
def test_no_output_names_a_place_of_the_machine_it_was_made_on(chapter: str) -> None:
    for text in printed(chapter):
        assert not MACHINE_PATH.search(text)
        assert not ADDRESS_OF_AN_OBJECT.search(text)


@every_chapter
def test_cells_are_short(chapter: str) -> None:
    shown = [cell for cell in code(chapter) if "remove-cell" not in cell.metadata.get("tags", [])]

    assert statistics.median(len(cell.source.splitlines()) for cell in shown) < MOST_MEDIAN_LINES


@every_numbered_chapter
def test_a_chapter_says_what_it_needs_what_can_go_wrong_and_how_it_grows(chapter: str) -> None:
    text = prose(chapter)

    assert all(part in text for part in SECTIONS)
    assert all(f"## {heading}" in text for heading in HEADINGS)
    assert "**Next**" in text


@every_numbered_chapter
def test_a_chapter_says_where_we_are_what_to_see_and_gives_exercises_with_solutions(chapter: str) -> None:
    assert below_the_standard(chapter) == []


def below_the_standard(chapter: str) -> list[str]:
    """What a chapter lacks of the parts that all are to have."""
    text = prose(chapter)
    exercises = text.partition("## Exercises")[2].partition("\n## ")[0]
    parts = {
        "a diagram of where we are": any("diagram.flow(" in cell.source for cell in code(chapter)),
        "what you should see": bool(re.search(r"\*\*You\s+should\s+see\*\*", text)),
        "an item of the overview for each section": len(re.findall(r"^- \*\*", text.partition("## ")[0], re.MULTILINE))
        > 3,
        "at least two exercises, each with a solution": len(SOLUTION.findall(exercises)) >= 2,
        "as many solutions as exercises": exercises.count("{dropdown} Solution") == len(SOLUTION.findall(exercises)),
        "a reference that the bibliography has": "{cite:p}`" in text.partition("## References")[2],
    }
    return [part for part, there in parts.items() if not there]


@every_numbered_chapter
def test_every_query_that_a_chapter_shows_has_a_link_to_its_entry_in_the_gallery(chapter: str) -> None:
    shown = [name for cell in code(chapter) for name in SHOWN_QUERY.findall(cell.source)]

    assert [name for name in shown if f"{{ref}}`gallery <query-{name}>`" not in prose(chapter)] == []


@every_numbered_chapter
def test_a_sentence_stands_before_each_shown_cell(chapter: str) -> None:
    cells = [cell for cell in read(chapter).cells if "remove-cell" not in cell.metadata.get("tags", [])]
    pairs = itertools.pairwise(cells)
    # A figure, its code folded away, says its finding in its own title.
    shown = [(before, cell) for before, cell in pairs if "hide-input" not in cell.metadata.get("tags", [])]
    alone = [cell.source for before, cell in shown if cell.cell_type == "code" and not says(before)]

    assert alone == []


def says(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell ends with text, and not with a heading."""
    return cell.cell_type == "markdown" and not cell.source.strip().splitlines()[-1].startswith("#")


@every_chapter
def test_no_line_of_code_is_cut_at_the_page_s_edge(chapter: str) -> None:
    hidden = {"remove-cell", "remove-input", "hide-input"}
    shown = [cell for cell in code(chapter) if not hidden & set(cell.metadata.get("tags", []))]

    assert [line for cell in shown for line in cell.source.splitlines() if len(line) > MOST_CHARACTERS] == []


@every_chapter
def test_every_figure_has_a_caption_a_name_and_a_text_for_those_who_cannot_see_it(chapter: str) -> None:
    for cell in code(chapter):
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            rendering = cell.metadata["mystnb"]
            assert rendering["figure"]["caption"]
            assert rendering["figure"]["name"]
            assert rendering["image"]["alt"]


@every_chapter
def test_every_figure_is_referred_to_by_its_number(chapter: str) -> None:
    named = {cell.metadata["mystnb"]["figure"]["name"] for cell in code(chapter) if "mystnb" in cell.metadata}

    assert sorted(named - set(NUMBERED_REFERENCE.findall(prose(chapter)))) == []


@every_numbered_chapter
def test_the_sql_that_a_chapter_quotes_is_that_of_the_file(chapter: str) -> None:
    for cell in code(chapter):
        for name in SHOWN_QUERY.findall(cell.source):
            assert library.text(name).strip() in cell.outputs[0]["data"]["text/markdown"]


@every_numbered_chapter
def test_every_query_that_a_chapter_asks_is_quoted_there_or_leads_to_its_sql(chapter: str) -> None:
    text = prose(chapter)
    asked = {name for cell in code(chapter) for name in ASKED_QUERY.findall(cell.source)}
    quoted = {name for cell in code(chapter) for name in SHOWN_QUERY.findall(cell.source)}

    assert sorted(name for name in asked - quoted if f"<query-{name}>`" not in text) == []


def test_every_sanitizer_is_a_pattern_that_a_chapter_needs_and_its_section_says_why() -> None:
    everything = [text for chapter in CHAPTERS for text in printed(chapter)]
    patterns = get_sanitize_patterns(SANITIZERS)

    assert len(patterns) == SANITIZERS.count("regex: ") == SANITIZERS.count("replace: ")
    for section in re.split(r"^\[.+\]$", SANITIZERS, flags=re.MULTILINE)[1:]:
        assert section.lstrip().startswith("# ")
    unused = [pattern for pattern, _ in patterns if not any(re.search(pattern, text) for text in everything)]
    assert all("Non-2xx" in pattern for pattern in unused)  # only a busy machine refuses a request


@pytest.mark.parametrize("page", [*CHAPTERS, "glossary"])
def test_the_site_of_a_bare_clone_has_the_page(html: Path, page: str) -> None:
    assert "</article>" in (html / "book" / f"{page}.html").read_text()


def test_the_site_opens_with_the_report(html: Path) -> None:
    assert "book/report.html" in (html / "index.html").read_text()


@every_numbered_chapter
def test_every_figure_of_a_page_has_its_number(html: Path, chapter: str) -> None:
    page = (html / "book" / f"{chapter}.html").read_text()

    assert page.count('<span class="caption-number">') == page.count("<figure ")


def test_the_site_asks_no_other_server_for_anything(html: Path) -> None:
    for page in (html / "book").glob("*.html"):
        assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="https?://[^"]+"', page.read_text())


def test_a_warning_fails_the_build_and_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "_config.yml").write_text("title: A book\n")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: page\n")
    (tmp_path / "page.md").write_text("# A page\n\nSee {doc}`nowhere`.\n")

    with pytest.raises(BookError, match=r"page\.md.*nowhere"):
        site.build(tmp_path)


def test_a_chapter_runs_with_other_parameters_and_only_it(settings: Settings, tmp_path: Path) -> None:
    (done,) = run.run(settings, {"players": "50", "events": "500"}, tmp_path, only=["05_catalog"])

    executed = notebooks.read(done.path)
    injected = [cell for cell in executed.cells if "injected-parameters" in cell.metadata.get("tags", [])]

    assert [cell.source.splitlines()[1:] for cell in injected] == [["players = 50", "events = 500"]]
    assert notebooks.read(chapters.notebook("04_stream", tmp_path)) == read("04_stream")
    assert not list((tmp_path / run.RUNNING).iterdir())


def test_a_failing_cell_is_named_and_what_ran_is_kept(settings: Settings, tmp_path: Path) -> None:
    nowhere = settings.in_namespace("nowhere", presto_url="http://127.0.0.1:1")

    with pytest.raises(BookError) as failed:
        run.run(nowhere, {}, tmp_path, only=["05_catalog"])

    assert re.match(r"chapter 05_catalog failed in cell \d+ of \d+:", str(failed.value))
    assert "pipeline.prepare(world)" in str(failed.value)
    assert "Presto does not answer" in str(failed.value)
    assert (tmp_path / run.RUNNING / "05_catalog.ipynb").exists()

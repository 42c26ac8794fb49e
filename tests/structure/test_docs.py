"""What the documentation names exists, and what exists is documented."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import click
import pytest

from questlog.book import chapters, notebooks
from questlog.book.arguments import share_out
from questlog.cli import main
from questlog.events import CATALOGUE
from questlog.events.validation import from_text, parse
from questlog.paths import ROOT
from questlog.query import library
from questlog.settings import PREFIX, Settings

README = (ROOT / "README.md").read_text()
MACHINE_PATH = re.compile(r"/root/|/home/[a-z]")
DOCUMENTS = [
    *(
        ROOT / name
        for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")
    ),
    *sorted((ROOT / "book").glob("*.md")),
    *sorted((ROOT / "book").glob("*.ipynb")),
]
BLOCK = re.compile(r"^(?:```|~~~)(?:bash|sh)\n(.*?)^(?:```|~~~)$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
VARIABLE = re.compile(r"\w+=\S*")
PACKAGES = "|".join(sorted(folder.parent.name for folder in (ROOT / "src" / "questlog").glob("*/__init__.py")))
PLACES = re.compile(rf"(?:{PACKAGES}|conf|locks|questlog|scripts|src|tests)/[\w./-]+")
RELATIVE_TO = (ROOT, ROOT / "src", ROOT / "src" / "questlog")
LINK = re.compile(r"\]\(([^)#:]+)\)")
PLACEHOLDER = re.compile(r"\b[A-Z]{4,}\b")
ENDS_A_COMMAND = {"&&", "&", "|", ";"}

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))


def prose(document: Path) -> str:
    """The document's text; of a notebook, what people wrote between its cells of code."""
    if document.suffix == ".md":
        return document.read_text()
    cells = notebooks.read(document).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def commands(text: str, program: str) -> list[list[str]]:
    """The words of each command of `program`, in blocks of shell and between backticks; placeholders are left out."""
    blocks = BLOCK.findall(text)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    inline = [found for found in INLINE.findall(BLOCK.sub("", text)) if not PLACEHOLDER.search(found.partition('"')[0])]
    return [words for line in (*lines, *inline) for words in parts(line) if words[:1] == [program] and words[1:]]


def parts(line: str) -> Iterator[list[str]]:
    """The words of each command in a line of shell, without the variables that are set for it."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # a line of a quotation that goes over several is no command
        return
    while words:
        length = next((place for place, word in enumerate(words) if word in ENDS_A_COMMAND), len(words))
        own, words = words[:length], words[length + 1 :]
        first = next((place for place, word in enumerate(own) if not VARIABLE.fullmatch(word)), len(own))
        yield own[first:]


def parsed(words: list[str]) -> click.Context:
    """The command's own context, with its arguments, as the command line makes it of `words`."""
    outer = main.make_context("questlog", words[1:])
    name, command, rest = main.resolve_command(outer, [*outer._protected_args, *outer.args])
    return command.make_context(name, rest, parent=outer)


def understood(document: Path) -> list[click.Context]:
    """Each command of the document with its arguments; of one that is only named, no argument is missing."""
    written = commands(prose(document), "questlog")
    return [parsed(words) for words in written if len(words) > 2 or words[1] not in main.commands]


@every_document
def test_a_command_in_a_document_is_one_that_the_command_line_takes(document: Path) -> None:
    assert [context for context in understood(document) if context.info_name not in main.commands] == []


@every_document
def test_a_query_that_a_document_asks_is_in_the_library_or_a_statement(document: Path) -> None:
    asked = [context.params["statement"] for context in understood(document) if context.info_name == "query"]

    assert [one for one in asked if " " not in one and one not in library.names()] == []


@every_document
def test_a_run_of_the_book_in_a_document_has_chapters_and_parameters_that_are_there(document: Path) -> None:
    declared = chapters.parameters()
    for context in understood(document):
        if context.info_name == "book":
            wanted = context.params["only"] or tuple(declared)

            assert set(wanted) <= set(declared)
            assert share_out(dict(context.params["given"]), {name: declared[name] for name in wanted})


@every_document
def test_a_chapter_that_a_document_runs_by_itself_takes_the_parameters(document: Path) -> None:
    for words in commands(prose(document), "papermill"):
        chapter = Path(words[1]).stem
        at = [place for place, word in enumerate(words) if word == "-p"]
        given = {words[place + 1]: words[place + 2] for place in at}

        assert (ROOT / words[1]).is_file()
        assert share_out(given, {chapter: chapters.parameters()[chapter]})


@every_document
def test_a_file_that_a_document_names_exists(document: Path) -> None:
    named = {found for code in INLINE.findall(prose(document)) for found in [code.strip()] if PLACES.fullmatch(found)}
    named |= {found for block in BLOCK.findall(prose(document)) for found in PLACES.findall(block)}

    assert [name for name in sorted(named) if not any((folder / name).exists() for folder in RELATIVE_TO)] == []


@every_document
def test_a_variable_that_a_document_names_is_a_setting(document: Path) -> None:
    named = set(re.findall(rf"{PREFIX}([A-Z][A-Z_]*[A-Z])", prose(document)))

    assert {name.lower() for name in named} <= set(Settings.model_fields)


@every_document
def test_a_file_that_a_document_links_to_exists(document: Path) -> None:
    assert [link for link in LINK.findall(prose(document)) if not (document.parent / link).exists()] == []


def test_the_event_that_the_readme_sends_by_hand_is_one_that_the_api_takes() -> None:
    ((_, address),) = commands(README, "curl")
    there = urlsplit(address)
    event_type = CATALOGUE[there.path.removeprefix("/")]

    assert parse(event_type, from_text(event_type, dict(parse_qsl(there.query))), {}, datetime.now(UTC))
    assert there.port == Settings.load(port_offset=0).api_port


def test_the_commands_of_the_readme_are_found() -> None:
    assert len(commands(README, "questlog")) > 10
    assert len(commands(README, "papermill")) == 1


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_is_in_the_readme(name: str) -> None:
    assert re.search(rf"questlog {name}\b", README)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_is(name: str) -> None:
    assert Settings.model_fields[name].description


@pytest.mark.parametrize("script", sorted((ROOT / "scripts").iterdir()), ids=lambda script: script.name)
def test_a_script_is_executable_and_begins_by_saying_what_it_does(script: Path) -> None:
    shebang, comment, *_ = script.read_text().splitlines()

    assert script.stat().st_mode & 0o111
    assert shebang == "#!/usr/bin/env bash"
    assert comment.startswith("# ")


@pytest.mark.parametrize(
    "file",
    [file for folder in ("src", "conf", "scripts", "book", "locks") for file in sorted((ROOT / folder).rglob("*"))],
    ids=lambda file: str(file.relative_to(ROOT)),
)
def test_no_file_names_a_path_of_a_machine(file: Path) -> None:
    if file.is_file() and file.suffix not in {".png", ".pyc"}:
        assert not MACHINE_PATH.search(file.read_text())

"""What the documentation names exists, and what exists is documented."""

import re
import shlex
from pathlib import Path

import click
import pytest

from questlog.cli import main
from questlog.paths import ROOT
from questlog.settings import Settings

README = (ROOT / "README.md").read_text()
COMMAND = re.compile(r"^questlog .*$", re.MULTILINE)
MACHINE_PATH = re.compile(r"/root/|/home/[a-z]")


@pytest.mark.parametrize("line", [match.group() for match in COMMAND.finditer(README)])
def test_a_command_in_the_readme_parses(line: str) -> None:
    name, *arguments = shlex.split(line, comments=True)[1:]

    context = main.commands[name].make_context(name, arguments, resilient_parsing=False)

    assert isinstance(context, click.Context)


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_is_in_the_readme(name: str) -> None:
    assert re.search(rf"questlog {name}\b", README)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_is(name: str) -> None:
    assert Settings.model_fields[name].description


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_a_file_that_the_readme_links_to_exists(link: str) -> None:
    assert (ROOT / link).exists()


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

"""The scripts say how they are used, refuse what they do not know, and are documented."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from questlog.paths import ROOT

SCRIPTS = sorted((ROOT / "scripts").iterdir())
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")
WITH_USAGE = ("setup", "lock", "bench")
WITH_HELP = ("setup", "lock")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_every_script_is_documented(script: Path) -> None:
    assert any(f"scripts/{script.name}" in (ROOT / document).read_text() for document in DOCUMENTS)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_every_script_is_sound_shell(script: Path) -> None:
    subprocess.run(["bash", "-n", script], check=True)


@pytest.mark.parametrize("name", WITH_USAGE)
def test_a_script_refuses_what_it_does_not_know_with_its_usage(name: str) -> None:
    refused = subprocess.run([ROOT / "scripts" / name, "--nonsense"], capture_output=True, text=True, check=False)

    assert refused.returncode == 2
    assert f"usage: scripts/{name}" in refused.stderr


@pytest.mark.parametrize("name", WITH_HELP)
def test_a_script_explains_every_option_when_it_is_asked_for_help(name: str) -> None:
    helped = subprocess.run([ROOT / "scripts" / name, "--help"], capture_output=True, text=True, check=True)
    usage, *explained = helped.stdout.splitlines()

    assert usage.startswith(f"usage: scripts/{name}")
    for option in re.findall(r"--[\w-]+", usage):
        assert any(line.strip().startswith(option) for line in explained)


def test_every_script_that_a_document_names_exists() -> None:
    text = "".join((ROOT / document).read_text() for document in (*DOCUMENTS, ".github/workflows/ci.yml"))
    named = {part.split("`")[0].split()[0].strip(".,;:)(") for part in text.split("scripts/")[1:]}

    assert {name for name in named if name} <= {script.name for script in SCRIPTS}

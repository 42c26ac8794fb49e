"""What is said on standard error when its reader has gone is dropped, and does no harm."""

import os
import sys

import pytest
from rich.console import Console

from questlog.cli.unheard import unheard


def test_what_nobody_reads_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", buffering=1) as pipe:
        monkeypatch.setattr(sys, "stderr", pipe)
        console = Console(stderr=True)
        with unheard():
            console.print("heard")
            assert os.read(reading, 100) == b"heard\n"

            os.close(reading)
            for _ in range(3):
                console.print("unheard")
        assert sys.stderr is pipe


def test_what_is_no_file_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with unheard():
        print("words", file=sys.stderr)

    assert capsys.readouterr().err == "words\n"

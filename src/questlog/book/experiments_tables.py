"""What a chapter does to tables: many small files are landed, merged, and a query is measured before and after."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass

import pandas as pd

from questlog import pipeline
from questlog.catalog import files
from questlog.errors import BookError
from questlog.settings import EVENTS_TABLE, Settings

SHOWN = 2000  # characters of what a process said on its way down


def land_in_pieces(settings: Settings, records: int) -> None:
    """Run a stream, in a process of its own, that takes so many records at most into each micro-batch.

    Raises:
        BookError: it ended in an error; quotes what it said.
    """
    command = [sys.executable, "-m", "questlog", "stream", "--available-now", "--max-offsets", str(records)]
    done = subprocess.run(command, env=settings.environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise BookError(f"the stream ended with {done.returncode}: {done.stderr[-SHOWN:]}")


@dataclass(frozen=True)
class Measured:
    """One query over table ``events``: its answer, its seconds, and the files and bytes of the table."""

    files: int
    bytes: int
    seconds: float
    answer: pd.DataFrame

    def __str__(self) -> str:
        return f"{self.files:,} files, {self.bytes:,} bytes, the query in {self.seconds:.2f} s"


def measured(settings: Settings, sql: str) -> Measured:
    """Ask a question twice, and time the second answer: the first also pays for what Presto has to load.

    Raises:
        QueryError: Presto refuses, or is not reachable.
    """
    pipeline.sql(settings, sql)
    began = time.perf_counter()
    answer = pipeline.sql(settings, sql)
    seconds = time.perf_counter() - began
    found = files.listing(settings, EVENTS_TABLE)
    return Measured(len(found), sum(file.bytes for file in found), seconds, answer)

"""What a chapter does to tables: small files are landed, a query is measured, a file is lost, a table is rebuilt."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass

import pandas as pd

from questlog import pipeline
from questlog.catalog import counts
from questlog.errors import BookError
from questlog.lake.hdfs import Entry, Hdfs
from questlog.settings import EVENTS_TABLE, Settings

FORCES_COLOURS = ("FORCE_COLOR", "CLICOLOR_FORCE")  # a notebook's kernel sets them for all that it starts
SHOWN = 2000  # characters of what a process said on its way down


def files(settings: Settings) -> list[Entry]:
    """The files below table ``events`` as HDFS has them, whatever the metastore knows.

    Raises:
        LakeError: HDFS refuses or is not reachable.
    """
    hdfs = Hdfs(settings)
    versions = [version for day in hdfs.folders(settings.table_path(EVENTS_TABLE)) for version in hdfs.folders(day)]
    return [entry for found in hdfs.each(hdfs.files, versions) for entry in found]


def land_in_pieces(settings: Settings, records: int) -> None:
    """Run a stream, in a process of its own, that takes so many records at most into each micro-batch.

    Raises:
        BookError: it ended in an error; quotes what it said.
    """
    _questlog(settings, "stream", "--available-now", "--max-offsets", str(records))


def lose_a_file(settings: Settings) -> int:
    """Delete the first file of table ``events``, as by an accident; its rows.

    Raises:
        LakeError: HDFS refuses or is not reachable.
    """
    hdfs, first = Hdfs(settings), counts.listing(settings, EVENTS_TABLE)[0]
    rows = counts.rows_by_type(hdfs, first).total()
    hdfs.delete(first.path)
    return rows


def replayed(settings: Settings, table: str, *options: str) -> str:
    """What `questlog replay` prints, run in a process of its own.

    Raises:
        BookError: it ended in an error; quotes what it said.
    """
    return _questlog(settings, "replay", table, *options)


def _questlog(settings: Settings, *words: str) -> str:
    command = [sys.executable, "-m", "questlog", *words]
    plain = {name: text for name, text in settings.environment().items() if name not in FORCES_COLOURS}
    done = subprocess.run(command, env=plain, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BookError(f"questlog {' '.join(words)} ended with {done.returncode}: {done.stderr[-SHOWN:]}")
    return done.stdout


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
    found = counts.listing(settings, EVENTS_TABLE)
    return Measured(len(found), sum(file.bytes for file in found), seconds, answer)

"""The data sets of the query benchmark: landed by the command line, as a user would, asked by PyHive, and copied.

These functions run in a process of the checkout that is measured (`benchmarks.checkout`): they use only what all
checkouts have in common.
"""

from __future__ import annotations

import io
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow.parquet as pq
import requests

from benchmarks.commands import questlog
from benchmarks.questions import Row, comparable
from questlog import pipeline
from questlog.lake import presto
from questlog.query import library
from questlog.settings import Settings

FILES = 'SELECT DISTINCT "$path", event_type, event_date FROM events'
COPIES_AT_A_TIME = 8
LAND = ("stream", "--available-now"), ("compact",)


@dataclass(frozen=True)
class DataSet:
    """Simulated players: `parts` are the options of `questlog generate`, one after another; `events` is their sum."""

    name: str
    events: int
    parts: tuple[str, ...]

    def namespace(self, settings: Settings) -> Settings:
        """The pipeline of this data set."""
        return settings.in_namespace(f"bench_{self.name.replace(' ', '_')}")


FOUR_WEEKS = DataSet("28 days", 20_000, ("--days 28 --events 20000 --start 2026-01-05",))
EIGHTEEN_MONTHS = DataSet(  # two parts, as one may have 366 days
    "546 days",
    110_000,
    (
        "--days 273 --events 55000 --players 2000 --start 2025-01-06",
        "--days 273 --events 55000 --players 2000 --start 2025-10-06 --seed 2",
    ),
)
DATA_SETS = (FOUR_WEEKS, EIGHTEEN_MONTHS)


def land(settings: Settings, data: DataSet) -> None:
    """Send the events to the API, land them, and merge small files.

    Raises:
        QuestlogError: a command failed.
    """
    here = data.namespace(settings)
    pipeline.create(here)
    with pipeline.api(here) as serving:
        for part in data.parts:
            questlog(serving, "generate", *part.split())
    for command in LAND:
        questlog(here, *command)


def ask(settings: Settings, data: DataSet, question: str) -> tuple[float, list[Row]]:
    """How many seconds Presto's answer took, and its rows; a question is SQL or the name of a query of the library."""
    here, named = data.namespace(settings), question in library.names()
    began = time.perf_counter()
    answer = library.run(here, question) if named else presto.frame(here, question)
    return time.perf_counter() - began, comparable(answer.astype(object).itertuples(index=False, name=None))


def copy(settings: Settings, data: DataSet, folder: Path) -> int:
    """Copy the files of the table `events` that Presto reads, in Hive's folders; how many they are."""
    webhdfs, asked = f"{settings.webhdfs_url}/webhdfs/v1", {"op": "OPEN", "user.name": settings.hdfs_user}
    found = presto.execute(data.namespace(settings), FILES)
    files = {path: (str(kind), str(day)) for path, kind, day in found}  # of several types one, which is not used

    def fetch(number: int, path: str) -> None:
        answer = requests.get(webhdfs + urlsplit(path).path, params=asked, timeout=60)
        answer.raise_for_status()
        content = answer.content
        target = folder / partition(content, *files[path]) / f"{number}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    with ThreadPoolExecutor(COPIES_AT_A_TIME) as pool:
        list(pool.map(fetch, range(len(files)), files))
    return len(files)


def partition(content: bytes, kind: str, day: str) -> str:
    """The folder for a file, which names what its rows do not: always the day, and the type where a file has one."""
    within = "event_type" in pq.read_schema(io.BytesIO(content)).names
    return f"event_date={day}" if within else f"event_type={kind}/event_date={day}"

"""What has landed, remembered over a restart.

To know an event that is sent again, a stream has to know all that landed in some days. To read that from the tables
takes a look into each of their files. So the stream keeps its knowledge beside them, below
``<staging>/known/<stream>/``: parquet files of entries (`questlog.stream.repeats`), each written once, and
``<batch>.json``, which says which of them hold all that had landed with that batch. A start reads these, and of the
tables the files that are newer.

When the two do not agree, or were written by another rule, the tables alone are read: it is slower, and as right.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import re
import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from questlog.errors import StreamError
from questlog.events import Catalogue
from questlog.settings import Settings
from questlog.stream import repeats
from questlog.stream.files import Files
from questlog.stream.repeats import IDENTITY, Entries, Known

LOG = logging.getLogger(__name__)
NAME = re.compile(r"(\d+)\.json")
KEEP_SECONDS = 15.0
"""Between two writings: what landed in that time is read from the tables by the next start."""


@dataclass(frozen=True)
class _Kept:
    """What ``<batch>.json`` says.

    Args:
        runs: names of the files that hold the entries.
        events: how many there are in them.
        written_until: files of tables with a later time of modification hold what is not in them; HDFS's clock, in
            milliseconds since 1970.
        since: what was received before this is not in them, in milliseconds since 1970.
        rule: of the hashes.
    """

    runs: list[str]
    events: int
    written_until: int
    since: float
    rule: str


class Memory:
    """The memory of one stream.

    Args:
        files: HDFS.
        settings: where the stream's staging is, and for how many days it knows an event.
        catalogue: the event types.
        stream: its short name.
    """

    def __init__(self, files: Files, settings: Settings, catalogue: Catalogue, stream: str) -> None:
        self._files, self._settings = files, settings
        self._folder = f"{folder(settings)}/{stream}"
        self._rule = hashlib.sha256("\n".join(repeats.identity(catalogue)).encode()).hexdigest()
        self._names: dict[int, tuple[Entries, str]] = {}
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="questlog-memory")
        self._under_way: Future[None] | None = None
        self._written, self._batch = time.monotonic(), -1

    def recalled(self, spark: SparkSession) -> tuple[Known, float]:
        """What is remembered, and the time of modification after which a table's files hold what is not.

        In milliseconds since 1970. It is nothing, and the horizon, if there is nothing that can be relied on.
        """
        horizon = repeats.horizon(self._settings)
        try:
            kept = self._newest()
            if kept is not None and kept.rule == self._rule and kept.since <= horizon:
                return Known(self._read(spark, kept)), max(kept.written_until, horizon)
        except (StreamError, ValueError, TypeError, Py4JError, PySparkException) as error:
            LOG.warning("what has landed is read from the tables: %s", error)
        return Known(), horizon

    def is_due(self) -> bool:
        """Whether it is time to write, and the writing before is done."""
        is_idle = self._under_way is None or self._under_way.done()
        return is_idle and time.monotonic() - self._written >= KEEP_SECONDS

    def keep(self, known: Known, batch: int, written_until: int) -> None:
        """Write, beside whatever runs, what is known once this batch has landed and before the next one is staged."""
        if batch == self._batch:
            return
        self._written, self._batch = time.monotonic(), batch
        since = repeats.horizon(self._settings)
        self._under_way = self._writer.submit(self._keep, known.runs(), batch, written_until, since)

    def close(self) -> None:
        """Wait for what is being written."""
        self._writer.shutdown()

    def _newest(self) -> _Kept | None:
        named = [NAME.fullmatch(path.rsplit("/", 1)[1]) for path in self._files.matching(self._all("json"))]
        batches = [int(name[1]) for name in named if name]
        return _Kept(**json.loads(self._files.read(f"{self._folder}/{max(batches)}.json"))) if batches else None

    def _read(self, spark: SparkSession, kept: _Kept) -> Entries:
        if not kept.runs:
            return repeats.NOTHING
        paths = [f"{self._files.url}{self._folder}/{name}" for name in kept.runs]
        table = spark.read.schema(", ".join(f"{name} BIGINT" for name in IDENTITY)).parquet(*paths).toArrow()
        if table.num_rows != kept.events:
            raise ValueError(f"{self._folder} holds {table.num_rows} events, and says that it holds {kept.events}")
        return repeats.entries(table)

    def _keep(self, runs: tuple[Entries, ...], batch: int, written_until: int, since: float) -> None:
        try:
            named = [self._named(run) for run in runs]
            events = sum(run.size for run in runs)
            kept = _Kept([name for _, name in named], events, written_until, since, self._rule)
            self._files.write_whole(f"{self._folder}/{batch}.json", json.dumps(asdict(kept)).encode())
            self._names = {id(run): (run, name) for run, name in named}
            self._sweep({f"{batch}.json", *kept.runs})
        except StreamError as error:
            LOG.warning("what has landed is not remembered before the next time: %s", error)

    def _named(self, run: Entries) -> tuple[Entries, str]:
        """A run and its file, which is written if it is new: no run is ever changed."""
        if id(run) in self._names:
            return self._names[id(run)]
        name, out = f"{uuid.uuid4().hex[:12]}.parquet", io.BytesIO()
        pq.write_table(_table(run), out)
        self._files.write(f"{self._folder}/{name}", out.getvalue())
        return run, name

    def _sweep(self, needed: set[str]) -> None:
        for path in (*self._files.matching(self._all("json")), *self._files.matching(self._all("parquet"))):
            if path.rsplit("/", 1)[1] not in needed:
                self._files.delete(path)

    def _all(self, suffix: str) -> str:
        return f"{self._folder}/*.{suffix}"


def folder(settings: Settings) -> str:
    """Where the memories of a namespace's streams are. Whoever makes tables anew deletes it before."""
    return f"{settings.staging}/known"


def _table(run: Entries) -> pa.Table:
    return pa.table({name: pa.array(run[name]) for name in IDENTITY})

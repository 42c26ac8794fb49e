"""The stream's progress: a row for each micro-batch, for Presto and for people who follow the stream.

It is telemetry; the audit is in table ``batches``. A row is made once Spark has committed the batch, by the thread that
watches the query. It is written at once as a line of JSON to a file of this machine (`lines_path`, which `follow`
reads), and every `Settings.progress_seconds` with those before it as one parquet file into table ``stream_progress``.
A crash loses the rows since the last such file. A file that HDFS does not take is tried again with the next one.
"""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from questlog.errors import LeaseLost, QuestlogError
from questlog.events.schema import PROGRESS_COLUMNS
from questlog.lake import layout, parquet
from questlog.lake.types import arrow_schema
from questlog.lake.writer import Writer
from questlog.settings import PROGRESS_TABLE, Settings
from questlog.stream.timings import all_seconds

MOST_ROWS = 10_000
"""Rows that wait for HDFS; of more the oldest are forgotten."""
MOST_BYTES = 1_000_000
"""Length at which the file of lines is put aside, and a new one begun."""
SHOWN = 20
LOOK_SECONDS = 0.2

Row = dict[str, Any]
"""A row of table ``stream_progress``; ``started_at`` is text of ISO 8601 in a line, a datetime otherwise."""


def row(stream: str, counts: Mapping[str, int], sink: Mapping[str, float], spark: Mapping[str, Any]) -> Row:
    """The row of a micro-batch.

    Args:
        stream: the stream's short name.
        counts: rows by outcome.
        sink: seconds of the sink, by phase.
        spark: what Spark says of the batch, as `StreamingQueryProgress` has it.
    """
    (source,) = spark["sources"]
    begin, end, newest = (_total(source[name]) for name in ("startOffset", "endOffset", "latestOffset"))
    seconds = all_seconds(spark["durationMs"], sink)
    return {
        "stream": stream,
        "batch": int(spark["batchId"]),
        "started_at": datetime.fromisoformat(spark["timestamp"]),
        "records": end - begin,
        **counts,
        "lag": max(newest - end, 0),
        "seconds": seconds.pop("total"),
        **{f"{phase}_seconds": took for phase, took in seconds.items()},
    }


def _total(offsets: str | Mapping[str, Any] | None) -> int:
    """The sum of a topic's offsets; Spark gives them as JSON."""
    known = json.loads(offsets) if isinstance(offsets, str) else offsets
    return sum(sum(of.values()) for of in (known or {}).values())


def lines_path(settings: Settings) -> Path:
    """The file of this machine to which each row is written as a line."""
    return settings.logs_dir / f"stream-{settings.namespace}.jsonl"


class Progress:
    """Takes the rows of one stream, and publishes them by its writer between two micro-batches."""

    def __init__(self, writer: Writer, clock: Callable[[], float] = time.monotonic) -> None:
        self._writer, self._clock = writer, clock
        self._rows: deque[Row] = deque(maxlen=MOST_ROWS)
        self._written = clock()

    def add(self, new: Row) -> None:
        """Take a row: people who follow see it at once, Presto within `Settings.progress_seconds`."""
        self._rows.append(new)
        with contextlib.suppress(OSError):  # a full disk must not end the stream
            _append(lines_path(self._writer.settings), json.dumps({**new, "started_at": new["started_at"].isoformat()}))
        self.flush_if_due()

    def flush_if_due(self) -> None:
        """Publish what waits, if it is time."""
        if self._clock() - self._written >= self._writer.settings.progress_seconds:
            self.flush()

    def flush(self) -> None:
        """Publish what waits."""
        self._written = self._clock()
        rows = [self._rows.popleft() for _ in range(len(self._rows))]
        if not rows:
            return
        name = f"progress-{uuid.uuid4().hex[:12]}"
        attempt, file = f"{layout.attempts(self._writer.settings)}/{name}", f"{PROGRESS_TABLE}/part-0.parquet"
        try:
            content = parquet.encode(PROGRESS_TABLE, pa.Table.from_pylist(rows, arrow_schema(PROGRESS_COLUMNS)))
            self._writer.hdfs.write(f"{attempt}/{file}", content)
            self._writer.publish(attempt, name, [file])
        except LeaseLost:
            raise
        except QuestlogError:
            self._rows.extendleft(reversed(rows))


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > MOST_BYTES:
        path.replace(path.with_suffix(".old.jsonl"))
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def follow(settings: Settings, most: int = SHOWN) -> Iterator[Row | None]:
    """The last rows, then each new one as it comes; None at every look that finds no more. Ends never.

    Only the file of this machine is read: the stream does not notice.
    """
    path, position = lines_path(settings), 0
    identity: int | None = None
    while True:
        with contextlib.suppress(FileNotFoundError), path.open(encoding="utf-8") as file:
            status, before = path.stat(), identity
            identity = status.st_ino
            if status.st_size < position or before not in (None, identity):
                position = 0
            file.seek(position)
            lines = [line for line in file.readlines() if line.endswith("\n")]
            position += sum(len(line.encode()) for line in lines)
            for line in lines[-most:] if before is None else lines:
                told: Row = json.loads(line)
                yield {**told, "started_at": datetime.fromisoformat(told["started_at"])}
        yield None
        time.sleep(LOOK_SECONDS)
